package agree

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sort"
	"strings"

	"github.com/meshctl/meshctl/internal/proxyconfig/trace"
	"github.com/meshctl/meshctl/test/bed/netpod"
)

// Places are the addresses of a set's services and pods: SERVICE and pod/NAME.
type Places map[string]netip.Addr

// Draw makes the set's requests, the same for the same seed. Scale multiplies their number.
func (s *Set) Draw(seed uint64, scale float64, places Places, keys *signer) ([]*Request, error) {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s.Name))
	d := &drawer{Rand: rand.New(rand.NewPCG(seed, h.Sum64())), set: s, places: places, keys: keys, ports: map[string]uint16{}}
	var all []*Request
	for i := range s.Pools {
		p := &s.Pools[i]
		for range max(1, int(float64(p.Count)*scale)) {
			r, err := d.request(p)
			if err != nil {
				return nil, fmt.Errorf("set %s, pool %d: %w", s.Name, i, err)
			}
			all = append(all, r)
		}
	}
	return all, nil
}

type drawer struct {
	*rand.Rand
	set    *Set
	places Places
	keys   *signer
	ports  map[string]uint16
}

func (d *drawer) one(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[d.IntN(len(list))]
}

// chance is true in percent of 100 cases.
func (d *drawer) chance(percent int) bool { return d.IntN(100) < percent }

func (d *drawer) request(p *Pool) (*Request, error) {
	r := &Request{Set: d.set.Name, Through: p.Through, Side: p.Side, Speak: d.one(p.Speak), TLS: d.one(p.TLS)}
	var err error
	if r.Call, err = d.call(p); err != nil {
		return nil, err
	}
	r.Trace = trace.Request{Scheme: "http", Host: r.Call.To.Addr().String(), Port: int(r.Call.To.Port()), Address: r.Call.To.Addr(),
		Source: r.Call.From, TLS: r.TLS != "none", Plaintext: r.TLS == "none", Headers: trace.Headers{}}
	d.secure(r, p)
	if r.Speak == "tcp" {
		return r, nil
	}
	return r, d.http(r, p)
}

// call chooses the connection. A source port is used once per Envoy.
func (d *drawer) call(p *Pool) (netpod.Call, error) {
	c := netpod.Call{Via: via(p.Side)}
	host, port, _ := strings.Cut(d.one(p.To), ":")
	to, ok := d.places[host]
	if !ok {
		var err error
		if to, err = netip.ParseAddr(host); err != nil {
			return c, fmt.Errorf("no service, pod or address %q", host)
		}
	}
	var n int
	if _, err := fmt.Sscanf(port, "%d", &n); err != nil {
		return c, fmt.Errorf("port %q of %s: %w", port, host, err)
	}
	c.To = addrPort(to, n)
	from := netip.AddrFrom4([4]byte{10, 200, byte(d.IntN(4)), byte(1 + d.IntN(250))})
	if name := d.one(p.From); name != "" {
		if from, ok = d.places[name]; !ok {
			var err error
			if from, err = netip.ParseAddr(name); err != nil {
				return c, err
			}
		}
	} else if p.Side == "client" {
		from = d.places["pod/"+p.Through]
	}
	d.ports[p.Through]++
	c.From = netip.AddrPortFrom(from, 16000+d.ports[p.Through])
	return c, nil
}

func (d *drawer) secure(r *Request, p *Pool) {
	if r.TLS == "none" {
		return
	}
	r.Trace.Scheme = "https"
	if sni := d.one(p.SNI); sni != "" && !d.chance(8) {
		r.Trace.SNI = sni
		if d.chance(25) {
			r.Trace.SNI = strings.TrimRight(d.nearHost(sni), ".0123456789:")
		}
	}
	r.Trace.SNI = strings.ToLower(r.Trace.SNI) // as TLS libraries send it
	switch {
	case r.TLS == "mesh":
		r.Identity = d.one(p.Identities)
		r.Trace.Principal = principal(r.Identity)
		switch r.Speak {
		case "h2", "grpc":
			r.Trace.ALPN = []string{"istio-h2", "istio", "h2"}
		case "tcp":
			r.Trace.ALPN = []string{"istio"}
		default:
			r.Trace.ALPN = []string{"istio-http/1.1", "istio", "http/1.1"}
		}
	case r.Speak == "h2" || r.Speak == "grpc":
		r.Trace.ALPN = []string{"h2"}
	case r.Speak == "http":
		r.Trace.ALPN = []string{"http/1.1"}
	}
}

func (d *drawer) http(r *Request, p *Pool) error {
	t := &r.Trace
	t.Protocol, t.Method, t.Authority, t.Path = "HTTP/1.1", d.one(p.Methods), d.one(p.Hosts), d.one(p.Paths)
	if t.Authority == "" {
		t.Authority = r.Call.To.String()
	} else if d.chance(25) {
		t.Authority = d.nearHost(t.Authority)
	}
	if d.chance(40) {
		t.Path = d.nearPath(t.Path)
	}
	if d.chance(10) {
		t.Method = d.one([]string{"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"})
	}
	for _, name := range sorted(p.Always) {
		t.Headers.Add(name, d.one(p.Always[name]))
	}
	for _, name := range sorted(p.Headers) {
		if value := d.one(p.Headers[name]); d.chance(60) {
			if d.chance(20) {
				value = d.nearText(value)
			}
			t.Headers.Add(name, value)
		}
	}
	switch r.Speak {
	case "h2":
		t.Protocol = "HTTP/2"
	case "grpc":
		t.Protocol, t.Method = "HTTP/2", "POST"
		t.Headers.Set("content-type", "application/grpc")
		t.Headers.Set("te", "trailers")
	}
	return d.token(r, p)
}

func (d *drawer) token(r *Request, p *Pool) error {
	if len(p.Tokens) == 0 || d.chance(30) {
		return nil
	}
	token := p.Tokens[d.IntN(len(p.Tokens))]
	text, err := d.keys.sign(token)
	if err != nil {
		return err
	}
	r.Token = &token
	r.Trace.Headers.Set("authorization", "Bearer "+text)
	return nil
}

func sorted[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// nearHost is a name that looks like the host and may or may not mean the same.
func (d *drawer) nearHost(host string) string {
	name, port, hasPort := strings.Cut(host, ":")
	if hasPort {
		port = ":" + port
	}
	labels := strings.Split(name, ".")
	switch d.IntN(9) {
	case 0:
		return strings.ToUpper(name[:1]) + name[1:] + port
	case 1:
		return strings.ToUpper(name) + port
	case 2:
		return name + d.one([]string{":80", ":8080", ":443", ":81"})
	case 3:
		return "x" + name + port
	case 4:
		return "sub." + name + port
	case 5:
		return name + ".example.net" + port
	case 6:
		return strings.Join(append([]string{"other"}, labels[1:]...), ".") + port
	case 7:
		return labels[0] + port
	}
	return name[:len(name)-1] + "x" + port
}

// nearPath is a path that looks like this one.
func (d *drawer) nearPath(path string) string {
	p, query, hasQuery := strings.Cut(path, "?")
	if hasQuery {
		query = "?" + query
	}
	if len(p) < 2 {
		return d.one([]string{"/x", "//", "/?a=b", "/./", "/x/..", "/%2F", "/index.html"})
	}
	i := 1 + d.IntN(len(p)-1) // behind the first slash
	switch d.IntN(13) {
	case 0:
		return strings.TrimSuffix(p, "/") + "/" + query
	case 1:
		return "/" + strings.Trim(p, "/") + query
	case 2:
		return strings.ToUpper(p) + query
	case 3:
		return p + "more" + query
	case 4:
		return strings.TrimSuffix(p, "/") + "/more" + query
	case 5:
		return p[:i] + fmt.Sprintf("%%%02X", p[i]) + p[i+1:] + query
	case 6:
		return p[:i] + fmt.Sprintf("%%%02x", p[i]) + p[i+1:] + query
	case 7:
		return "/" + p + query
	case 8:
		return "/x/.." + p + query
	case 9:
		return "/." + p + query
	case 10:
		return "/prefix" + p + query
	case 11:
		return p + d.one([]string{"?", "?a=b", "?debug=true", "?version=v2", "?version=v2&a=b"})
	}
	if len(p) > 2 {
		return p[:len(p)-1] + query
	}
	return p + "%2Fmore" + query
}

// nearText is a header's value that looks like this one.
func (d *drawer) nearText(v string) string {
	options := []string{v + "x", strings.ToUpper(v), "x" + v, ""}
	if len(v) > 1 {
		options = append(options, v[:len(v)-1], v[:1]+" "+v[1:])
	}
	return options[d.IntN(len(options))]
}

// envoys are the workloads that have one.
func (s *Set) envoys() []string {
	var names []string
	for _, w := range s.Workloads {
		if w.Proxy != "" {
			names = append(names, w.Name)
		}
	}
	slices.Sort(names)
	return names
}
