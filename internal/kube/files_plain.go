package kube

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// decodePlain reads the YAML that nearly all manifests are written in: block
// mappings and lists, scalars on one line, flow collections on one line. It is
// several times faster than the library and must agree with it: whatever it is
// not sure of, a mistake included, it leaves to the library by ok false.
// FuzzPlain compares the two.
func decodePlain(text string) (value any, ok bool) {
	p := plain{text: text}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c >= 0x20 && c < 0x7f, c == '\n':
		case c == '\r' && i+1 < len(text) && text[i+1] == '\n':
		default:
			return nil, false // tabs, controls, and line breaks that only YAML knows
		}
	}
	p.next()
	if !p.end && p.indent == 0 && p.line == "---" {
		p.next()
	}
	if p.end {
		return nil, false
	}
	if p.isItem() {
		value = p.list(p.indent)
	} else {
		value = p.mapping(p.indent)
	}
	return value, !p.failed && p.end
}

// plain reads line by line; line is the present one without indentation,
// comment and trailing space.
type plain struct {
	text   string
	at     int // where the line after the present one begins
	line   string
	indent int
	end    bool
	failed bool
	depth  int
}

// next goes to the next line that has content.
func (p *plain) next() {
	for p.at < len(p.text) {
		end := strings.IndexByte(p.text[p.at:], '\n')
		line := p.text[p.at:]
		if end >= 0 {
			line = line[:end]
			p.at += end + 1
		} else {
			p.at = len(p.text)
		}
		indent := 0
		for indent < len(line) && line[indent] == ' ' {
			indent++
		}
		line = strings.TrimRight(line[indent:], " \r")
		if line == "" || line[0] == '#' {
			continue
		}
		p.line, p.indent = line, indent
		return
	}
	p.line, p.indent, p.end = "", -1, true
}

func (p *plain) fail() any {
	p.failed, p.end, p.line, p.indent = true, true, "", -1
	return nil
}

// isItem says whether the line is an item of a list.
func (p *plain) isItem() bool {
	return p.line == "-" || strings.HasPrefix(p.line, "- ")
}

// mapping reads the fields whose names stand at an indentation.
func (p *plain) mapping(indent int) any {
	if p.depth++; p.depth > 100 {
		return p.fail()
	}
	m := make(map[string]any, 4)
	for !p.end && p.indent == indent && !p.isItem() {
		key, rest, ok := cutKey(p.line)
		if !ok {
			return p.fail()
		}
		if _, twice := m[key]; twice {
			return p.fail()
		}
		if rest != "" {
			m[key] = p.scalarLine(rest, indent)
			continue
		}
		p.next()
		switch {
		case p.end:
			m[key] = nil
		case p.indent > indent && p.isItem():
			m[key] = p.list(p.indent)
		case p.indent > indent:
			m[key] = p.mapping(p.indent)
		case p.indent == indent && p.isItem():
			m[key] = p.list(indent)
		default:
			m[key] = nil
		}
	}
	if p.indent > indent {
		return p.fail()
	}
	p.depth--
	return m
}

// list reads the items whose dashes stand at an indentation.
func (p *plain) list(indent int) any {
	if p.depth++; p.depth > 100 {
		return p.fail()
	}
	items := []any{}
	for !p.end && p.indent == indent && p.isItem() {
		rest := strings.TrimLeft(p.line[1:], " ")
		if rest == "" || rest[0] == '#' {
			p.next()
			switch {
			case p.end || p.indent <= indent:
				items = append(items, nil)
			case p.isItem():
				items = append(items, p.list(p.indent))
			default:
				items = append(items, p.mapping(p.indent))
			}
			continue
		}
		inner := indent + len(p.line) - len(rest)
		if rest == "-" || strings.HasPrefix(rest, "- ") {
			p.line, p.indent = rest, inner
			items = append(items, p.list(inner))
			continue
		}
		if _, _, isKey := cutKey(rest); isKey {
			p.line, p.indent = rest, inner
			items = append(items, p.mapping(inner))
			continue
		}
		items = append(items, p.scalarLine(rest, indent))
	}
	if p.indent > indent {
		return p.fail()
	}
	p.depth--
	return items
}

// scalarLine reads a value that ends with its line, and goes to the next one,
// which must not belong to the value.
func (p *plain) scalarLine(text string, indent int) any {
	f := flow{text: text}
	v := f.value(false)
	if f.failed || !f.atEnd() {
		return p.fail()
	}
	p.next()
	if p.indent > indent {
		return p.fail()
	}
	return v
}

// cutKey splits a line into a field's name and what follows its colon.
func cutKey(line string) (key, rest string, ok bool) {
	at := 0
	if quote := line[0]; quote == '"' || quote == '\'' {
		end := strings.IndexByte(line[1:], quote)
		if end < 0 {
			return "", "", false
		}
		key, at = line[1:end+1], end+2
		if strings.IndexByte(key, '\\') >= 0 || at >= len(line) || line[at] != ':' {
			return "", "", false
		}
	} else {
		for at < len(line) && keyByte(line[at]) {
			at++
		}
		key = line[:at]
	}
	if at == 0 || at > 512 || at >= len(line) || line[at] != ':' || at+1 < len(line) && line[at+1] != ' ' {
		return "", "", false
	}
	rest = strings.TrimLeft(line[at+1:], " ")
	if rest != "" && rest[0] == '#' {
		rest = ""
	}
	// A dash in front is a name only with more behind it: leave it to the library.
	return key, rest, line[0] != '-'
}

func keyByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' || c == '/'
}

// plainScalar is what a scalar without quotes means.
func plainScalar(s string) (any, bool) {
	if s == "" {
		return nil, false
	}
	switch c := s[0]; {
	case c == '.' || c == '+' || c == '-' || c == '~' || c >= '0' && c <= '9':
		if n, err := strconv.ParseInt(s, 10, 64); err == nil && (len(s) == 1 && c != '-' || c >= '1' && c <= '9') {
			return n, true
		}
	case len(s) > 5 || strings.IndexByte("tTfFyYnNoO", c) < 0 || !isWord(s):
		return s, true
	}
	n := yaml.Node{Kind: yaml.ScalarNode, Value: s}
	n.Tag = n.ShortTag()
	v, err := scalar(&n)
	return v, err == nil
}

// isWord says whether a text of up to five letters may be more to YAML than a text.
func isWord(s string) bool {
	var lower [5]byte
	for i := range len(s) {
		lower[i] = s[i] | 0x20
	}
	switch string(lower[:len(s)]) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return true
	}
	return false
}
