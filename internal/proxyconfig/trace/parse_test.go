package trace

import (
	"fmt"
	"strings"
	"testing"

	"github.com/meshctl/meshctl/internal/hint"
)

func TestParseWords(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ words, want string }{
		{"http://a.b/x?y=1#z", "GET http a.b a.b:80 /x?y=1 HTTP/1.1 []"},
		{"GET http://a.b", "GET http a.b a.b:80 / HTTP/1.1 []"},
		{"POST https://a.b:8443/x", "POST https a.b:8443 a.b:8443 /x HTTP/1.1 [] SNI a.b"},
		{"a.b:8080/x", "GET http a.b:8080 a.b:8080 /x HTTP/1.1 []"},
		{"http://a.b:80/x", "GET http a.b a.b:80 /x HTTP/1.1 []"},
		{"http://a.b?x", "GET http a.b a.b:80 /?x HTTP/1.1 []"},
		{"http://u:p@a.b/", "GET http a.b a.b:80 / HTTP/1.1 []"},
		{"http://[::1]:8080/", "GET http [::1]:8080 ::1:8080 / HTTP/1.1 [] at ::1"},
		{"http://10.0.0.1/", "GET http 10.0.0.1 10.0.0.1:80 / HTTP/1.1 [] at 10.0.0.1"},
		{"https://10.0.0.1/", "GET https 10.0.0.1 10.0.0.1:443 / HTTP/1.1 [] at 10.0.0.1"},
		{"-H X-User:a -H 'Host: c.d' GET http://a.b/", "GET http c.d a.b:80 / HTTP/1.1 [{x-user a}]"},
		{"-X DELETE http://a.b/", "DELETE http a.b a.b:80 / HTTP/1.1 []"},
		{"-d x=1 http://a.b/", "POST http a.b a.b:80 / HTTP/1.1 []"},
		{"--json {} http://a.b/", "POST http a.b a.b:80 / HTTP/1.1 [{content-type application/json} {accept application/json}]"},
		{"-I http://a.b/", "HEAD http a.b a.b:80 / HTTP/1.1 []"},
		{"-A me -b s=1 http://a.b/", "GET http a.b a.b:80 / HTTP/1.1 [{user-agent me} {cookie s=1}]"},
		{"--http2-prior-knowledge -sv http://a.b/", `!the request has the flag -sv, which is unknown here`},
		{"--http2 -s http://a.b/", "GET http a.b a.b:80 / HTTP/2 []"},
		{"--resolve a.b:80:10.1.1.1 http://a.b/", "GET http a.b a.b:80 / HTTP/1.1 [] at 10.1.1.1"},
		{"grpc://a.b:9000/p.S/M", "POST http a.b:9000 a.b:9000 /p.S/M HTTP/2 [{content-type application/grpc}]"},
		{"tcp://db:5432", " tcp  db:5432   []"},
		{"tls://db:5432", " tls  db:5432   [] SNI db"},
		{"tcp://db", "!the URL tcp://db names no port"},
		{"ftp://db", "!the URL ftp://db has the scheme ftp: want http, https, tcp or tls"},
		{"http://a.b:0/", "!the URL http://a.b:0/ has the port 0: want 1 to 65535"},
		{"http:///x", "!the URL http:///x names no host"},
		{"GET POST http://a/", `!a request is a method and a URL: "http://a/" is too much`},
		{"G(T http://a/", `!"G(T" is no HTTP method`},
		{"", "!there is no request to trace"},
		{"-H", "!-H needs a value"},
		{"-H x http://a/", `!the header "x" has no colon`},
		{"-X PUT GET http://a/", "!the method is given twice: GET and -X PUT"},
		{"--frob http://a/", "!the request has the flag --frob, which is unknown here"},
		{"--resolve a:80 http://a/", `!"a:80" names no address`},
	} {
		t.Run(tc.words, func(t *testing.T) {
			t.Parallel()
			r, err := ParseWords(shellWords(tc.words))
			if err != nil {
				if got := "!" + err.Error(); got != tc.want || hint.Of(err) == "" || hint.ClassOf(err) != hint.Usage {
					t.Errorf("got %s (%v), want %s", got, hint.ClassOf(err), tc.want)
				}
				return
			}
			got := fmt.Sprintf("%s %s %s %s:%d %s %s %v", r.Method, r.Scheme, r.Authority, r.Host, r.Port, r.Path, r.Protocol, r.Headers)
			if r.SNI != "" {
				got += " SNI " + r.SNI
			}
			if r.Address.IsValid() {
				got += " at " + r.Address.String()
			}
			if got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

// shellWords splits at spaces, but not inside single quotes.
func shellWords(line string) []string {
	var words []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			words = append(words, part)
		} else {
			words = append(words, strings.Fields(part)...)
		}
	}
	return words
}

func TestMember(t *testing.T) {
	t.Parallel()
	text := []byte(` { "a" : {"b":[1,{"c":"}"}],"n\"x":"\\"} , "d":"x\"y", "e": 1.5,"f":null }`)
	for path, want := range map[string]string{
		"a.b": `[1,{"c":"}"}]`, "d": `"x\"y"`, "e": "1.5", "f": "null", "g": "", "a.c": "", "d.x": "", "a": `{"b":[1,{"c":"}"}],"n\"x":"\\"}`,
	} {
		if got := string(member(text, strings.Split(path, ".")...)); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
	for _, broken := range []string{"", "{", `{"a`, `{"a"`, `{"a":`, `{"a" 1}`, `[1]`, `{"a":"`, `{,}`} {
		_ = member([]byte(broken), "a", "b")
	}
}
