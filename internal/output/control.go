package output

import (
	"fmt"
	"strings"
)

// escapeControls writes characters that JSON allows in strings and YAML does
// not as JSON escapes: text from elsewhere may have any.
func escapeControls(json []byte) []byte {
	forbidden := func(r rune) bool {
		return r >= 0x7f && r <= 0x9f || r == 0xfffe || r == 0xffff
	}
	text := string(json)
	if strings.IndexFunc(text, forbidden) < 0 {
		return json
	}
	var b strings.Builder
	for _, r := range text {
		if forbidden(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return []byte(b.String())
}
