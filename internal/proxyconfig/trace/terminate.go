package trace

import (
	"encoding/json"
	"fmt"
	"strings"
)

type downstreamTLS struct {
	Common  commonTLS `json:"common_tls_context"`
	Require bool      `json:"require_client_certificate"`
}

// terminate does what the chain's transport socket does; false says that the
// walk has ended there.
func (w *walker) terminate(c *chain) bool {
	if c.Transport == nil {
		return true
	}
	switch kind := shortType(c.Transport.typeURL()); {
	case strings.HasSuffix(kind, ".DownstreamTlsContext"):
	case strings.HasSuffix(kind, ".RawBuffer"):
		return true
	default:
		w.pass("TLS", "what comes out of the transport socket "+orText(c.Transport.Name, kind))
		return true
	}
	var t downstreamTLS
	if err := json.Unmarshal(c.Transport.Config, &t); err != nil {
		w.stuck("TLS", "the chain's TLS settings cannot be read: "+err.Error(), "the TLS settings of the chain")
		return false
	}
	if w.conn.Plaintext {
		return w.noTLS("the chain takes TLS only, and the client speaks plain text")
	}
	w.conn.Terminated = true
	return w.handshake(&t)
}

func (w *walker) noTLS(why string) bool {
	w.step(Step{Name: "TLS", State: Failed, Text: why})
	w.end(Closed, why+": the connection is closed", nil)
	return false
}

// handshake checks the client's certificate.
func (w *walker) handshake(t *downstreamTLS) bool {
	if !t.Common.checks() && !t.Require {
		w.conn.Peer, w.conn.PeerKnown = "", true // nobody asks for one
		w.step(Step{Name: "TLS", State: OK, Text: "TLS ends here; the client needs no certificate"})
		return true
	}
	if !w.conn.PeerKnown {
		if t.Require {
			w.pass("TLS", "whether the client has a certificate that is accepted here: name its identity with --source-principal")
		}
		return true
	}
	if w.conn.Peer == "" {
		if t.Require {
			return w.noTLS("the chain requires a client certificate (mutual TLS), and the client has none")
		}
		w.step(Step{Name: "TLS", State: OK, Text: "TLS ends here; the client shows no certificate"})
		return true
	}
	id := "spiffe://" + w.conn.Peer
	if why := t.Common.accepts(id); why != "" {
		return w.noTLS(why)
	}
	w.step(Step{Name: "TLS", State: OK, Text: "mutual TLS ends here; the client is " + id})
	return true
}

// accepts is empty when a certificate with this identity is accepted.
func (c *commonTLS) accepts(id string) string {
	v := c.Context
	if c.Combined != nil {
		v = &c.Combined.Default
	}
	if v == nil {
		return ""
	}
	matchers := v.Names
	for i := range v.Typed {
		matchers = append(matchers, v.Typed[i].Matcher)
	}
	for i := range matchers {
		if matchers[i].match("the identity", id).Answer == Yes {
			return ""
		}
	}
	if len(matchers) == 0 {
		return ""
	}
	return fmt.Sprintf("the certificate of %s is not accepted: it must be %s", id, strings.Join(c.names(), " or "))
}
