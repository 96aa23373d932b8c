package ui

import "github.com/fatih/color"

// Style colours text, or leaves it alone where colour is off.
type Style struct{ on bool }

// Style is the style of the talk on stderr.
func (s *IO) Style() Style { return Style{on: s.ErrColor()} }

func (s Style) paint(text string, attrs ...color.Attribute) string {
	if !s.on {
		return text
	}
	c := color.New(attrs...)
	c.EnableColor()
	return c.Sprint(text)
}

// Good is green text.
func (s Style) Good(text string) string { return s.paint(text, color.FgGreen) }

// Warn is yellow text.
func (s Style) Warn(text string) string { return s.paint(text, color.FgYellow) }

// Bad is bold red text.
func (s Style) Bad(text string) string { return s.paint(text, color.FgRed, color.Bold) }

// Strong is bold text.
func (s Style) Strong(text string) string { return s.paint(text, color.Bold) }

// Faint is dimmed text.
func (s Style) Faint(text string) string { return s.paint(text, color.Faint) }
