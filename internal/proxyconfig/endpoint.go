package proxyconfig

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/output"
)

// EndpointsPath is the admin request for what [ReadEndpoints] reads; it also
// reads config dumps.
const EndpointsPath = "/clusters?format=json"

// Endpoint is one address of a cluster.
type Endpoint struct {
	Address string `json:"address"`
	Port    int    `json:"port,omitempty"`
	// Status is HEALTHY, UNHEALTHY, DRAINING, DEGRADED, TIMEOUT or UNKNOWN.
	Status string `json:"status"`
	// Outlier is OK or FAILED (ejected), empty when the dump does not say.
	Outlier  string          `json:"outlierCheck,omitempty"`
	Cluster  string          `json:"cluster"`
	Weight   int             `json:"weight,omitempty"`
	Priority int             `json:"priority"`
	Locality string          `json:"locality,omitempty"`
	Hostname string          `json:"hostname,omitempty"`
	Config   json.RawMessage `json:"config,omitempty"`
	text     string
}

// EndpointFilter chooses endpoints; empty members choose all.
type EndpointFilter struct {
	Address string
	Port    int
	// Cluster is the whole name, without regard to case.
	Cluster string
	Status  string
}

func (f EndpointFilter) match(e *Endpoint) bool {
	return (f.Address == "" || f.Address == e.Address || f.Address == e.text) &&
		(f.Port == 0 || f.Port == e.Port) &&
		(f.Cluster == "" || strings.EqualFold(f.Cluster, e.Cluster)) &&
		(f.Status == "" || strings.EqualFold(f.Status, e.Status))
}

// EndpointList is the result of proxy-config endpoint.
type EndpointList struct {
	Proxy     string     `json:"proxy"`
	Endpoints []Endpoint `json:"endpoints"`
	// Missing is how many clusters have endpoints that the dump leaves out.
	Missing int `json:"clustersWithoutEndpointData"`
}

type wireEndpointHost struct {
	Address  wireAddress `json:"address"`
	Hostname string      `json:"hostname"`
}

type wireAssignment struct {
	Cluster string `json:"cluster_name"`
	Groups  []struct {
		Locality  wireLocality `json:"locality"`
		Priority  int          `json:"priority"`
		Endpoints []struct {
			Endpoint wireEndpointHost `json:"endpoint"`
			Health   string           `json:"health_status"`
			Weight   int              `json:"load_balancing_weight"`
		} `json:"lb_endpoints"`
	} `json:"endpoints"`
}

type wireLocality struct {
	Region string `json:"region"`
	Zone   string `json:"zone"`
	Sub    string `json:"sub_zone"`
}

func (l wireLocality) String() string {
	return strings.TrimRight(strings.Join([]string{l.Region, l.Zone, l.Sub}, "/"), "/")
}

type wireClusterStatus struct {
	Name  string `json:"name"`
	Hosts []struct {
		wireEndpointHost
		Health struct {
			EDS     string `json:"eds_health_status"`
			Active  bool   `json:"failed_active_health_check"`
			Outlier bool   `json:"failed_outlier_check"`
		} `json:"health_status"`
		Weight   int          `json:"weight"`
		Priority int          `json:"priority"`
		Locality wireLocality `json:"locality"`
	} `json:"host_statuses"`
}

// endpointReader gathers endpoints from whatever the dump has.
type endpointReader struct {
	list     *EndpointList
	filter   EndpointFilter
	embedded []Endpoint      // written into the clusters themselves
	eds      map[string]bool // clusters whose endpoints come separately
	separate bool            // the dump has endpoints as a section of their own
}

// ReadEndpoints reads the endpoints that f chooses from /clusters or from a
// config dump. A dump taken without include_eds has only the endpoints that
// are written into clusters; the result counts the clusters left out.
func ReadEndpoints(s Source, f EndpointFilter) (*EndpointList, error) {
	r := &endpointReader{list: &EndpointList{Proxy: s.Name, Endpoints: []Endpoint{}}, filter: f, eds: map[string]bool{}}
	err := s.Each([]string{"EndpointsConfigDump"}, map[string]Field{
		"cluster_statuses":         r.status,
		"static_endpoint_configs":  r.assignment,
		"dynamic_endpoint_configs": r.assignment,
		"static_clusters":          r.cluster,
		"dynamic_active_clusters":  r.cluster,
	})
	if err != nil {
		return nil, err
	}
	if !r.separate {
		for _, e := range r.embedded {
			r.add(e)
		}
		r.list.Missing = len(r.eds)
		if len(r.embedded) == 0 && len(r.eds) > 0 {
			return nil, hint.Unanswerablef("take it with `curl 'localhost:15000/config_dump?include_eds'`, or use `curl 'localhost:15000/clusters?format=json'`",
				"%s has no endpoints: it was taken without include_eds", s.Name)
		}
	}
	slices.SortStableFunc(r.list.Endpoints, func(a, b Endpoint) int {
		return cmp.Or(compareHosts(a.Address, b.Address), a.Port-b.Port, strings.Compare(a.text, b.text), strings.Compare(a.Cluster, b.Cluster))
	})
	return r.list, nil
}

// compareHosts orders IP addresses by number, before everything else.
func compareHosts(a, b string) int {
	ipA, errA := netip.ParseAddr(a)
	ipB, errB := netip.ParseAddr(b)
	switch {
	case errA == nil && errB == nil:
		return ipA.Compare(ipB)
	case errA == nil:
		return -1
	case errB == nil:
		return 1
	}
	return strings.Compare(a, b)
}

func (r *endpointReader) add(e Endpoint) {
	if r.filter.match(&e) {
		r.list.Endpoints = append(r.list.Endpoints, e)
	}
}

func (r *endpointReader) status(el Element) error {
	r.separate = true
	var w wireClusterStatus
	raw, err := el.Decode(&w)
	if err != nil {
		return err
	}
	configs := hostConfigs(raw, len(w.Hosts))
	for i, h := range w.Hosts {
		e := h.endpoint(w.Name)
		e.Status, e.Outlier = cmp.Or(h.Health.EDS, "UNKNOWN"), "OK"
		if h.Health.Active {
			e.Status = "UNHEALTHY"
		}
		if h.Health.Outlier {
			e.Outlier = "FAILED"
		}
		e.Weight, e.Priority, e.Locality, e.Config = h.Weight, h.Priority, h.Locality.String(), configs[i]
		r.add(e)
	}
	return nil
}

// hostConfigs are the kept configs of the hosts of a cluster's status.
func hostConfigs(raw json.RawMessage, n int) []json.RawMessage {
	configs := make([]json.RawMessage, n)
	if raw != nil {
		_ = json.Unmarshal(pick(raw, "host_statuses"), &configs)
	}
	return append(configs, make([]json.RawMessage, max(0, n-len(configs)))...)
}

func (r *endpointReader) assignment(el Element) error {
	r.separate = true
	var w struct {
		Assignment wireAssignment `json:"endpoint_config"`
	}
	_, err := el.Decode(&w)
	if err != nil {
		return err
	}
	for _, e := range w.Assignment.endpoints() {
		r.add(e)
	}
	return nil
}

func (r *endpointReader) cluster(el Element) error {
	var w struct {
		Cluster struct {
			Name       string         `json:"name"`
			Type       string         `json:"type"`
			Assignment wireAssignment `json:"load_assignment"`
		} `json:"cluster"`
	}
	if _, err := el.Decode(&w); err != nil {
		return err
	}
	if w.Cluster.Type == "EDS" {
		r.eds[w.Cluster.Name] = true
	}
	w.Cluster.Assignment.Cluster = w.Cluster.Name
	r.embedded = append(r.embedded, w.Cluster.Assignment.endpoints()...)
	return nil
}

func (w *wireAssignment) endpoints() []Endpoint {
	var all []Endpoint
	for _, group := range w.Groups {
		for _, lb := range group.Endpoints {
			e := lb.Endpoint.endpoint(w.Cluster)
			e.Status = cmp.Or(lb.Health, "UNKNOWN")
			e.Weight, e.Priority, e.Locality = lb.Weight, group.Priority, group.Locality.String()
			all = append(all, e)
		}
	}
	return all
}

func (w *wireEndpointHost) endpoint(cluster string) Endpoint {
	return Endpoint{Address: w.Address.host(), Port: w.Address.port(), Hostname: w.Hostname, Cluster: cluster, text: w.Address.String()}
}

// DocumentKind is the kind of the JSON and YAML document.
func (*EndpointList) DocumentKind() string { return "ProxyEndpoints" }

// Tables is one row per endpoint.
func (l *EndpointList) Tables(wide bool) []output.Table {
	t := output.Table{
		Columns: []string{"ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER"},
		Empty:   "No endpoints found.",
		Tone: func(_ int, cell string) output.Tone {
			switch cell {
			case "UNHEALTHY", "FAILED", "TIMEOUT":
				return output.Bad
			case "DRAINING", "DEGRADED":
				return output.Warn
			}
			return output.Plain
		},
	}
	if wide {
		t.Columns = append(t.Columns, "WEIGHT", "PRIORITY", "LOCALITY")
	}
	for i := range l.Endpoints {
		e := &l.Endpoints[i]
		row := []string{e.text, e.Status, orDash(e.Outlier), e.Cluster}
		if wide {
			row = append(row, portOr(e.Weight, "-"), fmt.Sprint(e.Priority), orDash(e.Locality))
		}
		t.Rows = append(t.Rows, row)
	}
	return []output.Table{t}
}
