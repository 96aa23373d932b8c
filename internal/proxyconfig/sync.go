package proxyconfig

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/meshctl/meshctl/internal/hint"
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

// problem says whether the state needs someone to look.
func (s SyncState) problem() bool { return s == Stale || s == Rejected }

// TypeSync is the state of one type of configuration on one proxy.
type TypeSync struct {
	// Type is the short name, such as CDS; the last part of TypeURL when it has none.
	Type    string    `json:"type"`
	TypeURL string    `json:"typeUrl"`
	State   SyncState `json:"state"`
	// SentAt is when istiod last sent it, nil when not known.
	SentAt *time.Time `json:"sentAt,omitempty"`
	// Error is what the proxy said when it refused it.
	Error string `json:"error,omitempty"`
}

// ProxySync is the state of one proxy on one istiod.
type ProxySync struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Cluster   string `json:"cluster"`
	// Kind is sidecar, router, waypoint, ztunnel ...
	Kind    string `json:"kind"`
	Istiod  string `json:"istiod"`
	Version string `json:"version"`
	// Types are the types that the proxy subscribed to, in table order.
	Types []TypeSync `json:"types"`
}

// ID is the proxy as name.namespace.
func (p *ProxySync) ID() string {
	if p.Namespace == "" {
		return p.Name
	}
	return p.Name + "." + p.Namespace
}

// OutOfSync says whether any type is stale or rejected.
func (p *ProxySync) OutOfSync() bool { return p.worst().problem() }

func (p *ProxySync) worst() SyncState {
	worst := Synced
	for _, t := range p.Types {
		if t.State == Rejected || (t.State == Stale && worst != Rejected) {
			worst = t.State
		}
	}
	return worst
}

func (p *ProxySync) state(name string) (TypeSync, bool) {
	i := slices.IndexFunc(p.Types, func(t TypeSync) bool { return t.Type == name })
	if i < 0 {
		return TypeSync{}, false
	}
	return p.Types[i], true
}

// syncz is one element of istiod's /debug/syncz, as it is on the wire.
type syncz struct {
	Cluster       string `json:"cluster_id"`
	Proxy         string `json:"proxy"`
	Kind          string `json:"proxy_type"`
	ProxyVersion  string `json:"proxy_version"`
	IstioVersion  string `json:"istio_version"`
	ClusterSent   string `json:"cluster_sent"`
	ClusterAcked  string `json:"cluster_acked"`
	ListenerSent  string `json:"listener_sent"`
	ListenerAcked string `json:"listener_acked"`
	RouteSent     string `json:"route_sent"`
	RouteAcked    string `json:"route_acked"`
	EndpointSent  string `json:"endpoint_sent"`
	EndpointAcked string `json:"endpoint_acked"`
	ExtSent       string `json:"extensionconfig_sent"`
	ExtAcked      string `json:"extensionconfig_acked"`

	Resources map[string]struct {
		Sent      string    `json:"sent"`
		Acked     string    `json:"acked"`
		SentTime  time.Time `json:"sentTime"`
		LastError string    `json:"lastError"`
	} `json:"resources"`
}

// ParseSyncz reads what the istiod of this name answered on /debug/syncz.
func ParseSyncz(istiod string, r io.Reader) ([]ProxySync, error) {
	var wire []syncz
	if err := json.NewDecoder(r).Decode(&wire); err != nil {
		return nil, hint.Unanswerablef("is this pod an istiod of Istio 1.10 or later?", "reading the sync state that %s reports: %w", istiod, err)
	}
	proxies := make([]ProxySync, 0, len(wire))
	for i := range wire {
		proxies = append(proxies, wire[i].proxy(istiod))
	}
	return proxies, nil
}

func (w *syncz) proxy(istiod string) ProxySync {
	p := ProxySync{Name: w.Proxy, Cluster: w.Cluster, Kind: w.Kind, Istiod: istiod, Version: w.IstioVersion, Types: []TypeSync{}}
	if i := strings.LastIndexByte(w.Proxy, '.'); i > 0 {
		p.Name, p.Namespace = w.Proxy[:i], w.Proxy[i+1:]
	}
	if p.Version == "" {
		p.Version = w.ProxyVersion
	}
	if w.Resources == nil {
		p.Types = w.oldTypes()
	}
	for url, r := range w.Resources {
		t := TypeSync{Type: typeName(url), TypeURL: url, State: stateOf(r.Sent, r.Acked, r.LastError), Error: r.LastError}
		if !r.SentTime.IsZero() {
			sent := r.SentTime.UTC()
			t.SentAt = &sent
		}
		p.Types = append(p.Types, t)
	}
	slices.SortFunc(p.Types, func(a, b TypeSync) int { return compareTypes(a.Type, b.Type) })
	return p
}

// oldTypes are the types as istiod reported them before it had "resources".
func (w *syncz) oldTypes() []TypeSync {
	types := []TypeSync{}
	for _, t := range []struct{ url, sent, acked string }{
		{typeURL("config.cluster.v3.Cluster"), w.ClusterSent, w.ClusterAcked},
		{typeURL("config.listener.v3.Listener"), w.ListenerSent, w.ListenerAcked},
		{typeURL("config.endpoint.v3.ClusterLoadAssignment"), w.EndpointSent, w.EndpointAcked},
		{typeURL("config.route.v3.RouteConfiguration"), w.RouteSent, w.RouteAcked},
		{typeURL("config.core.v3.TypedExtensionConfig"), w.ExtSent, w.ExtAcked},
	} {
		types = append(types, TypeSync{Type: typeName(t.url), TypeURL: t.url, State: stateOf(t.sent, t.acked, "")})
	}
	return types
}

func stateOf(sent, acked, lastError string) SyncState {
	switch {
	case lastError != "":
		return Rejected
	case sent == "":
		return NotSent
	case sent == acked:
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

// tableTypes always have a column, in this order.
func tableTypes() []string { return []string{"CDS", "LDS", "EDS", "RDS", "ECDS"} }

func compareTypes(a, b string) int {
	ia, ib := slices.Index(tableTypes(), a), slices.Index(tableTypes(), b)
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

// age is a duration as kubectl writes it, at most two units.
func age(d time.Duration) string {
	d = max(d, 0)
	seconds, minutes, hours := int(d.Seconds()), int(d.Minutes()), int(d.Hours())
	pair := func(big int, unit string, small int, smallUnit string) string {
		if small == 0 {
			return fmt.Sprintf("%d%s", big, unit)
		}
		return fmt.Sprintf("%d%s%d%s", big, unit, small, smallUnit)
	}
	switch {
	case seconds < 120:
		return fmt.Sprintf("%ds", seconds)
	case minutes < 10:
		return pair(minutes, "m", seconds%60, "s")
	case minutes < 180:
		return fmt.Sprintf("%dm", minutes)
	case hours < 8:
		return pair(hours, "h", minutes%60, "m")
	case hours < 48:
		return fmt.Sprintf("%dh", hours)
	}
	return fmt.Sprintf("%dd", hours/24)
}
