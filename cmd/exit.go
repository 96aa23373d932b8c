package cmd

import (
	"context"
	"errors"

	"github.com/meshctl/meshctl/internal/hint"
)

// The exit codes of the whole program; docs/contracts.md explains them.
const (
	exitOK          = 0   // done, or the answer is yes
	exitNo          = 1   // failed, or the answer is no
	exitUsage       = 2   // used wrongly, or a question that could not be answered
	exitInterrupted = 130 // ended by Ctrl-C
)

// errNo is what a command returns when it worked and the answer is no:
// findings, differences, out of sync. Its result is printed already.
var errNo = errors.New("the answer is no")

// errUnanswered is what a command returns when it printed what it could, said
// on stderr what it could not, and so has no full answer.
var errUnanswered = errors.New("not everything could be answered")

// exitCode maps what a command returned to the exit code of the process.
func exitCode(ctx context.Context, err error) int {
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil:
		return exitInterrupted
	case errors.Is(err, errNo):
		return exitNo
	case errors.Is(err, errUnanswered), errors.Is(err, context.DeadlineExceeded):
		return exitUsage
	case hint.ClassOf(err) != hint.Failed:
		return exitUsage
	}
	return exitNo
}
