package ui

import (
	"fmt"
	"strings"
)

// Screen draws one text over another on the terminal of the result.
type Screen struct {
	io    *IO
	begun bool
	// size is the terminal's, in characters; zero when it is not known.
	size func() (width, height int)
}

// Screen is the terminal that results go to. Use it when OutTTY is true.
func (s *IO) Screen() *Screen {
	size := s.outSize
	if size == nil {
		size = func() (int, int) { return 0, 0 }
	}
	return &Screen{io: s, size: size}
}

// The sequences of every terminal that is not dumb: clear all; go to the top;
// clear to the end of the line, of the screen; cut lines that are too long, or
// wrap them.
const (
	clearAll    = "\x1b[2J"
	toTop       = "\x1b[H"
	clearLine   = "\x1b[K"
	clearBelow  = "\x1b[J"
	cutLines    = "\x1b[?7l"
	wrapLines   = "\x1b[?7h"
	belowScreen = 2 // lines for what does not fit, and for the cursor
)

// Draw replaces what was drawn before. What does not fit is counted.
func (s *Screen) Draw(text string) {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if _, height := s.size(); height > belowScreen && len(lines) > height-1 {
		more := len(lines) - (height - belowScreen)
		lines = append(lines[:height-belowScreen:height-belowScreen], fmt.Sprintf("... and %d more lines", more))
	}
	var b strings.Builder
	if !s.begun {
		b.WriteString(clearAll)
		s.begun = true
	}
	b.WriteString(toTop + cutLines)
	for _, line := range lines {
		b.WriteString(line + clearLine + "\r\n")
	}
	b.WriteString(clearBelow + wrapLines)
	fmt.Fprint(s.io.Out, b.String())
}
