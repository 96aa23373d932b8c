package proxyconfig

import (
	"time"

	"github.com/meshctl/meshctl/internal/output"
)

// AllPath is the admin request for what [ReadAll] reads: everything at once.
const AllPath = "/config_dump?include_eds"

// AllFilter chooses from all parts; a filter concerns the parts that have what
// it names.
type AllFilter struct {
	Cluster  ClusterFilter
	Listener ListenerFilter
	Route    RouteFilter
}

// All is the result of proxy-config all.
type All struct {
	Proxy      string        `json:"proxy"`
	Bootstrap  *Bootstrap    `json:"bootstrap"`
	Clusters   []Cluster     `json:"clusters"`
	Listeners  []Listener    `json:"listeners"`
	Routes     []RouteConfig `json:"routes"`
	Secrets    []Secret      `json:"secrets"`
	Endpoints  []Endpoint    `json:"endpoints"`
	Extensions []Extension   `json:"extensions"`
	// Missing is how many clusters have endpoints that the dump leaves out.
	Missing int `json:"clustersWithoutEndpointData"`
	// Brief shows one row per listener and route table.
	Brief bool `json:"-"`
	// Headings puts a line above each table that says what it is.
	Headings bool `json:"-"`

	now time.Time
}

// ReadAll reads everything of a dump in one walk.
func ReadAll(s Source, f AllFilter, now time.Time) (*All, error) {
	b := &Bootstrap{Proxy: s.Name}
	clusters, listeners, routes := &ClusterList{Clusters: []Cluster{}}, &ListenerList{Listeners: []Listener{}}, &RouteList{Routes: []RouteConfig{}}
	secrets, endpoints, extensions := &SecretList{Secrets: []Secret{}, now: now}, &EndpointList{Endpoints: []Endpoint{}}, &ExtensionList{Extensions: []Extension{}}
	err := s.read(b.part(), clusters.part(f.Cluster), listeners.part(f.Listener), routes.part(f.Route),
		secrets.part(), endpoints.reader(EndpointFilter{}).part(), extensions.part())
	if err != nil {
		return nil, err
	}
	return &All{
		Proxy: s.Name, Bootstrap: b, Clusters: clusters.Clusters, Listeners: listeners.Listeners, Routes: routes.Routes,
		Secrets: secrets.Secrets, Endpoints: endpoints.Endpoints, Extensions: extensions.Extensions, Missing: endpoints.Missing, now: now,
	}, nil
}

// DocumentKind is the kind of the JSON and YAML document.
func (*All) DocumentKind() string { return "ProxyConfiguration" }

// Tables are those of the parts; their rows name the part that they belong to.
func (a *All) Tables(wide bool) []output.Table {
	clusters := one((&ClusterList{Clusters: a.Clusters}).Tables(wide))
	listeners := one((&ListenerList{Listeners: a.Listeners, Brief: a.Brief}).Tables(wide))
	routes := one((&RouteList{Routes: a.Routes, Brief: a.Brief}).Tables(wide))
	secrets := one((&SecretList{Secrets: a.Secrets, now: a.now}).Tables(wide))
	endpoints := one((&EndpointList{Endpoints: a.Endpoints, sent: true}).Tables(wide))
	extensions := one((&ExtensionList{Extensions: a.Extensions}).Tables(wide))
	tables := []output.Table{
		one(a.Bootstrap.Tables(wide)),
		named("cluster/", clusters, func(i int) string { return a.Clusters[i].Name }),
		named("listener/", listeners, a.listenerOf(len(listeners.Rows))),
		prefixed("route/", routes), prefixed("secret/", secrets), prefixed("endpoint/", endpoints),
	}
	titles := []string{"BOOTSTRAP", "CLUSTER", "LISTENER", "ROUTE", "SECRET", "ENDPOINTS"}
	if len(a.Extensions) > 0 {
		tables, titles = append(tables, prefixed("ecds/", extensions)), append(titles, "ECDS")
	}
	if a.Headings {
		for i := range tables {
			tables[i].Title = "------ " + titles[i] + " INFO ------\n"
		}
	}
	return tables
}

// listenerOf finds the listener of each of n rows: they have one per filter chain.
func (a *All) listenerOf(n int) func(row int) string {
	names := make([]string, 0, n)
	for i := range a.Listeners {
		rows := max(1, len(a.Listeners[i].Chains))
		if a.Brief {
			rows = 1
		}
		for range rows {
			names = append(names, a.Listeners[i].Name)
		}
	}
	return func(row int) string { return names[row] }
}

func one(tables []output.Table) output.Table { return tables[0] }

// named puts a column NAME in front.
func named(prefix string, t output.Table, name func(row int) string) output.Table {
	t.Columns = append([]string{"NAME"}, t.Columns...)
	for i := range t.Rows {
		t.Rows[i] = append([]string{prefix + name(i)}, t.Rows[i]...)
	}
	t.Tone = shifted(t.Tone)
	return t
}

// prefixed puts a prefix before the first column, which is a name already.
func prefixed(prefix string, t output.Table) output.Table {
	for i := range t.Rows {
		t.Rows[i][0] = prefix + t.Rows[i][0]
	}
	return t
}
