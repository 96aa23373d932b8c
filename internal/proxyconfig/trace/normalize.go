package trace

import (
	"net"
	"strconv"
	"strings"
)

// normalizePath brings the path into the form that routes match, in Envoy's
// order: escaped slashes, dots and escapes, double slashes.
func (h *hcm) normalizePath(c *Call) *reply {
	if c.Path == "" || c.Path[0] != '/' {
		return nil
	}
	if strings.Contains(c.Path, "#") {
		return &reply{status: 400, detail: "path_normalization_failed", why: "the path has a fragment"}
	}
	path, query := c.Path, ""
	if i := strings.IndexByte(path, '?'); i >= 0 {
		path, query = path[:i], path[i:]
	}
	redirect := false
	switch h.Escaped {
	case "REJECT_REQUEST":
		if unescapeSlashes(path) != path {
			return &reply{status: 400, detail: "path_normalization_failed", why: "the path has an escaped slash, which this listener refuses"}
		}
	case "UNESCAPE_AND_REDIRECT":
		redirect = unescapeSlashes(path) != path
		path = unescapeSlashes(path)
	case "UNESCAPE_AND_FORWARD":
		path = unescapeSlashes(path)
	}
	if h.Normalize {
		var ok bool
		if path, ok = canonicalPath(path); !ok {
			return &reply{status: 400, detail: "path_normalization_failed", why: "the path cannot be normalized"}
		}
	}
	if h.MergeSlashes {
		path = mergeSlashes(path)
	}
	c.Path = path + query
	if redirect {
		return &reply{status: 307, detail: "path_normalization_failed", why: "the path has an escaped slash: the client is sent to the plain one", kind: Redirected, to: c.Path}
	}
	return nil
}

func unescapeSlashes(path string) string {
	return strings.NewReplacer("%2F", "/", "%2f", "/", "%5C", `\`, "%5c", `\`).Replace(path)
}

func mergeSlashes(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	return path
}

// canonicalPath resolves dot segments and needless escapes as browsers do; ok
// is false for a path that cannot be one.
func canonicalPath(path string) (string, bool) {
	out := make([]byte, 0, len(path))
	ok := true
	stray := -1 // where the last % stands that escapes nothing
	for i := 0; i < len(path); i++ {
		if n := dotAt(path, i); n > 0 {
			if len(out) == 0 || out[len(out)-1] != '/' {
				out = append(out, '.')
				i += n - 1
				continue
			}
			kind, consumed := afterDot(path, i+n)
			i += n - 1
			switch kind {
			case dotName:
				out = append(out, '.')
			case dotUp:
				out = upOne(out)
				i += consumed
			case dotCurrent:
				i += consumed
			}
			continue
		}
		switch c := path[i]; {
		case c == '\\':
			out = append(out, '/')
		case c == '%':
			v, valid := escapeAt(path, i)
			switch {
			case !valid:
				stray = len(out)
				out = append(out, '%')
			case unescaped(v):
				i += 2
				out = escapeStray(append(out, v), stray, path[i+1:])
			default:
				out = append(out, path[i:i+3]...)
				i += 2
				ok = ok && v != 0
			}
		case mustEscape(c):
			const digits = "0123456789ABCDEF"
			out = append(out, '%', digits[c>>4], digits[c&15])
			ok = ok && c != 0
		default:
			out = append(out, c)
		}
	}
	return string(out), ok
}

// escapeStray escapes a % before the character just unescaped where the two
// would begin an escape that the client did not write.
func escapeStray(out []byte, stray int, rest string) []byte {
	if stray < 0 || stray < len(out)-3 || stray > len(out)-2 {
		return out
	}
	ahead := out[stray:]
	if len(ahead) == 2 && rest != "" {
		ahead = append(ahead[:2:2], rest[0])
	}
	if _, ok := escapeAt(string(ahead), 0); !ok {
		return out
	}
	return append(out[:stray:stray], "%25"+string(out[stray+1:])...)
}

type dotKind int

const (
	dotName dotKind = iota // part of a name
	dotCurrent
	dotUp
)

// dotAt is the length of a dot at i, written plainly or escaped; 0 for none.
func dotAt(path string, i int) int {
	switch {
	case i < len(path) && path[i] == '.':
		return 1
	case i+2 < len(path) && path[i] == '%' && path[i+1] == '2' && (path[i+2] == 'e' || path[i+2] == 'E'):
		return 3
	}
	return 0
}

// afterDot says what a dot is by what follows it at i, and how much of that belongs to it.
func afterDot(path string, i int) (dotKind, int) {
	slash := func(i int) bool { return path[i] == '/' || path[i] == '\\' }
	if i >= len(path) {
		return dotCurrent, 0
	}
	if slash(i) {
		return dotCurrent, 1
	}
	if n := dotAt(path, i); n > 0 {
		switch {
		case i+n >= len(path):
			return dotUp, n
		case slash(i + n):
			return dotUp, n + 1
		}
	}
	return dotName, 0
}

// upOne removes the last segment; out ends with a slash.
func upOne(out []byte) []byte {
	i := len(out) - 1
	for i > 0 && out[i-1] != '/' {
		i--
	}
	if i == 0 {
		return out[:1]
	}
	return out[:i]
}

func escapeAt(path string, i int) (byte, bool) {
	if i+2 >= len(path) {
		return 0, false
	}
	n, err := strconv.ParseUint(path[i+1:i+3], 16, 8)
	return byte(n), err == nil
}

// unescaped says whether an escape of the character is needless.
func unescaped(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

func mustEscape(c byte) bool {
	return c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>^`{|}", c) >= 0
}

// normalizeHost takes port and trailing dot off the host where that is asked for.
func (h *hcm) normalizeHost(c *Call) {
	if h.StripDot {
		host, port := c.Authority[:portStart(c.Authority)], c.Authority[portStart(c.Authority):]
		c.Authority = strings.TrimSuffix(host, ".") + port
	}
	colon := portStart(c.Authority)
	if colon == len(c.Authority) {
		return
	}
	port := c.Authority[colon+1:]
	if _, err := strconv.Atoi(port); err != nil {
		return
	}
	if h.StripAnyPort || h.StripPort && port == strconv.Itoa(c.Conn.Port) {
		c.Authority = c.Authority[:colon]
	}
}

// joinHost is host:port, in brackets for an IPv6 address.
func joinHost(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }
