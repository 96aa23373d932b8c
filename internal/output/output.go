// Package output turns results into bytes: tables for people, JSON and YAML
// for tools. It decides nothing and reads nothing but the result.
package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// APIVersion is the version of every JSON and YAML document that meshctl
// writes. Within it, fields are only added.
const APIVersion = "meshctl.io/v1"

// Format is the value of -o.
type Format string

// The formats that every command with a result has.
const (
	AsTable Format = "table"
	AsWide  Format = "wide"
	AsJSON  Format = "json"
	AsYAML  Format = "yaml"
)

// Formats are the formats that every command with a result has.
func Formats() []Format { return []Format{AsTable, AsWide, AsJSON, AsYAML} }

// Options say how to write; they never change what was computed.
type Options struct {
	Format    Format
	NoHeaders bool
	// Color allows colour; set it only when the writer is a terminal.
	Color bool
	// Stream says that the result is one of many: JSON takes one line, and YAML
	// begins with "---".
	Stream bool
}

// Document is a result that can be written: its JSON form comes from its tags,
// its table form from Tables. Slices in it must not be nil: arrays are never
// null in the output.
type Document interface {
	// DocumentKind is the "kind" of the JSON and YAML document, such as AnalysisReport.
	DocumentKind() string
	// Tables is the result for people; wide asks for more columns.
	Tables(wide bool) []Table
}

// Encoder is a [Document] with formats of its own.
type Encoder interface {
	// Encode writes the document in the format, if it is one of its own.
	Encode(w io.Writer, f Format) (known bool, err error)
}

// Write writes one result in the chosen format.
func Write(w io.Writer, o Options, d Document) error {
	switch o.Format {
	case AsTable, AsWide, "":
		if t, ok := d.(Texter); ok && o.Format != AsWide {
			return writeText(w, o, t)
		}
		for i, t := range d.Tables(o.Format == AsWide) {
			if i > 0 {
				if _, err := io.WriteString(w, "\n"); err != nil {
					return err
				}
			}
			if err := t.write(w, o); err != nil {
				return err
			}
		}
		return nil
	case AsJSON:
		b, err := marshal(d, !o.Stream)
		if err != nil {
			return err
		}
		_, err = w.Write(b)
		return err
	case AsYAML:
		b, err := marshal(d, false)
		if err != nil {
			return err
		}
		y, err := toYAML(b)
		if err != nil {
			return fmt.Errorf("writing %s as yaml: %w", d.DocumentKind(), err)
		}
		if o.Stream {
			y = append([]byte("---\n"), y...)
		}
		_, err = w.Write(y)
		return err
	}
	if e, ok := d.(Encoder); ok {
		if known, err := e.Encode(w, o.Format); known {
			return err
		}
	}
	return fmt.Errorf("unknown format %q: one of %s", o.Format, strings.Join(names(), ", "))
}

// marshal is d as JSON with apiVersion and kind in front, indented or in one line.
func marshal(d Document, indented bool) ([]byte, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(d); err != nil {
		return nil, fmt.Errorf("writing %s as json: %w", d.DocumentKind(), err)
	}
	fields := bytes.TrimSpace(body.Bytes())
	if len(fields) < 2 || fields[0] != '{' {
		return nil, fmt.Errorf("writing %s as json: it is not an object", d.DocumentKind())
	}
	head := fmt.Sprintf(`{"apiVersion":%q,"kind":%q`, APIVersion, d.DocumentKind())
	if len(fields) > 2 {
		head += ","
	}
	whole := append([]byte(head), fields[1:]...)
	if !indented {
		return append(whole, '\n'), nil
	}
	var out bytes.Buffer
	if err := json.Indent(&out, whole, "", "  "); err != nil {
		return nil, fmt.Errorf("writing %s as json: %w", d.DocumentKind(), err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

func names() []string {
	var s []string
	for _, f := range Formats() {
		s = append(s, string(f))
	}
	return s
}
