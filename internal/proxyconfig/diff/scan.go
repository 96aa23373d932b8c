package diff

import (
	"encoding/json"
	"iter"
)

// The walk over JSON text that is known to be well-formed; of other text it
// ends early.

// members are the members of an object.
func members(text []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		i := space(text, 0)
		if i >= len(text) || text[i] != '{' {
			return
		}
		for i = space(text, i+1); i < len(text) && text[i] == '"'; {
			end := valueEnd(text, i)
			name := unquoted(text[i:end])
			i = space(text, end)
			if i >= len(text) || text[i] != ':' {
				return
			}
			i = space(text, i+1)
			end = valueEnd(text, i)
			if end <= i || !yield(name, text[i:end]) {
				return
			}
			if i = space(text, end); i >= len(text) || text[i] != ',' {
				return
			}
			i = space(text, i+1)
		}
	}
}

// member is a member of an object, nil when there is none.
func member(text []byte, name string) []byte {
	for key, value := range members(text) {
		if key == name {
			return value
		}
	}
	return nil
}

// text is the string in a member of an object, "" when there is none.
func text(object []byte, name string) string {
	value := member(object, name)
	if len(value) == 0 || value[0] != '"' {
		return ""
	}
	return unquoted(value)
}

// unquoted is what a string literal says.
func unquoted(literal []byte) string {
	for _, c := range literal {
		if c == '\\' {
			var s string
			_ = json.Unmarshal(literal, &s)
			return s
		}
	}
	if len(literal) < 2 {
		return ""
	}
	return string(literal[1 : len(literal)-1])
}

func space(text []byte, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\n' || text[i] == '\t' || text[i] == '\r') {
		i++
	}
	return i
}

// valueEnd is the index after the value that begins at i.
func valueEnd(text []byte, i int) int {
	depth := 0
	for i < len(text) {
		switch text[i] {
		case '"':
			i = stringEnd(text, i)
			if depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth <= 0 {
				if depth < 0 {
					return i
				}
				return i + 1
			}
		case ',', ' ', '\n', '\t', '\r', ':':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return i
}

func stringEnd(text []byte, i int) int {
	for i++; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}
