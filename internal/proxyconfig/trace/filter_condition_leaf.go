package trace

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

// Why a fact is not known, and what would tell it.
const (
	unknownCaller      = "the caller's identity is not known: name it with --source-principal"
	unknownSource      = "the client's address is not known: name it with --source-ip"
	unknownDestination = "the address that the client connects to is not known"
)

// peerPrincipal is the filter state in which Istio's waypoints keep who calls.
const peerPrincipal = "io.istio.peer_principal"

func (c *condition) matchLeaf(in *filterInput) Verdict {
	switch {
	case c.Header != nil:
		return matchHeaderOf(c.Header, in)
	case c.Path != nil && c.Path.Path != nil:
		return matchPathOf(in, func(path string) Verdict { return c.Path.Path.match("the path", path) })
	case c.Template != nil:
		return matchPathOf(in, c.Template.match)
	case c.Metadata != nil:
		return in.matchMetadata(c.Metadata)
	case c.Sourced != nil && c.Sourced.Source == "ROUTE":
		return maybe("the condition is on the metadata of the route")
	case c.Sourced != nil:
		return in.matchMetadata(&c.Sourced.Matcher)
	case c.SNI != nil:
		return c.SNI.match("the SNI", in.Conn.SNI)
	case c.Matcher != nil:
		return maybe("the condition is an extension: " + shortType(typeURL(member(c.Matcher, "typed_config"))))
	case c.Custom != nil:
		return maybe("the condition is an extension: " + shortType(typeURL(member(c.Custom, "typed_config"))))
	}
	return c.matchConnection(in)
}

// matchConnection judges the leaves about addresses and identities.
func (c *condition) matchConnection(in *filterInput) Verdict {
	conn := in.Conn
	switch {
	case c.DestinationIP != nil:
		return inRange("the destination", unknownDestination, conn.Destination, c.DestinationIP)
	case c.DestinationPort != nil:
		return matchPort(conn.Port, *c.DestinationPort, *c.DestinationPort+1)
	case c.DestinationPorts != nil:
		return matchPort(conn.Port, c.DestinationPorts.Start, c.DestinationPorts.End)
	case c.SourceIP != nil:
		return inRange("the peer's address", unknownSource, conn.Source.Addr(), c.SourceIP)
	case c.DirectIP != nil:
		return inRange("the peer's address", unknownSource, conn.Source.Addr(), c.DirectIP)
	case c.RemoteIP != nil:
		ip, why := clientAddress(in)
		return inRange("the client's address", why, ip, c.RemoteIP)
	case c.Authenticated != nil:
		return matchCaller(conn, c.Authenticated.Name)
	case c.State != nil:
		return c.State.match(in)
	}
	return maybe("there is a condition of a kind unknown here")
}

func matchPort(port, start, end int) Verdict {
	switch {
	case port == 0:
		return maybe("the destination port is not known")
	case start <= port && port < end:
		return yes()
	case end == start+1:
		return no(fmt.Sprintf("the port is %d, not %d", port, start))
	}
	return no(fmt.Sprintf("the port is %d, not from %d to %d", port, start, end-1))
}

// matchHeaderOf treats a connection without HTTP as Envoy does: it has no headers.
func matchHeaderOf(m *headerMatcher, in *filterInput) Verdict {
	if in.Call == nil {
		return m.matchLines(headerName(m.Name), nil)
	}
	values, unknown := in.Call.headerLines(strings.ToLower(m.Name))
	if unknown != "" {
		return maybe(headerName(m.Name) + " may have been set by " + unknown)
	}
	return m.matchLines(headerName(m.Name), values)
}

func matchPathOf(in *filterInput, match func(string) Verdict) Verdict {
	if in.Call == nil {
		return no("it is a connection without HTTP, so it has no path")
	}
	value, present, unknown := in.Call.header(":path")
	switch {
	case unknown != "":
		return maybe("the path may have been changed by " + unknown)
	case !present:
		return no("the request has no path")
	}
	return match(barePath(value))
}

// matchCaller judges the identity in the peer's certificate: its URI, or else
// its subject, which the mesh's certificates leave empty.
func matchCaller(conn *Connection, name *stringMatcher) Verdict {
	switch {
	case !conn.Terminated:
		return no("the connection is plain text, so the caller has no identity")
	case name == nil: // any TLS will do
		return yes()
	case !conn.PeerKnown:
		return maybe(unknownCaller)
	case conn.Peer != "" && name.match("", "spiffe://"+conn.Peer).Answer == Yes, name.match("", "").Answer == Yes:
		return yes()
	case name.Custom != nil:
		return name.match("the caller", conn.Peer)
	}
	return no("the caller is " + callerText(conn) + ", not " + principalText(name))
}

// callerText is who calls, for people.
func callerText(conn *Connection) string {
	switch {
	case !conn.Terminated:
		return "unknown, since the connection is plain text"
	case !conn.PeerKnown:
		return "not known"
	case conn.Peer == "":
		return "without a certificate"
	}
	return conn.Peer
}

// principalText is the condition as an AuthorizationPolicy has it, where
// istiod's own form of it is recognised.
func principalText(m *stringMatcher) string {
	if m.Regex == nil {
		return strings.Replace(m.String(), "spiffe://", "", 1)
	}
	expr := m.Regex.Regex
	if expr == ".+" {
		return "any identity"
	}
	if found := namespaceRegex().FindStringSubmatch(expr); found != nil {
		return "namespace " + strings.ReplaceAll(found[1], ".*", "*")
	}
	if found := accountRegex().FindStringSubmatch(expr); found != nil {
		return "service account " + found[1] + "/" + found[2]
	}
	return "regex " + expr
}

func namespaceRegex() *regexp.Regexp { return regexp.MustCompile(`^\.\*/ns/(.*)/\.\*$`) }

func accountRegex() *regexp.Regexp {
	return regexp.MustCompile(`^spiffe://\.\+/ns/([^/]+)/\(\.\+/\|\)sa/([^/(]+)\(/\.\+\)\?$`)
}

func (m *filterStateIs) match(in *filterInput) Verdict {
	var value string
	known := false
	if in.Call != nil {
		value, known = in.Call.FilterState[m.Key]
	}
	if !known && m.Key == peerPrincipal {
		if !in.Conn.PeerKnown {
			return maybe(unknownCaller)
		}
		if in.Conn.Peer == "" {
			return no("the caller has no identity")
		}
		value, known = "spiffe://"+in.Conn.Peer, true
	}
	switch {
	case !known:
		return maybe("filter state " + m.Key + " is not known")
	case m.String != nil && m.Key == peerPrincipal:
		if v := m.String.match("", value); v.Answer != No {
			return v
		}
		return no("the caller is " + strings.TrimPrefix(value, "spiffe://") + ", not " + principalText(m.String))
	case m.String != nil:
		return m.String.match("filter state "+m.Key, value)
	case m.IP != nil:
		ip, _ := netip.ParseAddr(value)
		verdicts := make([]Verdict, len(m.IP.Ranges))
		for i := range m.IP.Ranges {
			verdicts[i] = inRange("filter state "+m.Key, "filter state "+m.Key+" is no address", ip, &m.IP.Ranges[i])
		}
		return anyOf(fmt.Sprintf("filter state %s is %s", m.Key, value), verdicts...)
	}
	return maybe("the condition on filter state " + m.Key + " is of a kind unknown here")
}

// metadata is what filters left for later ones.
func (in *filterInput) metadata() map[string]any {
	if in.Call != nil {
		return in.Call.Metadata
	}
	return in.Conn.Metadata
}

// clientAddress is the address of the client behind proxies, as the connection
// manager concluded it; without HTTP it is the peer's. why says what would tell
// it.
func clientAddress(in *filterInput) (ip netip.Addr, why string) {
	if in.Call != nil {
		return in.Call.Remote, unknownSource
	}
	return in.Conn.Source.Addr(), unknownSource
}

// match is Envoy's URI template: {*} is one segment, {**} any number of them,
// both with a name before an equals sign or without.
func (t *uriTemplate) match(path string) Verdict {
	expr := regexp.QuoteMeta(t.Config.Template)
	variable := regexp.MustCompile(`\\\{(?:[A-Za-z][A-Za-z0-9_]*)?(?:=?(\\\*\\\*|\\\*)|=[^}]*)?\\\}`)
	plain := true
	expr = variable.ReplaceAllStringFunc(expr, func(v string) string {
		switch {
		case strings.Contains(v, `\*\*`):
			return `[A-Za-z0-9\-._~%!$&'()+,;:@=/*]*`
		case strings.Contains(v, "=") && !strings.HasSuffix(v, `=\*\}`):
			plain = false
		}
		return `[A-Za-z0-9\-._~%!$&'()+,;:@=*]+`
	})
	for _, w := range []struct{ glob, class string }{{`\*\*`, `[A-Za-z0-9\-._~%!$&'()+,;:@=/*]*`}, {`\*`, `[A-Za-z0-9\-._~%!$&'()+,;:@=*]+`}} {
		expr = strings.ReplaceAll(expr, "/"+w.glob, "/"+w.class)
	}
	re, err := regexp.Compile(`\A` + expr + `\z`)
	switch {
	case err != nil || !plain:
		return maybe("the template " + t.Config.Template + " cannot be read here")
	case re.MatchString(path):
		return yes()
	}
	return no(fmt.Sprintf("the path is %q, not %s", path, t.Config.Template))
}
