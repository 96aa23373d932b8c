package kube

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// editText is a document's text, to be changed in pieces. Whatever it does not
// see through it refuses.
type editText struct{ text []byte }

// replace is the piece that a scalar is written as, and what to write instead.
func (t editText) replace(at target, value any) (start, end int, with string, ok bool) {
	if at.value == nil {
		return 0, 0, "", false
	}
	start, end, ok = t.scalar(at.value)
	with, fits := written(value, at.value.Style)
	return start, end, with, ok && fits
}

// rename is the same for a field's name.
func (t editText) rename(at target, name any) (start, end int, with string, ok bool) {
	if at.key == nil {
		return 0, 0, "", false
	}
	start, end, ok = t.scalar(at.key)
	with, fits := written(name, at.key.Style)
	return start, end, with, ok && fits
}

// insert is the place of a new field: under the object's first one when that
// takes a line, otherwise in front of it.
func (t editText) insert(at target, name, value any) (start, end int, with string, ok bool) {
	if at.key != nil || at.parent == nil {
		return 0, 0, "", false
	}
	fields := at.parent.Content
	quoted := t.isJSON() || len(fields) > 0 && fields[0].Style&yaml.DoubleQuotedStyle != 0
	var style yaml.Style
	if quoted {
		style = yaml.DoubleQuotedStyle
	}
	key, keyFits := written(name, style)
	item, itemFits := written(value, style)
	if !keyFits || !itemFits {
		return 0, 0, "", false
	}
	field := key + ": " + item
	if len(fields) == 0 {
		start, ok = t.offset(at.parent)
		return start, start + 2, "{" + field + "}", ok && bytes.HasPrefix(t.text[start:], []byte("{}"))
	}
	first, ok := t.offset(fields[0])
	if !ok {
		return 0, 0, "", false
	}
	indent := strings.Repeat(" ", fields[0].Column-1)
	if at.parent.Style&yaml.FlowStyle != 0 {
		with = field + ", "
		if t.beginsLine(first) {
			with = field + "," + t.newline() + string(t.text[t.lineStart(first):first])
		}
		return first, first, with, true
	}
	if _, end, isScalar := t.scalar(fields[1]); isScalar && fields[1].Line == fields[0].Line {
		end = t.lineEnd(end)
		return end, end, t.newline() + indent + field, true
	}
	return first, first, field + t.newline() + indent, true
}

// remove is the piece that a field and its value are written as.
func (t editText) remove(at target) (start, end int, ok bool) {
	if at.key == nil || at.next == nil && at.previous == nil {
		return 0, 0, false
	}
	start, ok = t.offset(at.key)
	if !ok {
		return 0, 0, false
	}
	flow := at.parent.Style&yaml.FlowStyle != 0
	if !flow && t.beginsLine(start) {
		return t.lineStart(start), t.blockEnd(start, at.value), true
	}
	if at.next != nil {
		end, ok = t.offset(at.next)
		return start, end, ok && end > start && !bytes.Contains(t.text[start:end], []byte("#"))
	}
	if !flow {
		return 0, 0, false
	}
	end, ok = t.flowEnd(at.value)
	comma := bytes.LastIndexByte(t.text[:start], ',')
	if !ok || comma < 0 || len(bytes.TrimSpace(t.text[comma+1:start])) > 0 {
		return 0, 0, false
	}
	return comma, end, true
}

// scalar is the piece that a scalar of one line is written as.
func (t editText) scalar(n *yaml.Node) (start, end int, ok bool) {
	start, ok = t.offset(n)
	if !ok || n.Kind != yaml.ScalarNode || start >= len(t.text) {
		return 0, 0, false
	}
	switch n.Style {
	case yaml.DoubleQuotedStyle:
		end, ok = t.quoteEnd(start, '"')
	case yaml.SingleQuotedStyle:
		end, ok = t.quoteEnd(start, '\'')
	case 0:
		end, ok = start+len(n.Value), n.Value != "" && bytes.HasPrefix(t.text[start:], []byte(n.Value))
	default:
		ok = false
	}
	return start, end, ok
}

// quoteEnd is the offset behind the quote that ends the text at start.
func (t editText) quoteEnd(start int, quote byte) (int, bool) {
	if t.text[start] != quote {
		return 0, false
	}
	for i := start + 1; i < len(t.text) && t.text[i] != '\n'; i++ {
		switch c := t.text[i]; {
		case c == '\\' && quote == '"':
			i++
		case c == quote && quote == '\'' && i+1 < len(t.text) && t.text[i+1] == quote:
			i++
		case c == quote:
			return i + 1, true
		}
	}
	return 0, false
}

// flowEnd is the offset behind a value in braces, or a scalar.
func (t editText) flowEnd(n *yaml.Node) (int, bool) {
	if n.Kind == yaml.ScalarNode {
		_, end, ok := t.scalar(n)
		return end, ok
	}
	start, ok := t.offset(n)
	depth := 0
	for i := start; ok && i < len(t.text); i++ {
		switch c := t.text[i]; c {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1, true
			}
		case '"', '\'':
			end, closed := t.quoteEnd(i, c)
			if !closed {
				return 0, false
			}
			i = end - 1
		case '#':
			return 0, false
		}
	}
	return 0, false
}

// blockEnd is the offset of the line after the field that begins at start: its
// value takes the lines that are indented deeper, and a list's items may not be.
func (t editText) blockEnd(start int, value *yaml.Node) int {
	indent := start - t.lineStart(start)
	end := t.nextLine(start)
	for at := end; at < len(t.text); at = t.nextLine(at) {
		line := bytes.TrimRight(t.text[at:t.lineEnd(at)], " \r\t")
		body := bytes.TrimLeft(line, " ")
		if len(body) == 0 {
			continue
		}
		deep := len(line) - len(body)
		if deep < indent || deep == indent && (value.Kind != yaml.SequenceNode || body[0] != '-') {
			break
		}
		end = t.nextLine(at)
	}
	return end
}

// offset is where a node begins.
func (t editText) offset(n *yaml.Node) (int, bool) {
	at := 0
	for range n.Line - 1 {
		next := bytes.IndexByte(t.text[at:], '\n')
		if next < 0 {
			return 0, false
		}
		at += next + 1
	}
	for range n.Column - 1 {
		if at >= len(t.text) || t.text[at] == '\n' {
			return 0, false
		}
		_, size := utf8.DecodeRune(t.text[at:])
		at += size
	}
	return at, true
}

func (t editText) lineStart(at int) int { return bytes.LastIndexByte(t.text[:at], '\n') + 1 }

// lineEnd is the offset of the line's end, before its line break.
func (t editText) lineEnd(at int) int {
	end := bytes.IndexByte(t.text[at:], '\n')
	if end < 0 {
		return len(t.text)
	}
	if end += at; end > at && t.text[end-1] == '\r' {
		end--
	}
	return end
}

func (t editText) nextLine(at int) int {
	if end := bytes.IndexByte(t.text[at:], '\n'); end >= 0 {
		return at + end + 1
	}
	return len(t.text)
}

func (t editText) beginsLine(at int) bool {
	return len(bytes.TrimLeft(t.text[t.lineStart(at):at], " \t")) == 0
}

// newline is how the document ends its lines.
func (t editText) newline() string {
	if end := bytes.IndexByte(t.text, '\n'); end > 0 && t.text[end-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

func (t editText) isJSON() bool {
	trimmed := bytes.TrimSpace(t.text)
	return len(trimmed) > 0 && trimmed[0] == '{'
}

// written is a value in the style of the one whose place it takes.
func written(value any, style yaml.Style) (string, bool) {
	text, isText := value.(string)
	switch {
	case isText && style == yaml.SingleQuotedStyle && !strings.ContainsAny(text, "\n\r"):
		return "'" + strings.ReplaceAll(text, "'", "''") + "'", true
	case isText && style != yaml.DoubleQuotedStyle && isPlain(text):
		return text, true
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return "", false
	}
	return strings.TrimSpace(b.String()), true
}

// isPlain says whether a text can do without quotes anywhere.
func isPlain(text string) bool {
	if strings.ContainsAny(text, "\n\r\t") {
		return false
	}
	d := document{text: fmt.Appendf(nil, "[%s]", text)}
	value, err := d.decode()
	list, isList := value.([]any)
	return err == nil && isList && len(list) == 1 && list[0] == text
}
