package kube

import "strings"

// flow reads one value on one line.
type flow struct {
	text   string
	at     int
	failed bool
	depth  int
}

func (f *flow) fail() any {
	f.failed, f.at = true, len(f.text)
	return nil
}

// atEnd says whether nothing but a comment follows.
func (f *flow) atEnd() bool {
	rest := f.text[f.at:]
	trimmed := strings.TrimLeft(rest, " ")
	return trimmed == "" || trimmed[0] == '#' && len(trimmed) < len(rest)
}

func (f *flow) space() {
	for f.at < len(f.text) && f.text[f.at] == ' ' {
		f.at++
	}
}

func (f *flow) value(inside bool) any {
	if f.depth++; f.depth > 50 {
		return f.fail()
	}
	defer func() { f.depth-- }()
	if f.at >= len(f.text) {
		return f.fail()
	}
	switch f.text[f.at] {
	case '[':
		return f.list()
	case '{':
		return f.mapping()
	case '"', '\'':
		s, ok := f.quoted()
		if !ok {
			return f.fail()
		}
		return s
	}
	return f.bare(inside)
}

// quoted reads a quoted text without escapes.
func (f *flow) quoted() (string, bool) {
	quote := f.text[f.at]
	end := strings.IndexByte(f.text[f.at+1:], quote)
	if end < 0 {
		return "", false
	}
	s := f.text[f.at+1 : f.at+1+end]
	f.at += end + 2
	if quote == '"' && strings.IndexByte(s, '\\') >= 0 {
		return "", false
	}
	if f.at < len(f.text) && strings.IndexByte(" ,]}:", f.text[f.at]) < 0 {
		return "", false // a doubled quote, or what is no YAML
	}
	return s, true
}

// bare reads a scalar without quotes: inside a flow collection up to the next
// mark, otherwise up to a comment.
func (f *flow) bare(inside bool) any {
	start := f.at
	if c := f.text[start]; !keyByte(c) && c != '~' || c == '-' && (start+1 == len(f.text) || !keyByte(f.text[start+1]) || f.text[start+1] == '-') {
		return f.fail()
	}
	for f.at < len(f.text) {
		c := f.text[f.at]
		if inside && (c == ',' || c == ']' || c == '}') {
			break
		}
		if inside && (c == '[' || c == '{' || c == ':' || c == '#' || c == '"' || c == '\'' || c == '?') {
			return f.fail()
		}
		if c == ':' && (f.at+1 == len(f.text) || f.text[f.at+1] == ' ') {
			return f.fail()
		}
		if c == '#' && f.text[f.at-1] == ' ' {
			break
		}
		f.at++
	}
	v, ok := plainScalar(strings.TrimRight(f.text[start:f.at], " "))
	if !ok {
		return f.fail()
	}
	return v
}

func (f *flow) list() any {
	items := []any{}
	f.at++
	for {
		f.space()
		if f.at < len(f.text) && f.text[f.at] == ']' {
			f.at++
			return items
		}
		items = append(items, f.value(true))
		if !f.separator(']') {
			return f.fail()
		}
	}
}

// separator goes over a comma, or stops before the closing mark.
func (f *flow) separator(closing byte) bool {
	f.space()
	if f.failed || f.at >= len(f.text) {
		return false
	}
	if f.text[f.at] == ',' {
		f.at++
		return true
	}
	return f.text[f.at] == closing
}

func (f *flow) mapping() any {
	m := make(map[string]any, 4)
	f.at++
	for {
		f.space()
		if f.at < len(f.text) && f.text[f.at] == '}' {
			f.at++
			return m
		}
		key, ok := f.key()
		if _, twice := m[key]; !ok || twice {
			return f.fail()
		}
		f.space()
		m[key] = f.value(true)
		if !f.separator('}') {
			return f.fail()
		}
	}
}

// key reads a field's name with its colon and the space after it.
func (f *flow) key() (string, bool) {
	if f.at >= len(f.text) {
		return "", false
	}
	key := ""
	if c := f.text[f.at]; c == '"' || c == '\'' {
		s, ok := f.quoted()
		if !ok {
			return "", false
		}
		key = s
	} else {
		start := f.at
		for f.at < len(f.text) && keyByte(f.text[f.at]) {
			f.at++
		}
		key = f.text[start:f.at]
		if key == "" || key[0] == '-' {
			return "", false
		}
	}
	if f.at+1 >= len(f.text) || f.text[f.at] != ':' || f.text[f.at+1] != ' ' {
		return "", false
	}
	f.at++
	return key, true
}
