package proxyconfig

import (
	"bytes"
	"slices"
	"strings"
	"time"
)

// SyncState is how a proxy stands with one type of configuration.
type SyncState string

// The states, from good to bad.
const (
	// Synced: the proxy accepted the last configuration sent.
	Synced SyncState = "SYNCED"
	// NotSent: the proxy asked for the type; istiod had nothing to send.
	NotSent SyncState = "NOT_SENT"
	// Stale: the proxy has not answered the last configuration sent.
	Stale SyncState = "STALE"
	// Rejected: the proxy refused the last configuration sent (a NACK).
	Rejected SyncState = "ERROR"
)

// TypeSync is the state of one type of configuration on one proxy.
type TypeSync struct {
	// Type is the short name, such as CDS; the last part of TypeURL when it has none.
	Type    string    `json:"type"`
	TypeURL string    `json:"typeUrl"`
	State   SyncState `json:"state"`
	// SentAt is when istiod last sent it, nil when not known.
	SentAt *time.Time `json:"sentAt,omitempty"`
	// InFlight says that it is stale, but so short a time that the answer may be
	// under way.
	InFlight bool `json:"inFlight,omitempty"`
	// Error is what the proxy said when it refused it.
	Error string `json:"error,omitempty"`
}

// ProxySync is the state of one proxy on one istiod.
type ProxySync struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Cluster   string `json:"cluster"`
	// Kind is sidecar, router, waypoint, ztunnel ...; empty where istiod does not say.
	Kind   string `json:"kind"`
	Istiod string `json:"istiod"`
	// Context is the kubeconfig context of that istiod.
	Context string `json:"context,omitempty"`
	Version string `json:"version"`
	// Types are the types that the proxy subscribed to, in table order.
	Types []TypeSync `json:"types"`

	// ahead is how far istiod's clock is before this machine's.
	ahead time.Duration
}

// Age is how long ago a type was sent, by istiod's clock; ok is false when
// that is not known.
func (p *ProxySync) Age(t TypeSync, now time.Time) (age time.Duration, ok bool) {
	if t.SentAt == nil {
		return 0, false
	}
	return max(now.Add(p.ahead).Sub(*t.SentAt), 0), true
}

// OnThisClock is the proxy with the times at which it was sent something by
// this machine's clock, not its istiod's.
func (p ProxySync) OnThisClock() ProxySync {
	p.Types = slices.Clone(p.Types)
	for i := range p.Types {
		if t := p.Types[i].SentAt; t != nil {
			at := t.Add(-p.ahead)
			p.Types[i].SentAt = &at
		}
	}
	p.ahead = 0
	return p
}

// ID is the proxy as name.namespace.
func (p *ProxySync) ID() string {
	if p.Namespace == "" {
		return p.Name
	}
	return p.Name + "." + p.Namespace
}

// Worst is the worst state of all types; a push in flight is none.
func (p *ProxySync) Worst() SyncState {
	worst := Synced
	for _, t := range p.Types {
		if t.State == Rejected || (t.State == Stale && !t.InFlight && worst != Rejected) {
			worst = t.State
		}
	}
	return worst
}

// Type is how the proxy stands with the type of this short name; ok is false
// when it did not subscribe to it.
func (p *ProxySync) Type(name string) (t TypeSync, ok bool) {
	i := slices.IndexFunc(p.Types, func(t TypeSync) bool { return t.Type == name })
	if i < 0 {
		return TypeSync{}, false
	}
	return p.Types[i], true
}

// stateOf compares nonces as they are in JSON; without one stands nothing or "".
func stateOf(sent, acked []byte, lastError string) SyncState {
	switch {
	case lastError != "":
		return Rejected
	case len(sent) <= len(`""`) || string(sent) == "null":
		return NotSent
	case bytes.Equal(sent, acked):
		return Synced
	}
	return Stale
}

func typeURL(name string) string { return "type.googleapis.com/envoy." + name }

// typeName is the short name of a type of configuration.
func typeName(url string) string {
	name := url[strings.LastIndexByte(url, '/')+1:]
	switch name {
	case "envoy.config.cluster.v3.Cluster":
		return "CDS"
	case "envoy.config.listener.v3.Listener":
		return "LDS"
	case "envoy.config.endpoint.v3.ClusterLoadAssignment":
		return "EDS"
	case "envoy.config.route.v3.RouteConfiguration":
		return "RDS"
	case "envoy.config.core.v3.TypedExtensionConfig":
		return "ECDS"
	case "envoy.extensions.transport_sockets.tls.v3.Secret":
		return "SDS"
	case "istio.networking.nds.v1.NameTable":
		return "NDS"
	case "istio.mesh.v1alpha1.ProxyConfig":
		return "PCDS"
	case "istio.workload.Address", "istio.workload.Workload":
		return "WDS"
	case "istio.security.Authorization":
		return "WADS"
	}
	return name[strings.LastIndexByte(name, '.')+1:]
}

// SyncTypes are the types of every Envoy, in the order of their columns.
func SyncTypes() []string { return []string{"CDS", "LDS", "EDS", "RDS", "ECDS"} }

// CompareSyncTypes orders short names of types as tables do.
func CompareSyncTypes(a, b string) int {
	ia, ib := slices.Index(SyncTypes(), a), slices.Index(SyncTypes(), b)
	switch {
	case ia >= 0 && ib >= 0:
		return ia - ib
	case ia >= 0:
		return -1
	case ib >= 0:
		return 1
	}
	return strings.Compare(a, b)
}
