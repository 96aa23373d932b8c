package trace

import (
	"bytes"
	"encoding/json"
)

// member is the value that names lead to in an object, without decoding the
// rest; nil when there is none. A member may come anywhere, the first counts.
func member(text json.RawMessage, names ...string) json.RawMessage {
	for _, name := range names {
		if text = memberOf(text, name); text == nil {
			return nil
		}
	}
	return text
}

func memberOf(text []byte, name string) json.RawMessage {
	i := space(text, 0)
	if i >= len(text) || text[i] != '{' {
		return nil
	}
	for i = space(text, i+1); i < len(text) && text[i] == '"'; {
		keyEnd := valueEnd(text, i)
		key := text[i+1 : max(i+1, keyEnd-1)]
		i = space(text, keyEnd)
		if i >= len(text) || text[i] != ':' {
			return nil
		}
		start := space(text, i+1)
		end := valueEnd(text, start)
		if string(key) == name {
			return text[start:end]
		}
		if i = space(text, end); i < len(text) && text[i] == ',' {
			i = space(text, i+1)
		}
	}
	return nil
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
		switch c := text[i]; c {
		case '"':
			i = stringEnd(text, i)
			if depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return i + 1
			}
			if depth < 0 {
				return i
			}
		case ',', ' ', '\n', '\t', '\r':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return len(text)
}

// stringEnd is the index after the string that begins at i.
func stringEnd(text []byte, i int) int {
	for i++; i < len(text); {
		next := bytes.IndexByte(text[i:], '"')
		if next < 0 {
			return len(text)
		}
		end := i + next
		slashes := 0
		for end-slashes-1 >= i && text[end-slashes-1] == '\\' {
			slashes++
		}
		i = end + 1
		if slashes%2 == 0 {
			return i
		}
	}
	return len(text)
}

// textOf is a JSON string's value; "" for anything else.
func textOf(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}
