// Package ui talks to the person: streams, style, progress, prompts and the
// browser. Everything but the result itself goes to stderr.
package ui

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// IO is where a command reads and writes. Out carries results and nothing
// else; Err carries progress, warnings, hints and prompts.
type IO struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
	// InTTY, OutTTY and ErrTTY say whether the stream is a terminal.
	InTTY, OutTTY, ErrTTY bool
	// Color allows colour on a terminal; see [IO.OutColor].
	Color bool
	// Quiet drops progress, not warnings or hints.
	Quiet bool

	// outSize is the size of the terminal behind Out, which may be wrapped; nil
	// when there is none.
	outSize func() (width, height int)
}

// System is the IO of the process.
func System() *IO {
	return &IO{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InTTY:  term.IsTerminal(int(os.Stdin.Fd())),
		OutTTY: term.IsTerminal(int(os.Stdout.Fd())),
		ErrTTY: term.IsTerminal(int(os.Stderr.Fd())),
		Color:  os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
		outSize: func() (int, int) {
			width, height, err := term.GetSize(int(os.Stdout.Fd()))
			if err != nil {
				return 0, 0
			}
			return width, height
		},
	}
}

// OutColor says whether results may be coloured.
func (s *IO) OutColor() bool { return s.Color && s.OutTTY }

// ErrColor says whether talk may be coloured.
func (s *IO) ErrColor() bool { return s.Color && s.ErrTTY }

// Errf writes a line of talk.
func (s *IO) Errf(format string, args ...any) {
	fmt.Fprintf(s.Err, format+"\n", args...)
}

// Warnf writes a warning line.
func (s *IO) Warnf(format string, args ...any) {
	s.Errf("%s "+format, append([]any{s.Style().Warn("warning:")}, args...)...)
}

// Error writes an error and, on a line of its own, its hint.
func (s *IO) Error(err error, hint string) {
	s.Errf("%s %s", s.Style().Bad("error:"), err)
	if hint != "" {
		s.Errf("%s %s", s.Style().Strong("hint:"), hint)
	}
}
