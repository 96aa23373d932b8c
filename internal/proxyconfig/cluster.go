package proxyconfig

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/output"
)

// ClustersPath is the admin request for what [ReadClusters] reads.
const ClustersPath = "/config_dump?mask=dynamic_active_clusters,dynamic_warming_clusters,static_clusters"

// Cluster is an upstream of the proxy.
type Cluster struct {
	Name string `json:"name"`
	// Host, Port, Subset and Direction are parts of Istio's name of the cluster;
	// without such a name Host is the name and the others are empty.
	Host      string `json:"host"`
	Port      int    `json:"port,omitempty"`
	Subset    string `json:"subset,omitempty"`
	Direction string `json:"direction,omitempty"`
	// Type is how endpoints are found: EDS, STRICT_DNS, ORIGINAL_DST ...
	Type string `json:"type"`
	// DestinationRule is name.namespace of the rule that shaped it.
	DestinationRule string `json:"destinationRule,omitempty"`
	// Service is name.namespace of the Service or ServiceEntry behind it.
	Service string `json:"service,omitempty"`
	// State is active, warming (not used yet) or static.
	State          string `json:"state"`
	LoadBalancing  string `json:"loadBalancing,omitempty"`
	ConnectTimeout string `json:"connectTimeout,omitempty"`
	// TLS is how connections are secured: none, tls, or auto for mTLS where the endpoint has it.
	TLS              string `json:"tls"`
	OutlierDetection bool   `json:"outlierDetection"`
	// Outlier says when an endpoint is ejected: "5xx=5 every 5s for 30s".
	Outlier string `json:"outlier,omitempty"`
	// CircuitBreakers are the limits set: "connections=77 pending=55"; Envoy's own
	// and those without bound are left out.
	CircuitBreakers string          `json:"circuitBreakers,omitempty"`
	Config          json.RawMessage `json:"config,omitempty"`
}

// ClusterFilter chooses clusters; empty members choose all.
type ClusterFilter struct {
	// FQDN is a part of the name.
	FQDN string
	Port int
	// Subset is a part of the subset's name.
	Subset    string
	Direction string
}

func (f ClusterFilter) match(c *Cluster) bool {
	return (f.FQDN == "" || strings.Contains(c.Name, f.FQDN)) &&
		(f.Port == 0 || f.Port == c.Port) &&
		(f.Subset == "" || strings.Contains(c.Subset, f.Subset)) &&
		(f.Direction == "" || strings.EqualFold(f.Direction, c.Direction))
}

// ClusterList is the result of proxy-config cluster.
type ClusterList struct {
	Proxy    string    `json:"proxy"`
	Clusters []Cluster `json:"clusters"`
}

// ReadClusters reads the clusters of a dump that f chooses.
func ReadClusters(s Source, f ClusterFilter) (*ClusterList, error) {
	l := &ClusterList{Proxy: s.Name, Clusters: []Cluster{}}
	if err := s.read(l.part(f)); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *ClusterList) part(f ClusterFilter) part {
	read := func(state string) Field {
		return func(e Element) error {
			var w struct {
				Cluster wireCluster `json:"cluster"`
			}
			if err := e.decode(&w); err != nil {
				return err
			}
			c := w.Cluster.cluster(state)
			if !f.match(&c) {
				return nil
			}
			var err error
			c.Config, err = e.config("cluster")
			l.Clusters = append(l.Clusters, c)
			return err
		}
	}
	return part{
		sections: []string{"ClustersConfigDump"},
		fields: map[string]Field{
			"static_clusters":          read("static"),
			"dynamic_active_clusters":  read("active"),
			"dynamic_warming_clusters": read("warming"),
		},
		done: func() error {
			slices.SortStableFunc(l.Clusters, func(a, b Cluster) int {
				return cmp.Or(strings.Compare(a.Host, b.Host), a.Port-b.Port, strings.Compare(a.Subset, b.Subset), strings.Compare(a.Direction, b.Direction))
			})
			return nil
		},
	}
}

// splitClusterName splits Istio's "direction|port|subset|host", and the form
// with "_." instead of "|" that gateways use for SNI routing.
func splitClusterName(name string) (direction string, port int, subset, host string, ok bool) {
	parts := strings.SplitN(name, "|", 4)
	if len(parts) != 4 {
		if parts = strings.SplitN(name, "_.", 4); len(parts) != 4 {
			return "", 0, "", "", false
		}
	}
	port, err := strconv.Atoi(parts[1])
	if err != nil && parts[1] != "" {
		return "", 0, "", "", false
	}
	return parts[0], port, parts[2], parts[3], true
}

// DocumentKind is the kind of the JSON and YAML document.
func (*ClusterList) DocumentKind() string { return "ProxyClusters" }

// Tables is one row per cluster.
func (l *ClusterList) Tables(wide bool) []output.Table {
	t := output.Table{
		Columns: []string{"SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE", "DESTINATION RULE"},
		Empty:   "No clusters found.",
	}
	if wide {
		t.Columns = append(t.Columns, "STATE", "LB", "CONNECT TIMEOUT", "TLS", "CIRCUIT BREAKERS", "OUTLIER DETECTION", "SERVICE")
	}
	var warming []string
	for i := range l.Clusters {
		c := &l.Clusters[i]
		row := []string{c.Host, portOr(c.Port, "-"), orDash(c.Subset), orDash(c.Direction), c.Type, c.DestinationRule}
		if wide {
			row = append(row, c.State, c.LoadBalancing, orDash(c.ConnectTimeout), c.TLS, orDash(c.CircuitBreakers), orDash(c.Outlier), orDash(c.Service))
		}
		if c.State == "warming" {
			warming = append(warming, c.Name)
		}
		t.Rows = append(t.Rows, row)
	}
	if len(warming) > 0 {
		t.After = []string{"", "Not used yet, waiting for endpoints or a secret: " + someOf(warming, "clusters")}
	}
	return []output.Table{t}
}
