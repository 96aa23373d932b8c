package kube

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/meshctl/meshctl/internal/mesh"
)

// jsonText finds values in JSON that was decoded before, and is valid.
type jsonText struct {
	text string
	at   int
}

// concatenated are the values of a document that holds several JSON values
// with nothing between, as jq and kubectl print them; otherwise nil.
func (d *document) concatenated() []*document {
	trimmed := bytes.TrimLeft(d.text, " \t\r\n")
	between := func(mark string) bool { return bytes.Contains(trimmed, []byte(mark)) }
	if len(trimmed) == 0 || trimmed[0] != '{' || !slices.ContainsFunc([]string{"}\n{", "}{", "}\r\n{", "} {"}, between) {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(d.text))
	var parts []*document
	end, at := 0, spot{line: d.line, column: d.column + 1}
	for {
		var one json.RawMessage
		if err := dec.Decode(&one); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil
		}
		if len(parts) == 0 && len(bytes.TrimSpace(d.text[dec.InputOffset():])) == 0 {
			return nil
		}
		start := int(dec.InputOffset()) - len(one)
		at = at.advance(textOf(d.text), start)
		end = int(dec.InputOffset())
		parts = append(parts, &document{path: d.path, line: at.line, column: at.column - 1, text: d.text[start:end]})
	}
	return parts
}

// spot is a place in a text: its byte, line and column, the latter from 1.
type spot struct{ at, line, column int }

// advance is the spot of a later byte of the text.
func (s spot) advance(text string, to int) spot {
	for s.at < to {
		if text[s.at] == '\n' {
			s.line, s.column = s.line+1, 0
		}
		_, size := utf8.DecodeRuneInString(text[s.at:])
		s.at += size
		s.column++
	}
	return s
}

func (j *jsonText) space() byte {
	for j.at < len(j.text) {
		switch j.text[j.at] {
		case ' ', '\t', '\r', '\n', ',', ':':
			j.at++
		default:
			return j.text[j.at]
		}
	}
	return 0
}

// skip goes over one value.
func (j *jsonText) skip() {
	depth := 0
	for j.at < len(j.text) {
		switch j.space() {
		case '{', '[':
			depth++
			j.at++
		case '}', ']':
			depth--
			j.at++
		case '"':
			j.string()
		default:
			for j.at < len(j.text) && !jsonMark(j.text[j.at]) {
				j.at++
			}
		}
		if depth <= 0 {
			return
		}
	}
}

func jsonMark(c byte) bool {
	switch c {
	case ' ', '\t', '\r', '\n', ',', ':', '}', ']', '{', '[', '"':
		return true
	}
	return false
}

// string goes over a text and is it, with its quotes and escapes.
func (j *jsonText) string() string {
	start := j.at
	for j.at++; j.at < len(j.text); j.at++ {
		switch j.text[j.at] {
		case '\\':
			j.at++
		case '"':
			j.at++
			return j.text[start:j.at]
		}
	}
	return j.text[start:]
}

// into goes to the value at a step below the value where j stands; key is
// where it is named, which of a list's item is itself. Of a name that stands
// there twice the last counts, as for the decoder.
func (j *jsonText) into(step any) (key int, ok bool) {
	switch step := step.(type) {
	case string:
		if j.space() != '{' {
			return 0, false
		}
		value := -1
		for j.at++; j.space() == '"'; {
			start := j.at
			name, err := strconv.Unquote(j.string())
			if err != nil {
				name = ""
			}
			if j.space(); name == step {
				key, value = start, j.at
			}
			j.skip()
		}
		if j.at = value; value < 0 {
			return 0, false
		}
		return key, true
	case int:
		if j.space() != '[' {
			return 0, false
		}
		j.at++
		for i := 0; ; i++ {
			if c := j.space(); c == ']' || c == 0 {
				return 0, false
			}
			if i == step {
				return j.at, true
			}
			j.skip()
		}
	}
	return 0, false
}

// locateJSON is [locate] for JSON: the spot to point at for a path below the
// value at from.
func locateJSON(text string, from spot, path mesh.Path, key bool) spot {
	j := &jsonText{text: text, at: from.at}
	j.space()
	named := j.at
	for _, step := range path {
		next, ok := j.into(step)
		if !ok {
			return from.advance(text, named)
		}
		named = next
	}
	if c := j.space(); !key && c != '{' && c != '[' && !emptyJSON(text[j.at:]) {
		named = j.at
	}
	return from.advance(text, named)
}

// emptyJSON says whether a value is null or an empty text: its name says more.
func emptyJSON(value string) bool {
	return len(value) >= 2 && value[:2] == `""` || len(value) >= 4 && value[:4] == "null"
}

// jsonItems are the spots of a list's items in a text of JSON that begins at s.
func jsonItems(text string, s spot) []spot {
	var items []spot
	j := &jsonText{text: text}
	if _, ok := j.into("items"); !ok || j.space() != '[' {
		return nil
	}
	for j.at++; ; {
		if c := j.space(); c == ']' || c == 0 {
			return items
		}
		s = s.advance(text, j.at)
		items = append(items, s)
		j.skip()
	}
}
