package trace

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// chainFacts are what a listener's filters found out about a connection.
type chainFacts struct {
	conn      *Connection
	transport string // tls, raw_buffer; "" is unknown
	sni       string
	alpn      []string
	// unsure says why sni and alpn may be others.
	unsure string
}

// chainPick is which filter chain a connection gets.
type chainPick struct {
	chain    *chain // nil when none matches
	rejected []Candidate
	unsure   string // what would have to be known, else ""
}

// rank says how well a chain fits in one respect: below zero it does not, and
// of several the highest is taken, whatever follows: Envoy never goes back.
type rank struct {
	value  int
	why    string
	unsure string
}

func noFit(format string, args ...any) rank {
	return rank{value: -1, why: fmt.Sprintf(format, args...)}
}

// pickChain finds the chain as Envoy does, respect by respect: destination
// port and address, server name, transport, ALPN, then the source.
func (b *listenerBody) pickChain(f *chainFacts) chainPick {
	var p chainPick
	left := b.Chains
	for _, level := range chainLevels() {
		if left = p.narrow(left, f, level); p.unsure != "" {
			return p
		}
	}
	switch {
	case len(left) > 0:
		p.chain = left[0]
	case b.Default != nil:
		p.chain = b.Default
	}
	return p
}

type chainLevel func(*chainFacts, *chainMatch) rank

func chainLevels() []chainLevel {
	return []chainLevel{rankPort, rankAddress, rankServerName, rankTransport, rankALPN, rankDirect, rankSourceType, rankSource, rankSourcePort}
}

// narrow keeps the chains that fit best at this level.
func (p *chainPick) narrow(chains []*chain, f *chainFacts, level chainLevel) []*chain {
	ranks := make([]rank, len(chains))
	best := 0
	for i, c := range chains {
		ranks[i] = level(f, &c.Match)
		if ranks[i].unsure != "" {
			p.unsure = ranks[i].unsure
			return nil
		}
		best = max(best, ranks[i].value)
	}
	var kept []*chain
	for i, c := range chains {
		switch {
		case ranks[i].value == best:
			kept = append(kept, c)
			continue
		case ranks[i].value >= 0:
			ranks[i].why = "another chain fits more exactly"
			if ranks[i].value == 0 && c.Match.String() == "" {
				ranks[i].why = "it is for what no other chain takes"
			}
		}
		p.rejected = append(p.rejected, Candidate{Name: c.title(), Why: ranks[i].why})
	}
	return kept
}

// title names a chain: istiod gives several of one listener the same name.
func (c *chain) title() string {
	return strings.TrimSpace(c.Name + " (" + orText(c.Match.String(), "any connection") + ")")
}

func orText(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func rankPort(f *chainFacts, m *chainMatch) rank {
	switch {
	case m.Port == nil || *m.Port == 0:
		return rank{}
	case f.conn.Port == 0:
		return rank{unsure: "the destination port"}
	case *m.Port != f.conn.Port:
		return noFit("it is for port %d, not %d", *m.Port, f.conn.Port)
	}
	return rank{value: 1}
}

func rankAddress(f *chainFacts, m *chainMatch) rank {
	return rankRanges("destination", f.conn.Destination, m.Ranges)
}

// rankRanges is the length of the longest range that has the address.
func rankRanges(what string, ip netip.Addr, ranges []cidr) rank {
	if len(ranges) == 0 {
		return rank{}
	}
	if !ip.IsValid() {
		if slices.ContainsFunc(ranges, func(c cidr) bool { return c.Length > 0 }) {
			return rank{unsure: "the " + what + " address"}
		}
		return rank{}
	}
	best := -1
	for _, c := range ranges {
		if p, ok := c.prefix(); ok && p.Contains(ip.Unmap()) {
			best = max(best, p.Bits())
		}
	}
	if best < 0 {
		return noFit("it is for %s %s, not %s", what, joinRanges(ranges), ip)
	}
	return rank{value: best}
}

func joinRanges(ranges []cidr) string {
	var parts []string
	for _, c := range ranges {
		parts = append(parts, c.String())
	}
	return strings.Join(parts, ", ")
}

func rankServerName(f *chainFacts, m *chainMatch) rank {
	if len(m.ServerNames) == 0 {
		return rank{}
	}
	if f.unsure != "" {
		return rank{unsure: f.unsure}
	}
	sni, best := asciiLower(f.sni), -1
	for _, name := range m.ServerNames {
		suffix, wild := strings.CutPrefix(name, "*")
		switch {
		case name == sni && name != "":
			best = 1 << 20
		case wild && len(sni) > len(suffix) && strings.HasSuffix(sni, suffix) && strings.HasPrefix(suffix, "."):
			best = max(best, len(suffix))
		case name == "":
			best = max(best, 0)
		}
	}
	switch {
	case best >= 0:
		return rank{value: best}
	case sni == "":
		return noFit("it is for the SNI %s, and none is known", strings.Join(m.ServerNames, ", "))
	}
	return noFit("it is for the SNI %s, not %s", strings.Join(m.ServerNames, ", "), sni)
}

func rankTransport(f *chainFacts, m *chainMatch) rank {
	switch m.Transport {
	case "":
		return rank{}
	case f.transport:
		return rank{value: 1}
	}
	if f.transport == "" {
		return rank{unsure: "whether the connection is TLS"}
	}
	return noFit("it is for %s, and this is %s", transportName(m.Transport), transportName(f.transport))
}

func transportName(transport string) string {
	if transport == "raw_buffer" {
		return "plain text"
	}
	return strings.ToUpper(transport)
}

func rankALPN(f *chainFacts, m *chainMatch) rank {
	if len(m.ALPN) == 0 {
		return rank{}
	}
	if f.unsure != "" {
		return rank{unsure: f.unsure}
	}
	for i, protocol := range f.alpn {
		if slices.Contains(m.ALPN, protocol) {
			return rank{value: len(f.alpn) - i}
		}
	}
	return noFit("it is for the protocols %s, and here is %s", strings.Join(m.ALPN, ", "), orText(strings.Join(f.alpn, ", "), "none known"))
}

func rankDirect(f *chainFacts, m *chainMatch) rank {
	return rankRanges("directly connected", f.conn.Source.Addr(), m.Direct)
}

func rankSourceType(f *chainFacts, m *chainMatch) rank {
	if m.SourceType == "" || m.SourceType == "ANY" {
		return rank{}
	}
	src, dst := f.conn.Source.Addr(), f.conn.Destination
	if !src.IsValid() {
		return rank{unsure: "the source address"}
	}
	local := src.IsLoopback() || src.Unmap() == dst.Unmap()
	if local != (m.SourceType == "SAME_IP_OR_LOOPBACK") {
		return noFit("it is for connections from %s", map[bool]string{true: "other hosts", false: "the same host"}[local])
	}
	return rank{value: 1}
}

func rankSource(f *chainFacts, m *chainMatch) rank {
	return rankRanges("source", f.conn.Source.Addr(), m.Sources)
}

func rankSourcePort(f *chainFacts, m *chainMatch) rank {
	switch {
	case len(m.SourcePorts) == 0:
		return rank{}
	case f.conn.Source.Port() == 0:
		return rank{unsure: "the source port"}
	case !slices.Contains(m.SourcePorts, int(f.conn.Source.Port())):
		return noFit("it is for the source ports %v", m.SourcePorts)
	}
	return rank{value: 1}
}

// String is the condition of the chain; "" for none.
func (m *chainMatch) String() string {
	var parts []string
	add := func(what, value string) {
		if value != "" {
			parts = append(parts, what+" "+value)
		}
	}
	if m.Port != nil && *m.Port != 0 {
		add("port", strconv.Itoa(*m.Port))
	}
	add("destination", joinRanges(m.Ranges))
	add("SNI", strings.Join(m.ServerNames, ","))
	add("", map[string]string{"tls": "TLS", "raw_buffer": "plain text"}[m.Transport])
	add("ALPN", strings.Join(m.ALPN, ","))
	add("directly from", joinRanges(m.Direct))
	add("", map[string]string{"EXTERNAL": "from other hosts", "SAME_IP_OR_LOOPBACK": "from this host"}[m.SourceType])
	add("from", joinRanges(m.Sources))
	if len(m.SourcePorts) > 0 {
		add("source ports", fmt.Sprint(m.SourcePorts))
	}
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return strings.Join(parts, ", ")
}
