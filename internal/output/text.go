package output

import (
	"io"
	"strings"
)

// Texter is a [Document] whose form for people is text rather than a table;
// -o wide stays a table.
type Texter interface {
	// Text is the lines; paint colours a word, or leaves it alone.
	Text(paint func(Tone, string) string) []string
}

func writeText(w io.Writer, o Options, t Texter) error {
	paint := func(tone Tone, s string) string {
		if !o.Color {
			return s
		}
		return tone.paint(s)
	}
	lines := t.Text(paint)
	if len(lines) == 0 {
		return nil
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}
