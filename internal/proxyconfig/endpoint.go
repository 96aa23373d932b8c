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

// EDSPath is the admin request for what [ReadEDS] reads.
const EDSPath = "/config_dump?include_eds"

// Endpoint is one address of a cluster.
type Endpoint struct {
	Address string `json:"address"`
	Port    int    `json:"port,omitempty"`
	// Status is HEALTHY, UNHEALTHY, DRAINING, DEGRADED, TIMEOUT or UNKNOWN.
	Status string `json:"status"`
	// Outlier is OK or FAILED (ejected), empty when the dump does not say.
	Outlier string `json:"outlierCheck,omitempty"`
	// Flags are what Envoy holds against it: failed_active_health_check ...
	Flags    []string `json:"healthFlags"`
	Cluster  string   `json:"cluster"`
	Weight   int      `json:"weight,omitempty"`
	Priority int      `json:"priority"`
	Locality string   `json:"locality,omitempty"`
	Hostname string   `json:"hostname,omitempty"`
	// Workload is name.namespace of the workload behind it, as istiod knows it.
	Workload string `json:"workload,omitempty"`
	// TLS says whether istiod has mutual TLS spoken to it: istio or disabled.
	TLS string `json:"tlsMode,omitempty"`
	// Stats are its counters and gauges: cx_active, rq_total, rq_error ...
	Stats map[string]int64 `json:"stats,omitempty"`
	// CircuitBreakers are the limits of its cluster, where the dump says them.
	CircuitBreakers string          `json:"circuitBreakers,omitempty"`
	Config          json.RawMessage `json:"config,omitempty"`
	text            string
	ip              netip.Addr
}

// EndpointFilter chooses endpoints; empty members choose all.
type EndpointFilter struct {
	// Address is without or with the port.
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

// EndpointList is the result of proxy-config endpoint and eds.
type EndpointList struct {
	Proxy     string     `json:"proxy"`
	Endpoints []Endpoint `json:"endpoints"`
	// Missing is how many clusters have endpoints that the dump leaves out.
	Missing int `json:"clustersWithoutEndpointData"`
	// sent shows what istiod sent rather than what Envoy found out.
	sent bool
}

// ReadEndpoints reads the endpoints that f chooses from /clusters or from a
// config dump. A dump taken without include_eds has only the endpoints that
// are written into clusters; the result counts the clusters left out.
func ReadEndpoints(s Source, f EndpointFilter) (*EndpointList, error) {
	l := &EndpointList{Proxy: s.Name, Endpoints: []Endpoint{}}
	r := l.reader(f)
	if err := s.read(r.part()); err != nil {
		return nil, err
	}
	if l.Missing > 0 && len(r.embedded) == 0 {
		return nil, hint.Unanswerablef("take it with `curl 'localhost:15000/config_dump?include_eds'`, or use `curl 'localhost:15000/clusters?format=json'`",
			"%s has no endpoints: it was taken without include_eds", s.Name)
	}
	return l, nil
}

// ReadEDS reads the endpoints that f chooses as istiod sent them, by cluster.
func ReadEDS(s Source, f EndpointFilter) (*EndpointList, error) {
	l, err := ReadEndpoints(s, f)
	if err != nil {
		return nil, err
	}
	l.sent = true
	slices.SortStableFunc(l.Endpoints, func(a, b Endpoint) int { return compareClusters(a.Cluster, b.Cluster) })
	return l, nil
}

// compareClusters orders names of clusters by host, port and subset.
func compareClusters(a, b string) int {
	_, portA, subsetA, hostA, okA := splitClusterName(a)
	_, portB, subsetB, hostB, okB := splitClusterName(b)
	if !okA || !okB {
		return strings.Compare(a, b)
	}
	return cmp.Or(strings.Compare(hostA, hostB), portA-portB, strings.Compare(subsetA, subsetB))
}

// endpointReader gathers endpoints from whatever the dump has.
type endpointReader struct {
	list     *EndpointList
	filter   EndpointFilter
	embedded []Endpoint      // written into the clusters themselves
	eds      map[string]bool // clusters whose endpoints come separately
	separate bool            // the dump has endpoints as a section of their own
}

func (l *EndpointList) reader(f EndpointFilter) *endpointReader {
	return &endpointReader{list: l, filter: f, eds: map[string]bool{}}
}

func (r *endpointReader) part() part {
	return part{
		sections: []string{"EndpointsConfigDump"},
		fields: map[string]Field{
			"cluster_statuses":         r.status,
			"static_endpoint_configs":  r.assignment,
			"dynamic_endpoint_configs": r.assignment,
			"static_clusters":          r.cluster,
			"dynamic_active_clusters":  r.cluster,
		},
		done: r.finish,
	}
}

func (r *endpointReader) finish() error {
	if !r.separate {
		for _, e := range r.embedded {
			r.add(e)
		}
		r.list.Missing = len(r.eds)
	}
	slices.SortStableFunc(r.list.Endpoints, func(a, b Endpoint) int {
		return cmp.Or(b.named()-a.named(), a.ip.Compare(b.ip), strings.Compare(a.Address, b.Address), a.Port-b.Port, strings.Compare(a.text, b.text), strings.Compare(a.Cluster, b.Cluster))
	})
	return nil
}

// named is -1 for what has a name or a path instead of an address: it comes last.
func (e *Endpoint) named() int {
	if e.ip.IsValid() {
		return 0
	}
	return -1
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
	configs := rows(pick(raw, "host_statuses"))
	breakers := (&wireCluster{Breakers: w.Breakers}).breakers()
	for i := range w.Hosts {
		e := w.Hosts[i].endpoint(w.Name)
		e.CircuitBreakers = breakers
		if i < len(configs) {
			e.Config = configs[i]
		}
		r.add(e)
	}
	return nil
}

func (r *endpointReader) assignment(el Element) error {
	r.separate = true
	var w struct {
		Assignment wireAssignment `json:"endpoint_config"`
	}
	raw, err := el.Decode(&w, "endpoint_config")
	if err != nil {
		return err
	}
	for _, e := range w.Assignment.endpoints(raw) {
		r.add(e)
	}
	return nil
}

func (r *endpointReader) cluster(el Element) error {
	if r.separate {
		return nil
	}
	var w struct {
		Cluster struct {
			Name       string         `json:"name"`
			Type       string         `json:"type"`
			Assignment wireAssignment `json:"load_assignment"`
		} `json:"cluster"`
	}
	raw, err := el.Decode(&w, "cluster", "load_assignment")
	if err != nil {
		return err
	}
	if w.Cluster.Type == "EDS" {
		r.eds[w.Cluster.Name] = true
	}
	w.Cluster.Assignment.Cluster = w.Cluster.Name
	r.embedded = append(r.embedded, w.Cluster.Assignment.endpoints(raw)...)
	return nil
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
	if l.sent {
		t.Columns = []string{"NAME", "STATUS", "LOCALITY", "CLUSTER"}
	}
	if wide {
		t.Columns = append(t.Columns, "WEIGHT", "PRIORITY")
		if !l.sent {
			t.Columns = append(t.Columns, "LOCALITY")
		}
		t.Columns = append(t.Columns, "WORKLOAD", "HOSTNAME", "CONNECTIONS", "REQUESTS", "ERRORS", "HEALTH FLAGS", "CIRCUIT BREAKERS")
	}
	for i := range l.Endpoints {
		t.Rows = append(t.Rows, l.row(&l.Endpoints[i], wide))
	}
	return []output.Table{t}
}

func (l *EndpointList) row(e *Endpoint, wide bool) []string {
	row := []string{e.text, e.Status, orDash(e.Outlier), e.Cluster}
	if l.sent {
		row[2] = orDash(e.Locality)
	}
	if !wide {
		return row
	}
	row = append(row, portOr(e.Weight, "-"), fmt.Sprint(e.Priority))
	if !l.sent {
		row = append(row, orDash(e.Locality))
	}
	row = append(row, orDash(e.Workload), orDash(e.Hostname))
	for _, name := range []string{"cx_active", "rq_total", "rq_error"} {
		cell := "-"
		if e.Stats != nil {
			cell = fmt.Sprint(e.Stats[name])
		}
		row = append(row, cell)
	}
	return append(row, orDash(strings.Join(e.Flags, ",")), orDash(e.CircuitBreakers))
}
