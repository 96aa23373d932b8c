package agree

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/proxyconfig/trace"
	"github.com/meshctl/meshctl/test/bed/netpod"
)

// Compare holds an outcome against what Envoy wrote down and what the client got, and returns the differences.
//
// Where trace says the request goes on: Envoy's route name is trace's, its upstream cluster one of trace's (by weight), it
// has no response flag or the one trace gives for this cluster, the response came from upstream, from one of the endpoints
// that trace says may be chosen, and the upstream got the path and the authority that trace says it gets.
// Of an upgrade (101) route, cluster and endpoint count: flags and details then tell how the tunnel ended.
//
// Where trace says Envoy answers itself: route name, status, response flag, and the response code details' reason are
// trace's, a redirect's Location as well. A connection that is closed has the response flag, and no status; where TLS is refused
// the client has Envoy's alert.
func Compare(r *Request, o trace.Outcome) []string {
	if refused(r) {
		return handshake(r, o)
	}
	if len(r.Log) != 1 {
		return []string{fmt.Sprintf("Envoy has %d access log lines for it, want one", len(r.Log))}
	}
	c := &comparison{request: r, log: r.Log[0], outcome: o}
	switch o.Kind {
	case trace.Forwarded, trace.NoEndpoint:
		c.forwarded()
	default:
		c.answered()
	}
	return c.differences
}

// handshake is of a connection whose TLS Envoy refuses: all it says of that is the alert to the client, for its access log has
// either nothing, or with a TCP proxy the connection upstream that was begun meanwhile.
func handshake(r *Request, o trace.Outcome) []string {
	if o.Kind == trace.Closed && o.Status == 0 && o.Flags == "" {
		return nil
	}
	return []string{fmt.Sprintf("Envoy ended the TLS handshake with %q, trace says %s with flags %q, status %d", r.Answer.Err, o.Kind, o.Flags, o.Status)}
}

// refused says whether Envoy ended the TLS handshake: the client has its alert, or where that is lost with the connection, nothing.
func refused(r *Request) bool {
	if strings.HasPrefix(r.Answer.Err, "remote error: tls:") {
		return true
	}
	silent := len(r.Log) == 0 || len(r.Log) == 1 && r.Log[0].Flags == "" && r.Log[0].Code == 0 && r.Log[0].Ended == ""
	return silent && r.TLS == "tls" && r.Answer.Err != "" && r.Answer.Code == 0 && r.Answer.Echo == ""
}

type comparison struct {
	request     *Request
	log         Line
	outcome     trace.Outcome
	differences []string
}

// same notes a difference.
func (c *comparison) same(what, envoy, trace string) {
	if envoy != trace {
		c.differences = append(c.differences, fmt.Sprintf("%s: Envoy has %q, trace %q", what, envoy, trace))
	}
}

func (c *comparison) forwarded() {
	c.same("route", c.log.Route, c.outcome.Route)
	var target *trace.Target
	for i, t := range c.outcome.Clusters {
		if t.Cluster == c.log.Cluster || c.log.Cluster == "" && strings.HasPrefix(t.Flags, "NC") { // of a missing one the log has no name
			target = &c.outcome.Clusters[i]
		}
	}
	if target == nil {
		c.same("cluster", c.log.Cluster, strings.Join(clusterNames(c.outcome), " or "))
		return
	}
	if target.Share <= 0 {
		c.differences = append(c.differences, "cluster: Envoy chose "+target.Cluster+", to which trace gives no share")
	}
	if c.log.Code == http.StatusSwitchingProtocols { // flags and details are about how the tunnel ended
		c.endpoint(target)
		return
	}
	c.same("response flags", c.log.Flags, target.Flags)
	if target.Kind != trace.Forwarded {
		c.same("status", strconv.Itoa(c.log.Code), strconv.Itoa(target.Status))
		return
	}
	c.endpoint(target)
	if c.request.Speak == "tcp" {
		c.same("echo", c.request.Answer.Echo, tcpGreeting)
	}
	if c.outcome.Table == "" { // Envoy takes it for TCP, whatever it is
		c.same("status", strconv.Itoa(c.log.Code), "0")
		return
	}
	c.same("response code details", c.log.Details, "via_upstream")
	c.upstream()
}

// endpoint checks the address; of a cluster without known endpoints, such as one that keeps the destination, there is none.
func (c *comparison) endpoint(t *trace.Target) {
	var known []string
	for _, e := range t.Endpoints {
		address := net.JoinHostPort(e.Address, strconv.Itoa(e.Port))
		if _, err := netip.ParseAddr(e.Address); err != nil { // a name, which Envoy has looked up
			address = net.JoinHostPort(netpod.EveryName, strconv.Itoa(e.Port))
		}
		if e.Chosen {
			known = append(known, address)
		}
	}
	if len(known) > 0 && !slices.Contains(known, c.log.Upstream) {
		c.same("endpoint", c.log.Upstream, strings.Join(known, " or "))
	}
}

// upstream checks what the upstream got, where the answer tells.
func (c *comparison) upstream() {
	seen := c.request.Answer.Seen
	if seen == nil {
		return // HEAD has no body
	}
	if c.outcome.Path != "" {
		c.same("path at the upstream", seen.Path, c.outcome.Path)
	}
	if c.outcome.Authority != "" {
		c.same("authority at the upstream", seen.Host, c.outcome.Authority)
	}
}

func (c *comparison) answered() {
	o := c.outcome
	c.same("status", strconv.Itoa(c.log.Code), strconv.Itoa(o.Status))
	c.same("response flags", c.log.Flags, o.Flags)
	if o.Kind != trace.Closed && o.Kind != trace.NoListener {
		c.same("route", c.log.Route, o.Route)
	}
	// A TCP proxy connects upstream before the filters have seen the first byte; what counts is that none came through.
	if c.log.Details == "via_upstream" || c.request.Answer.Echo == tcpGreeting || c.request.Answer.Seen != nil {
		c.differences = append(c.differences, fmt.Sprintf("Envoy sent it to %s, trace says %s", c.log.Upstream, o.Kind))
	}
	if o.Kind == trace.Redirected {
		c.same("location", c.request.Answer.Location, o.Location)
	}
	if o.Detail != "" {
		got := c.log.Details
		if got == "" {
			got = c.log.Ended
		}
		c.same("response code details", got, o.Detail)
	}
}

func clusterNames(o trace.Outcome) []string {
	var names []string
	for _, t := range o.Clusters {
		names = append(names, t.Cluster)
	}
	return names
}
