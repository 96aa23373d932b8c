package ui

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
)

// ErrNoTerminal is returned by Confirm where nobody can answer.
var ErrNoTerminal = errors.New("there is no terminal to ask on")

// Confirm asks a yes-or-no question on stderr; anything but y or yes is no.
// It never asks without a terminal: then it returns ErrNoTerminal. It gives up
// when ctx ends.
func (s *IO) Confirm(ctx context.Context, question string) (bool, error) {
	if !s.InTTY {
		return false, ErrNoTerminal
	}
	fmt.Fprintf(s.Err, "%s [y/N] ", question)
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(s.In).ReadString('\n')
		answer <- line
	}()
	select {
	case line := <-answer:
		line = strings.ToLower(strings.TrimSpace(line))
		return line == "y" || line == "yes", nil
	case <-ctx.Done():
		fmt.Fprintln(s.Err)
		return false, ctx.Err()
	}
}
