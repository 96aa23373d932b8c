package output

import (
	"bytes"
	"strings"
)

// Dumps have tables of tens of thousands of rows. Where every letter is as wide
// as any other, padding them takes a twentieth of the library's time.

// plain says whether all cells are printable ASCII in one line.
func (t Table) plain() bool {
	for _, cell := range t.Columns {
		if !ascii(cell) {
			return false
		}
	}
	for _, row := range t.Rows {
		if len(row) > len(t.Columns) {
			return false
		}
		for _, cell := range row {
			if !ascii(cell) {
				return false
			}
		}
	}
	return true
}

func ascii(cell string) bool {
	for i := range len(cell) {
		if cell[i] < ' ' || cell[i] > '~' {
			return false
		}
	}
	return true
}

// padded writes the grid with two spaces between columns.
func (t Table) padded(b *bytes.Buffer, o Options) {
	widths := make([]int, len(t.Columns))
	measure := func(row []string) {
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell))
		}
	}
	if !o.NoHeaders {
		measure(t.Columns)
	}
	for _, row := range t.Rows {
		measure(row)
	}
	widest := 0
	for _, w := range widths {
		widest = max(widest, w)
	}
	blank := strings.Repeat(" ", widest+2)
	line := func(row []string) {
		from := b.Len()
		for i, cell := range row {
			b.WriteString(cell)
			b.WriteString(blank[:widths[i]-len(cell)+2])
		}
		b.Truncate(from + len(bytes.TrimRight(b.Bytes()[from:], " ")))
		b.WriteByte('\n')
	}
	if !o.NoHeaders {
		line(t.Columns)
	}
	for _, row := range t.Rows {
		line(row)
	}
}
