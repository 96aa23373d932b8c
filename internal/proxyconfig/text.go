package proxyconfig

// What is in memory is walked in place: these find the parts of one value
// without decoding any. They take text whose brackets match, which the scanner
// has seen to; on anything else they end early, and what decodes says why.

// valueEnd is the index after the value that begins at start.
func valueEnd(text []byte, start int) int {
	var p passer
	n, _ := p.pass(text[start:])
	return start + n
}

// blank is the index of the first byte at or after i that is not white space.
func blank(text []byte, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\n' || text[i] == '\t' || text[i] == '\r') {
		i++
	}
	return i
}

// members calls see for every member of an object: its name as it is written,
// without quotes, and where its value is. It returns the index after the object.
func members(text []byte, start int, see func(name []byte, from int) (end int)) int {
	i := start + 1
	for {
		i = blank(text, i)
		if i < len(text) && text[i] == ',' {
			i = blank(text, i+1)
		}
		if i >= len(text) || text[i] != '"' {
			return min(i+1, len(text))
		}
		after := stringEnd(text, i)
		name := text[i+1 : max(i+1, after-1)]
		if i = blank(text, after); i >= len(text) || text[i] != ':' {
			return len(text)
		}
		if i = blank(text, i+1); i >= len(text) {
			return i
		}
		next := see(name, i)
		if next <= i {
			return len(text)
		}
		i = next
	}
}

// items calls see for every item of an array. It returns the index after the array.
func items(text []byte, start int, see func(from int) (end int)) int {
	i := start + 1
	for {
		i = blank(text, i)
		if i < len(text) && text[i] == ',' {
			i = blank(text, i+1)
		}
		if i >= len(text) || text[i] == ']' {
			return min(i+1, len(text))
		}
		next := see(i)
		if next <= i {
			return len(text)
		}
		i = next
	}
}

// pick is the member of raw that names lead to, in either spelling; nil when
// there is none.
func pick(raw []byte, names ...string) []byte {
	for _, name := range names {
		i := blank(raw, 0)
		if i >= len(raw) || raw[i] != '{' {
			return nil
		}
		var found []byte
		members(raw, i, func(key []byte, from int) int {
			end := valueEnd(raw, from)
			if string(key) == name || snakeName(string(key)) == name {
				found = raw[from:end]
			}
			return end
		})
		raw = found
	}
	return raw
}

// rows are the items of the array raw; nil when it is none.
func rows(raw []byte) [][]byte {
	i := blank(raw, 0)
	if i >= len(raw) || raw[i] != '[' {
		return nil
	}
	var all [][]byte
	items(raw, i, func(from int) int {
		end := valueEnd(raw, from)
		all = append(all, raw[from:end])
		return end
	})
	return all
}
