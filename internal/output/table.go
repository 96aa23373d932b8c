package output

import (
	"bytes"
	"io"

	"github.com/fatih/color"
	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// Table is a result as a person reads it: kubectl's look, upper-case headers,
// two spaces between columns, no borders.
type Table struct {
	// Title stands on a line of its own above the table when it is not empty.
	Title   string
	Columns []string
	Rows    [][]string
	// Empty is the sentence that replaces a table without rows; without it
	// only the headers are written.
	Empty string
	// Tone chooses how a cell is coloured on a terminal; nil means plain.
	Tone func(column int, cell string) Tone
	// After is text below the table, one line each.
	After []string
}

// Tone is the meaning of a cell's colour.
type Tone int

// The tones a cell can have.
const (
	Plain Tone = iota
	Good
	Warn
	Bad
	Faint
)

func (t Tone) paint(s string) string {
	var c *color.Color
	switch t {
	case Good:
		c = color.New(color.FgGreen)
	case Warn:
		c = color.New(color.FgYellow)
	case Bad:
		c = color.New(color.FgRed, color.Bold)
	case Faint:
		c = color.New(color.Faint)
	default:
		return s
	}
	c.EnableColor()
	return c.Sprint(s)
}

func (t Table) write(w io.Writer, o Options) error {
	var b bytes.Buffer
	if t.Title != "" {
		b.WriteString(t.Title + "\n")
	}
	switch {
	case len(t.Rows) == 0 && t.Empty != "":
		b.WriteString(t.Empty + "\n")
	case len(t.Columns) > 0:
		if err := t.grid(&b, o); err != nil {
			return err
		}
	}
	for _, line := range t.After {
		b.WriteString(line + "\n")
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (t Table) grid(b *bytes.Buffer, o Options) error {
	if (t.Tone == nil || !o.Color) && t.plain() {
		t.padded(b, o)
		return nil
	}
	return t.drawn(b, o)
}

// drawn is the grid as the library lays it out, which knows how wide colours
// and letters of all scripts are.
func (t Table) drawn(b *bytes.Buffer, o Options) error {
	var raw bytes.Buffer
	table := tablewriter.NewTable(&raw,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders: tw.BorderNone,
			Settings: tw.Settings{
				Separators: tw.Separators{BetweenRows: tw.Off, BetweenColumns: tw.Off, ShowHeader: tw.Off, ShowFooter: tw.Off},
				Lines:      tw.LinesNone,
			},
		})),
		tablewriter.WithConfig(tablewriter.Config{
			Header: tw.CellConfig{
				Formatting: tw.CellFormatting{AutoFormat: tw.Off, AutoWrap: tw.WrapNone},
				Alignment:  tw.CellAlignment{Global: tw.AlignLeft},
				Padding:    tw.CellPadding{Global: tw.Padding{Right: "  ", Overwrite: true}},
			},
			Row: tw.CellConfig{
				Formatting: tw.CellFormatting{AutoWrap: tw.WrapNone},
				Alignment:  tw.CellAlignment{Global: tw.AlignLeft},
				Padding:    tw.CellPadding{Global: tw.Padding{Right: "  ", Overwrite: true}},
			},
			Behavior: tw.Behavior{TrimSpace: tw.Off},
		}),
	)
	if !o.NoHeaders {
		table.Header(t.Columns)
	}
	for _, row := range t.Rows {
		if err := table.Append(t.cells(row, o)); err != nil {
			return err
		}
	}
	if err := table.Render(); err != nil {
		return err
	}
	for line := range bytes.Lines(raw.Bytes()) {
		b.Write(bytes.TrimRight(line, " \n"))
		b.WriteByte('\n')
	}
	return nil
}

func (t Table) cells(row []string, o Options) []string {
	if t.Tone == nil || !o.Color {
		return row
	}
	painted := make([]string, len(row))
	for i, cell := range row {
		painted[i] = t.Tone(i, cell).paint(cell)
	}
	return painted
}
