package mesh

import (
	"fmt"
	"strconv"
	"strings"
)

// Path is a field path in steps: each is a string, the name of a field, or an
// int, an index into a list.
type Path []any

// ParsePath reads a path such as spec.http[0].match[1].headers["x-user"].exact.
func ParsePath(s string) Path {
	var path Path
	for s != "" {
		switch s[0] {
		case '.':
			s = s[1:]
		case '[':
			end := strings.IndexByte(s, ']')
			if strings.HasPrefix(s, `["`) {
				if quoted, err := strconv.QuotedPrefix(s[1:]); err == nil && len(s) > len(quoted)+1 {
					name, _ := strconv.Unquote(quoted)
					path = append(path, name)
					s = s[len(quoted)+2:]
					continue
				}
			}
			if end < 0 {
				return append(path, s)
			}
			if i, err := strconv.Atoi(s[1:end]); err == nil {
				path = append(path, i)
			} else {
				path = append(path, s[1:end])
			}
			s = s[end+1:]
		default:
			end := strings.IndexAny(s, ".[")
			if end < 0 {
				end = len(s)
			}
			path = append(path, s[:end])
			s = s[end:]
		}
	}
	return path
}

// String is the path in the form that ParsePath reads.
func (p Path) String() string {
	var b strings.Builder
	for i, step := range p {
		switch step := step.(type) {
		case int:
			fmt.Fprintf(&b, "[%d]", step)
		case string:
			switch {
			case step == "" || strings.ContainsAny(step, `.[]"/`):
				fmt.Fprintf(&b, "[%q]", step)
			case i > 0:
				b.WriteString("." + step)
			default:
				b.WriteString(step)
			}
		}
	}
	return b.String()
}

// Join is the path one step deeper; p is left as it is.
func (p Path) Join(step any) Path {
	return append(p[:len(p):len(p)], step)
}
