package trace

import (
	"encoding/json"
	"strings"
)

// sniff is what the listener's filters find out about the connection before
// the chain is chosen. tcp says that no HTTP is spoken on it.
func (b *listenerBody) sniff(conn *Connection, protocol string) *chainFacts {
	f := &chainFacts{conn: conn}
	inspected := false
	for i := range b.Filters {
		lf := &b.Filters[i]
		if off := lf.disabledFor(conn); off.Answer == Yes {
			continue
		} else if off.Answer == Maybe {
			f.unsure = off.Why
		}
		switch kind := shortType(lf.typeURL()); {
		case strings.HasSuffix(kind, ".TlsInspector"):
			inspected = true
		case strings.HasSuffix(kind, ".HttpInspector"):
			f.sniffHTTP(protocol)
		case strings.HasSuffix(kind, ".OriginalDst"), strings.HasSuffix(kind, ".OriginalSrc"), strings.HasSuffix(kind, ".ProxyProtocol"):
			// The addresses asked about are those that these find.
		default:
			f.unsure = "what the listener filter " + lf.Name + " makes of the connection"
		}
	}
	switch {
	case !inspected, conn.Plaintext:
		// What nobody looked into counts as plain text.
		f.transport = "raw_buffer"
	case conn.TLS:
		f.transport, f.sni, f.alpn = "tls", conn.SNI, conn.ALPN
	}
	return f
}

// sniffHTTP finds the protocol of plain HTTP by its first bytes.
func (f *chainFacts) sniffHTTP(protocol string) {
	if f.conn.TLS {
		return
	}
	switch protocol {
	case "HTTP/1.0":
		f.alpn = []string{"http/1.0"}
	case "HTTP/1.1":
		f.alpn = []string{"http/1.1"}
	case "HTTP/2":
		f.alpn = []string{"h2c"}
	}
}

// portPredicate is Envoy's ListenerFilterChainMatchPredicate.
type portPredicate struct {
	Or    *struct{ Rules []portPredicate } `json:"or_match"`
	And   *struct{ Rules []portPredicate } `json:"and_match"`
	Not   *portPredicate                   `json:"not_match"`
	Any   *bool                            `json:"any_match"`
	Range *struct{ Start, End int }        `json:"destination_port_range"`
}

// disabledFor says whether the listener filter looks away from this connection.
func (e *extension) disabledFor(conn *Connection) Verdict {
	if e.OffFor == nil {
		return no("")
	}
	var p portPredicate
	if json.Unmarshal(e.OffFor, &p) != nil {
		return maybe("whether the listener filter " + e.Name + " looks at the connection")
	}
	return p.match(conn.Port)
}

func (p *portPredicate) match(port int) Verdict {
	switch {
	case p.Or != nil:
		verdicts := make([]Verdict, 0, len(p.Or.Rules))
		for i := range p.Or.Rules {
			verdicts = append(verdicts, p.Or.Rules[i].match(port))
		}
		return anyOf("", verdicts...)
	case p.And != nil:
		verdicts := make([]Verdict, 0, len(p.And.Rules))
		for i := range p.And.Rules {
			verdicts = append(verdicts, p.And.Rules[i].match(port))
		}
		return all(verdicts...)
	case p.Not != nil:
		return p.Not.match(port).not("")
	case p.Any != nil:
		return yes()
	case p.Range != nil:
		if p.Range.Start <= port && port < p.Range.End {
			return yes()
		}
		return no("")
	}
	return maybe("a condition on listener filters that is unknown here")
}
