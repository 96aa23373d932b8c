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

// snakeKeys is text with all members of all objects in Envoy's spelling.
func snakeKeys(text []byte) []byte {
	out := make([]byte, 0, len(text)+len(text)/32)
	for i := 0; i < len(text); {
		if text[i] != '"' {
			out = append(out, text[i])
			i++
			continue
		}
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
	for i := start + 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// isKey says whether the string literal that ends before end is a member's name.
func isKey(text []byte, end int) bool {
	rest := bytes.TrimLeft(text[end:], " \t\r\n")
	return len(rest) > 0 && rest[0] == ':'
}

func appendSnake(out, name []byte) []byte {
	for _, c := range name {
		if 'A' <= c && c <= 'Z' {
			out = append(out, '_', c+'a'-'A')
		} else {
			out = append(out, c)
		}
	}
	return out
}
