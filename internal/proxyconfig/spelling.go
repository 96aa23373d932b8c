package proxyconfig

import "bytes"

// Envoy spells the fields of its dumps like_this, istiod and istioctl likeThis.
// Decoding knows only Envoy's spelling.

// snakeName is a field's name as Envoy spells it.
func snakeName(name string) string {
	for i := range len(name) {
		if 'A' <= name[i] && name[i] <= 'Z' {
			return string(appendSnake(nil, []byte(name)))
		}
	}
	return name
}

// camelName is a field's name as istiod spells it.
func camelName(name string) string {
	out := make([]byte, 0, len(name))
	for i := 0; i < len(name); i++ {
		if name[i] == '_' && i+1 < len(name) && i > 0 {
			i++
			out = append(out, bytes.ToUpper([]byte{name[i]})...)
			continue
		}
		out = append(out, name[i])
	}
	return string(out)
}

// appendSnakeKeys appends text with all members of all objects in Envoy's spelling.
func appendSnakeKeys(out, text []byte) []byte {
	for i := 0; i < len(text); {
		next := bytes.IndexByte(text[i:], '"')
		if next < 0 {
			return append(out, text[i:]...)
		}
		out = append(out, text[i:i+next]...)
		i += next
		end := stringEnd(text, i)
		if isKey(text, end) {
			out = appendSnake(out, text[i:end])
		} else {
			out = append(out, text[i:end]...)
		}
		i = end
	}
	return out
}

// stringEnd is the index after the string literal that begins at start.
func stringEnd(text []byte, start int) int {
	i := start + 1
	for i < len(text) {
		end := bytes.IndexByte(text[i:], '"')
		if end < 0 {
			return len(text)
		}
		back := bytes.IndexByte(text[i:i+end], '\\')
		if back < 0 {
			return i + end + 1
		}
		i += back + 2
	}
	return len(text)
}

// isKey says whether the string literal that ends before end is a member's name.
func isKey(text []byte, end int) bool {
	end = blank(text, end)
	return end < len(text) && text[end] == ':'
}

// appendSnake appends a name, in quotes or not. One that begins with a capital
// is none of Envoy's, but that of a variable.
func appendSnake(out, name []byte) []byte {
	if first := bytes.TrimLeft(name, `"`); len(first) > 0 && 'A' <= first[0] && first[0] <= 'Z' {
		return append(out, name...)
	}
	for i, c := range name {
		switch {
		case 'A' <= c && c <= 'Z':
			out = append(out, '_', c+'a'-'A')
		case c == '5' && i > 1 && bytes.HasPrefix(name[i:], []byte("5xx")): // consecutive_5xx
			out = append(out, '_', c)
		default:
			out = append(out, c)
		}
	}
	return out
}
