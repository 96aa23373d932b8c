package trace

import (
	"net/netip"
	"strings"

	"github.com/meshctl/meshctl/internal/hint"
)

// ParseWords reads a request as curl takes it: a method and a URL, and curl's
// flags for what they change of the request: -H, -X, -A, -b, -d, --resolve,
// --http2 ... Flags that change nothing of it are passed over.
func ParseWords(words []string) (*Request, error) {
	p := &wordParser{}
	if err := p.read(words); err != nil {
		return nil, err
	}
	if p.method != "" {
		if len(p.bare) > 1 {
			return nil, hint.Usagef(requestHint, "the method is given twice: %s and -X %s", p.bare[0], p.method)
		}
		p.bare = append([]string{p.method}, p.bare...)
	}
	r, err := ParseRequest(p.bare, p.headers)
	if err != nil {
		return nil, err
	}
	return r, p.finish(r)
}

type wordParser struct {
	bare, headers   []string
	method, resolve string
	protocol        string
	data            bool
}

func (p *wordParser) read(words []string) error {
	for i := 0; i < len(words); i++ {
		name, value, inline := cutFlag(words[i])
		if name == "" {
			p.bare = append(p.bare, words[i])
			continue
		}
		if !valued(name) {
			if err := p.plain(name); err != nil {
				return err
			}
			continue
		}
		if !inline {
			if i++; i >= len(words) {
				return hint.Usagef(requestHint, "%s needs a value", name)
			}
			value = words[i]
		}
		p.set(name, value)
	}
	return nil
}

// cutFlag takes a word apart: -Hname:value, --header=x; name is "" for a word that is no flag.
func cutFlag(word string) (name, value string, inline bool) {
	switch {
	case len(word) < 2 || word[0] != '-':
		return "", "", false
	case strings.HasPrefix(word, "--"):
		name, value, inline = strings.Cut(word, "=")
		return name, value, inline
	case len(word) > 2 && valued(word[:2]):
		return word[:2], word[2:], true
	}
	return word, "", false
}

func valued(name string) bool {
	switch name {
	case "-H", "--header", "-X", "--request", "-A", "--user-agent", "-b", "--cookie", "-e", "--referer", "--resolve",
		"-d", "--data", "--data-raw", "--data-binary", "--json", "-o", "--output", "-m", "--max-time", "-w", "--write-out":
		return true
	}
	return false
}

func (p *wordParser) set(name, value string) {
	switch name {
	case "-H", "--header":
		p.headers = append(p.headers, value)
	case "-X", "--request":
		p.method = value
	case "-A", "--user-agent":
		p.headers = append(p.headers, "user-agent: "+value)
	case "-b", "--cookie":
		p.headers = append(p.headers, "cookie: "+value)
	case "-e", "--referer":
		p.headers = append(p.headers, "referer: "+value)
	case "--resolve":
		p.resolve = value
	case "--json":
		p.data = true
		p.headers = append(p.headers, "content-type: application/json", "accept: application/json")
	case "-d", "--data", "--data-raw", "--data-binary":
		p.data = true
	}
}

func (p *wordParser) plain(name string) error {
	switch name {
	case "--http2", "--http2-prior-knowledge":
		p.protocol = "HTTP/2"
	case "--http1.1":
		p.protocol = "HTTP/1.1"
	case "-0", "--http1.0":
		p.protocol = "HTTP/1.0"
	case "-I", "--head":
		p.method = "HEAD"
	case "-s", "-S", "-sS", "-v", "-k", "-i", "-f", "-L", "--silent", "--verbose", "--insecure", "--include", "--fail", "--location", "--path-as-is":
	default:
		return hint.Usagef("what says more about the client, such as --sni, stands before the --", "the request has the flag %s, which is unknown here", name)
	}
	return nil
}

func (p *wordParser) finish(r *Request) error {
	if p.data && p.method == "" && len(p.bare) == 1 && r.Method == "GET" {
		r.Method = "POST"
	}
	if p.protocol != "" && !r.TCP() {
		r.Protocol = p.protocol
	}
	if p.resolve == "" {
		return nil
	}
	_, addr, _ := strings.Cut(p.resolve, ":")
	_, addr, ok := strings.Cut(addr, ":")
	ip, err := netip.ParseAddr(strings.Trim(addr, "[]"))
	if !ok || err != nil {
		return hint.Usagef("write it as --resolve HOST:PORT:ADDRESS", "%q names no address", p.resolve)
	}
	r.Address = ip
	return nil
}
