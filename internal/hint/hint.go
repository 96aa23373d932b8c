// Package hint has errors that carry what to do next, and the class that
// decides the exit code of the program.
package hint

import (
	"errors"
	"fmt"
)

// Class says what kind of failure an error is. The command line turns it into
// an exit code; see docs/contracts.md.
type Class int

const (
	// Failed is work that was understood and did not succeed: exit code 1.
	Failed Class = iota
	// Usage is a command used wrongly: an unknown flag, name, key or profile: exit code 2.
	Usage
	// Unanswerable is a question that could not be answered: unreachable
	// cluster, forbidden kind, unreadable file, deadline passed: exit code 2.
	Unanswerable
)

// Error is one sentence about what failed, and one about what to do next.
type Error struct {
	Class Class
	// Hint is the next step, shown on a line of its own; may be empty.
	Hint string
	err  error
}

// Error is the sentence without the hint.
func (e *Error) Error() string { return e.err.Error() }

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.err }

// Failf makes a Failed error with a hint; %w in format keeps the cause.
func Failf(hint, format string, args ...any) error {
	return &Error{Class: Failed, Hint: hint, err: fmt.Errorf(format, args...)}
}

// Usagef makes a Usage error with a hint.
func Usagef(hint, format string, args ...any) error {
	return &Error{Class: Usage, Hint: hint, err: fmt.Errorf(format, args...)}
}

// Unanswerablef makes an Unanswerable error with a hint.
func Unanswerablef(hint, format string, args ...any) error {
	return &Error{Class: Unanswerable, Hint: hint, err: fmt.Errorf(format, args...)}
}

// Of is the outermost hint that err carries, or "".
func Of(err error) string {
	for err != nil {
		var e *Error
		if !errors.As(err, &e) {
			return ""
		}
		if e.Hint != "" {
			return e.Hint
		}
		err = e.err
	}
	return ""
}

// ClassOf is the outermost class that err carries; Failed when it carries none.
func ClassOf(err error) Class {
	var e *Error
	if errors.As(err, &e) {
		return e.Class
	}
	return Failed
}
