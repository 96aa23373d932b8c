package diff

import (
	"hash/maphash"
	"strconv"
)

// hasher hashes JSON so that values which mean the same in every message hash
// the same: members have no order and either spelling, 1.0 is 1, and what is
// [ignored] does not count.
type hasher struct {
	text []byte
	pos  int
	seed maphash.Seed
	name []byte // the last member's name in Envoy's spelling
}

// hash of JSON text that is well-formed.
func hash(seed maphash.Seed, text []byte) uint64 {
	h := hasher{text: text, seed: seed}
	return h.value()
}

// Salts tell kinds of values apart.
const (
	saltObject = 0x9e3779b97f4a7c15
	saltArray  = 0xc2b2ae3d27d4eb4f
)

func (h *hasher) value() uint64 {
	h.pos = space(h.text, h.pos)
	if h.pos >= len(h.text) {
		return 0
	}
	switch h.text[h.pos] {
	case '{':
		return h.object()
	case '[':
		return h.array()
	}
	start := h.pos
	h.pos = valueEnd(h.text, start)
	word := h.text[start:h.pos]
	if h.pos == start { // not JSON: go on
		h.pos++
	}
	if c := word; len(c) > 0 && (c[0] == '-' || c[0] >= '0' && c[0] <= '9') {
		return maphash.String(h.seed, number(string(word)))
	}
	return maphash.Bytes(h.seed, word)
}

// object adds up its members: they have no order.
func (h *hasher) object() uint64 {
	sum := uint64(saltObject)
	for h.pos = space(h.text, h.pos+1); h.pos < len(h.text) && h.text[h.pos] == '"'; {
		end := stringEnd(h.text, h.pos)
		h.name = fold(h.name[:0], h.text[h.pos:end])
		dropped := isIgnored(h.name)
		key := maphash.Bytes(h.seed, h.name)
		h.pos = space(h.text, end) + 1 // the colon
		if dropped {
			h.pos = valueEnd(h.text, space(h.text, h.pos))
		} else {
			sum += mix(key, h.value())
		}
		h.next()
	}
	h.pos++
	return mix(saltObject, sum)
}

func (h *hasher) array() uint64 {
	sum := uint64(saltArray)
	for h.pos = space(h.text, h.pos+1); h.pos < len(h.text) && h.text[h.pos] != ']'; {
		sum = mix(sum, h.value())
		h.next()
	}
	h.pos++
	return sum
}

// next goes past the comma behind a member or item.
func (h *hasher) next() {
	h.pos = space(h.text, h.pos)
	if h.pos < len(h.text) && h.text[h.pos] == ',' {
		h.pos = space(h.text, h.pos+1)
	}
}

func mix(a, b uint64) uint64 {
	x := (a ^ (b + saltObject + a<<6 + a>>2)) * 0xff51afd7ed558ccd
	return x ^ x>>32
}

// isIgnored says whether a member's name, in quotes, is one of [ignored].
func isIgnored(quoted []byte) bool {
	return len(quoted) > 2 && ignored(string(quoted[1:len(quoted)-1]))
}

// fold is a member's name in Envoy's spelling, but for the underscore before a
// digit, which istiod's spelling does not tell: proxy100Continue.
func fold(out, name []byte) []byte {
	for i, c := range name {
		switch {
		case 'A' <= c && c <= 'Z':
			out = append(out, '_', c+'a'-'A')
		case c == '_' && i+1 < len(name) && '0' <= name[i+1] && name[i+1] <= '9':
		default:
			out = append(out, c)
		}
	}
	return out
}

// number is a number as text, one for each value.
func number(text string) string {
	for i := range len(text) {
		if c := text[i]; c == '.' || c == 'e' || c == 'E' {
			f, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return text
			}
			return strconv.FormatFloat(f, 'f', -1, 64)
		}
	}
	return text
}
