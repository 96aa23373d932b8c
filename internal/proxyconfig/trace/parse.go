package trace

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/hint"
)

// ParseRequest reads a request as people write it: METHOD URL, with curl's way
// of headers. The method may be left out and is GET then; tcp://HOST:PORT is a
// connection without HTTP. Each of headers is "name: value".
func ParseRequest(words, headers []string) (*Request, error) {
	method, target, err := methodAndTarget(words)
	if err != nil {
		return nil, err
	}
	r := &Request{Method: method, Protocol: "HTTP/1.1", Headers: Headers{}}
	if err := r.setURL(target); err != nil {
		return nil, err
	}
	for _, h := range headers {
		if err := r.addHeader(h); err != nil {
			return nil, err
		}
	}
	return r, nil
}

const requestHint = "write it as METHOD URL, such as `-- GET http://backend.shop/api -H 'x-user: a'`, or `-- tcp://db.shop:5432`"

func methodAndTarget(words []string) (method, target string, err error) {
	switch len(words) {
	case 0:
		return "", "", hint.Usagef(requestHint, "there is no request to trace")
	case 1:
		return "GET", words[0], nil
	case 2:
		for _, c := range words[0] {
			if !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~", c) {
				return "", "", hint.Usagef(requestHint, "%q is no HTTP method", words[0])
			}
		}
		if words[0] == "" {
			return "", "", hint.Usagef(requestHint, "the method is empty")
		}
		return words[0], words[1], nil
	}
	return "", "", hint.Usagef(requestHint, "a request is a method and a URL: %q is too much", words[2])
}

// setURL takes the URL apart; unlike net/url it leaves the path as it is,
// since routes match what is sent.
func (r *Request) setURL(target string) error {
	scheme, rest, ok := strings.Cut(target, "://")
	if !ok {
		scheme, rest = "http", target
	}
	r.Scheme = strings.ToLower(scheme)
	authority, path := rest, "/"
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	path, _, _ = strings.Cut(path, "#")
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		authority = authority[i+1:]
	}
	r.Path, r.Authority = path, authority
	switch r.Scheme {
	case "http", "grpc":
		r.Port = 80
	case "https":
		r.Port, r.TLS = 443, true
	case "tls":
		r.Port, r.TLS, r.Method, r.Path, r.Protocol = 443, true, "", "", ""
	case "tcp":
		r.Method, r.Path, r.Protocol = "", "", ""
	default:
		return hint.Usagef(requestHint, "the URL %s has the scheme %s: want http, https, tcp or tls", target, scheme)
	}
	if r.Scheme == "grpc" {
		r.Scheme, r.Protocol = "http", "HTTP/2"
		if r.Method == "GET" {
			r.Method = "POST"
		}
		r.Headers.Add("content-type", "application/grpc")
	}
	return r.setHost(target, authority)
}

func (r *Request) setHost(target, authority string) error {
	u, err := url.Parse("http://" + authority)
	if err != nil || u.Hostname() == "" {
		return hint.Usagef(requestHint, "the URL %s names no host", target)
	}
	r.Host = u.Hostname()
	if port := u.Port(); port != "" {
		n, err := strconv.Atoi(port)
		if err != nil || n < 1 || n > 65535 {
			return hint.Usagef(requestHint, "the URL %s has the port %s: want 1 to 65535", target, port)
		}
		r.Port = n
	}
	if r.Port == 0 {
		return hint.Usagef(requestHint, "the URL %s names no port", target)
	}
	if ip, err := netip.ParseAddr(r.Host); err == nil {
		r.Address = ip
	} else if r.TLS {
		r.SNI = r.Host
	}
	// Clients leave the port out where it is the scheme's own.
	if r.Scheme == "http" && r.Port == 80 || r.Scheme == "https" && r.Port == 443 {
		r.Authority = hostOnly(authority)
	}
	if r.TCP() {
		r.Authority = ""
	}
	return nil
}

// hostOnly is an authority without its port.
func hostOnly(authority string) string {
	if host, _, err := net.SplitHostPort(authority); err == nil {
		if strings.Contains(host, ":") {
			return "[" + host + "]"
		}
		return host
	}
	return strings.TrimSuffix(authority, ":")
}

func (r *Request) addHeader(line string) error {
	name, value, ok := strings.Cut(line, ":")
	name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
	if !ok || name == "" {
		return hint.Usagef("write it as -H 'name: value'", "the header %q has no colon", line)
	}
	if name == "host" {
		r.Authority = value
		return nil
	}
	r.Headers.Add(name, value)
	return nil
}
