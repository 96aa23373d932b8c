package trace

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

// Dump is the configuration of one Envoy, indexed by name and decoded where a
// request passes: of tens of megabytes a request needs a few kilobytes.
type Dump struct {
	// Name is the pod or file that it is from.
	Name string
	// Node is the proxy's id as istiod knows it: sidecar~IP~POD.NS~DOMAIN.
	Node string

	listeners []*listener
	routes    map[string]json.RawMessage // route configurations
	clusters  map[string]json.RawMessage
	order     []string // the clusters' names as they stand in the dump
	endpoints map[string]json.RawMessage
	filters   map[string]json.RawMessage // filters of ECDS, as typed_config
	secrets   map[string]json.RawMessage
	bootstrap bootstrap
	// hasEndpoints says that the dump was taken with include_eds; status is
	// what /clusters adds: health as this Envoy sees it.
	hasEndpoints bool
	status       map[string]json.RawMessage
	// scoped says that there are scoped routes, which are not read.
	scoped bool

	mu     sync.Mutex // guards tables, which are decoded on demand
	tables map[string]*routeTable
}

type bootstrap struct {
	Node struct {
		ID       string `json:"id"`
		Cluster  string `json:"cluster"`
		Metadata struct {
			Namespace      string `json:"NAMESPACE"`
			ServiceAccount string `json:"SERVICE_ACCOUNT"`
		} `json:"metadata"`
	} `json:"node"`
	Runtime struct {
		Layers []struct {
			Static map[string]any `json:"static_layer"`
		} `json:"layers"`
	} `json:"layered_runtime"`
}

// ReadDump reads the whole configuration of an Envoy, in one pass.
func ReadDump(s proxyconfig.Source) (*Dump, error) {
	d := newDump(s.Name)
	if err := s.Each(nil, d.fields()); err != nil {
		return nil, err
	}
	if len(d.listeners) == 0 && len(d.clusters) == 0 {
		return nil, hint.Unanswerablef("take it whole with `curl 'localhost:15000/config_dump?include_eds'`", "%s has neither listeners nor clusters", s.Name)
	}
	return d, nil
}

func newDump(name string) *Dump {
	return &Dump{
		Name: name, routes: map[string]json.RawMessage{}, clusters: map[string]json.RawMessage{},
		endpoints: map[string]json.RawMessage{}, filters: map[string]json.RawMessage{},
		secrets: map[string]json.RawMessage{}, tables: map[string]*routeTable{}, status: map[string]json.RawMessage{},
	}
}

// AddStatus adds what Envoy's /clusters?format=json says: the health of
// endpoints as this Envoy sees it, outliers among it.
func (d *Dump) AddStatus(s proxyconfig.Source) error {
	return s.Each(nil, map[string]proxyconfig.Field{"cluster_statuses": d.index(d.status, "name")})
}

func (d *Dump) fields() map[string]proxyconfig.Field {
	secrets := d.index(d.secrets, "name")
	routes, endpoints := d.index(d.routes, "name", "route_config"), d.index(d.endpoints, "cluster_name", "endpoint_config")
	eds := func(e proxyconfig.Element) error { d.hasEndpoints = true; return endpoints(e) }
	scoped := func(proxyconfig.Element) error { d.scoped = true; return nil }
	return map[string]proxyconfig.Field{
		"bootstrap":                    d.readBootstrap,
		"static_clusters":              d.readCluster,
		"dynamic_active_clusters":      d.readCluster,
		"static_listeners":             d.readListener,
		"dynamic_listeners":            d.readListener,
		"static_route_configs":         routes,
		"dynamic_route_configs":        routes,
		"static_endpoint_configs":      eds,
		"dynamic_endpoint_configs":     eds,
		"ecds_filters":                 d.index(d.filters, "name", "ecds_filter"),
		"static_secrets":               secrets,
		"dynamic_active_secrets":       secrets,
		"inline_scoped_route_configs":  scoped,
		"dynamic_scoped_route_configs": scoped,
		"cluster_statuses":             d.index(d.status, "name"),
	}
}

// index keeps elements by the name in them; names lead to the part that is kept.
func (d *Dump) index(into map[string]json.RawMessage, key string, names ...string) proxyconfig.Field {
	return func(e proxyconfig.Element) error {
		part := member(e.JSON(), names...)
		if part == nil {
			return nil
		}
		name := textOf(member(part, key))
		if _, ok := into[name]; !ok {
			into[name] = bytes.Clone(part)
		}
		return nil
	}
}

func (d *Dump) readBootstrap(e proxyconfig.Element) error {
	_, err := e.Decode(&d.bootstrap)
	d.Node = d.bootstrap.Node.ID
	return err
}

func (d *Dump) readCluster(e proxyconfig.Element) error {
	part := member(e.JSON(), "cluster")
	if part == nil {
		return nil
	}
	name := textOf(member(part, "name"))
	if _, ok := d.clusters[name]; !ok {
		d.order = append(d.order, name)
	}
	d.clusters[name] = bytes.Clone(part)
	return nil
}

// readListener keeps the version of a listener that takes connections: the
// active one. One that is only warming takes none.
func (d *Dump) readListener(e proxyconfig.Element) error {
	text := e.JSON()
	l := &listener{Name: textOf(member(text, "name"))}
	part := member(text, "active_state", "listener")
	if part == nil {
		part = member(text, "listener") // a static one
	}
	if part == nil {
		l.warming = member(text, "warming_state") != nil
		l.rejected = textOf(member(text, "error_state", "details"))
	} else {
		l.raw = bytes.Clone(part)
		if err := l.index(); err != nil {
			return err
		}
	}
	d.listeners = append(d.listeners, l)
	return nil
}

// HasEndpoints says whether the dump tells the endpoints: it was taken with
// include_eds, or /clusters was added.
func (d *Dump) HasEndpoints() bool { return d.hasEndpoints || len(d.status) > 0 }

// table decodes a route table, once; nil when there is none of that name.
func (d *Dump) table(name string) (*routeTable, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if t, ok := d.tables[name]; ok {
		return t, nil
	}
	raw, ok := d.routes[name]
	if !ok {
		return nil, nil
	}
	t := &routeTable{Name: name}
	if err := json.Unmarshal(raw, t); err != nil {
		return nil, fmt.Errorf("reading route table %s: %w", name, err)
	}
	d.tables[name] = t
	return t, nil
}
