package trace

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/proxyconfig"
)

// bestChain is how well the best chain fits a server name.
func bestChain(chains []*chain, host string) int {
	best := -1
	for _, c := range chains {
		best = max(best, sniRank(c.Match.ServerNames, host))
	}
	return best
}

// sniRank says how exactly server names fit a host: below zero not at all, and
// 0 when there are none, so that any fits.
func sniRank(names []string, host string) int {
	if len(names) == 0 {
		return 0
	}
	host = host[:portStart(host)]
	best := -1
	for _, name := range names {
		switch suffix, wild := strings.CutPrefix(name, "*"); {
		case name == host:
			best = max(best, rankExact)
		case wild && strings.HasSuffix(host, suffix):
			best = max(best, 1+len(suffix))
		}
	}
	return best
}

// servedTLS is the chain's TLS; nil when it has none.
func (c *chain) servedTLS() *ServedTLS {
	if c.Transport == nil {
		return nil
	}
	config := c.Transport.Config
	if inner := member(config, "downstream_tls_context"); inner != nil { // QUIC
		config = inner
	}
	var t downstreamTLS
	if json.Unmarshal(config, &t) != nil || len(t.Common.SDS)+len(t.Common.Certs) == 0 {
		return nil
	}
	s := &ServedTLS{ServerNames: append([]string{}, c.Match.ServerNames...), Mode: "SIMPLE"}
	if len(t.Common.SDS) > 0 {
		s.Credential = t.Common.SDS[0].Name
	}
	switch {
	case s.Credential == "default":
		s.Mode = "ISTIO_MUTUAL"
	case t.Require:
		s.Mode = "MUTUAL"
	case t.Common.checks():
		s.Mode = "OPTIONAL_MUTUAL"
	}
	return s
}

// passthrough makes the only route of a chain that sends TLS on undecrypted.
func (t *ServedTable) passthrough(c *chain) {
	t.Hosts = []ServedHost{}
	for i := range c.Filters {
		f := &c.Filters[i]
		if !strings.HasSuffix(shortType(f.typeURL()), ".TcpProxy") {
			continue
		}
		var proxy tcpProxy
		if json.Unmarshal(f.Config, &proxy) != nil {
			continue
		}
		r := ServedRoute{Order: 1, Match: "TLS, not decrypted", Kind: "tcp", Owner: c.Metadata.owner(), Clusters: []ServedCluster{}}
		r.setTargets(proxy.targets())
		t.Hosts = []ServedHost{{Name: c.Name, Domains: c.Match.ServerNames, Routes: []ServedRoute{r}}}
	}
}

func (h *virtualHost) served() (ServedHost, error) {
	s := ServedHost{Name: h.Name, Domains: append([]string{}, h.Domains...), Routes: []ServedRoute{}}
	routes, err := h.routes()
	if err != nil {
		return s, err
	}
	if h.RequireTLS != "" && h.RequireTLS != "NONE" {
		s.Routes = append(s.Routes, ServedRoute{
			Match: "anything in plain text", Kind: "redirect", Destination: "redirect 301 to https://(same host and path)",
			Owner: h.Metadata.owner(), Clusters: []ServedCluster{},
		})
	}
	for i := range routes {
		r := routes[i].served(i + 1)
		if r.Owner.Name == "" {
			r.Owner = h.Metadata.owner()
		}
		if j, ok := shadowedBy(routes, i); ok {
			r.Unreachable = fmt.Sprintf("route %d takes all that it would", j+1)
		}
		s.Routes = append(s.Routes, r)
	}
	if unread(h.Matcher) {
		s.Routes = append(s.Routes, ServedRoute{Order: len(routes) + 1, Match: "by a matcher", Destination: "chosen by a matcher, which is not listed", Clusters: []ServedCluster{}})
	}
	return s, nil
}

func (r *route) served(order int) ServedRoute {
	s := ServedRoute{Order: order, Name: r.Name, Match: cmp.Or(r.Match.text(), "*"), Owner: r.owner(), Clusters: []ServedCluster{}, Kind: "forward"}
	if r.Match.CaseSensitive != nil && !*r.Match.CaseSensitive {
		s.Match += " (any case)"
	}
	if f := r.Match.Fraction; f != nil && f.Default.percent() < 100 {
		s.Match += fmt.Sprintf(" (%g %% of requests)", f.Default.percent())
	}
	switch {
	case r.Redirect != nil:
		s.Kind, s.Destination = "redirect", r.Redirect.served()
	case r.Direct != nil:
		s.Kind, s.Destination = "direct-response", fmt.Sprintf("status %d", r.Direct.Status)
	case r.Action != nil:
		r.Action.serve(&s)
	default:
		s.Kind, s.Destination = "other", "an action that is not known here"
	}
	return s
}

func (a *redirectAction) served() string {
	scheme := a.Scheme
	if a.HTTPS {
		scheme = "https"
	}
	host := a.Host
	if a.Port != 0 {
		host += ":" + strconv.Itoa(a.Port)
	}
	target := host + a.Path
	if a.PrefixRewrite != "" {
		target += a.PrefixRewrite + "..."
	}
	if scheme != "" {
		target = scheme + "://" + cmp.Or(target, "(same host and path)")
	}
	return fmt.Sprintf("redirect %d to %s", redirectCode(a.Code), proxyconfig.RedactText(cmp.Or(target, "(elsewhere)")))
}

// serve tells what the action does.
func (a *routeAction) serve(s *ServedRoute) {
	switch {
	case a.Cluster != "":
		s.setTargets([]Target{{Cluster: a.Cluster, Share: 100}})
	case a.Weighted != nil:
		s.setTargets((&tcpProxy{Weighted: a.Weighted}).targets())
	case a.ClusterHeader != "":
		s.Destination = "the cluster that header " + a.ClusterHeader + " names"
	default:
		s.Destination = "chosen by an extension " + a.Plugin
	}
	s.Timeout = "15s" // Envoy's own
	if a.Timeout != nil {
		s.Timeout = duration(*a.Timeout)
	}
	s.Retries = a.Retry.String()
	var rewrite []string
	if host := cmp.Or(a.HostLiteral, a.HostHeader); host != "" {
		rewrite = append(rewrite, "host "+host)
	}
	switch {
	case a.PrefixRewrite != "":
		rewrite = append(rewrite, "path "+a.PrefixRewrite)
	case a.RegexRewrite != nil:
		rewrite = append(rewrite, fmt.Sprintf("path s/%s/%s/", a.RegexRewrite.Pattern.Regex, a.RegexRewrite.Substitution))
	case a.PathRewrite != nil:
		rewrite = append(rewrite, "path "+cmp.Or(textOf(member(a.PathRewrite.Config, "path_template_rewrite")), "by an extension"))
	}
	s.Rewrite = strings.Join(rewrite, ", ")
}

func (s *ServedRoute) setTargets(targets []Target) {
	var parts []string
	for _, t := range targets {
		c := servedCluster(t.Cluster, t.Share)
		s.Clusters = append(s.Clusters, c)
		text := c.String()
		if len(targets) > 1 {
			text += " " + strings.TrimSuffix(fmt.Sprintf("%.1f", t.Share), ".0") + "%"
		}
		parts = append(parts, text)
	}
	s.Destination = cmp.Or(strings.Join(parts, ", "), "no cluster")
}

// servedCluster takes istiod's name for a cluster apart:
// DIRECTION|PORT|SUBSET|HOST.
func servedCluster(name string, share float64) ServedCluster {
	c := ServedCluster{Name: name, Share: share}
	if parts := strings.Split(name, "|"); len(parts) == 4 {
		c.Port, c.Subset, c.Host = parts[1], parts[2], parts[3]
	}
	return c
}

// String is HOST:PORT (SUBSET), or the name of a cluster that has none.
func (c ServedCluster) String() string {
	if c.Host == "" {
		return c.Name
	}
	text := strings.TrimSuffix(c.Host, ".svc.cluster.local") + ":" + c.Port
	if c.Subset != "" {
		text += " (" + c.Subset + ")"
	}
	return text
}
