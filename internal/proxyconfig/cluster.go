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
	// State is active, warming (not used yet) or static.
	State          string `json:"state"`
	LoadBalancing  string `json:"loadBalancing,omitempty"`
	ConnectTimeout string `json:"connectTimeout,omitempty"`
	// TLS is how connections are secured: none, tls, or auto for mTLS where the endpoint has it.
	TLS              string          `json:"tls"`
	OutlierDetection bool            `json:"outlierDetection"`
	Config           json.RawMessage `json:"config,omitempty"`
}

// ClusterFilter chooses clusters; empty members choose all.
type ClusterFilter struct {
	// FQDN is a part of the host or name.
	FQDN      string
	Port      int
	Subset    string
	Direction string
}

func (f ClusterFilter) match(c *Cluster) bool {
	return (f.FQDN == "" || strings.Contains(c.Host, f.FQDN)) &&
		(f.Port == 0 || f.Port == c.Port) &&
		(f.Subset == "" || f.Subset == c.Subset) &&
		(f.Direction == "" || strings.EqualFold(f.Direction, c.Direction))
}

// ClusterList is the result of proxy-config cluster.
type ClusterList struct {
	Proxy    string    `json:"proxy"`
	Clusters []Cluster `json:"clusters"`
}

type wireCluster struct {
	Name string `json:"name"`
	Type string `json:"type"`
	// Custom is set instead of Type by extensions such as aggregate clusters.
	Custom struct {
		Name string `json:"name"`
	} `json:"cluster_type"`
	Metadata       wireMetadata `json:"metadata"`
	LB             string       `json:"lb_policy"`
	ConnectTimeout wireDuration `json:"connect_timeout"`
	Socket         struct {
		Name string `json:"name"`
	} `json:"transport_socket"`
	SocketMatches []struct {
		Name string `json:"name"`
	} `json:"transport_socket_matches"`
	Outlier *struct{} `json:"outlier_detection"`
}

// ReadClusters reads the clusters of a dump that f chooses.
func ReadClusters(s Source, f ClusterFilter) (*ClusterList, error) {
	l := &ClusterList{Proxy: s.Name, Clusters: []Cluster{}}
	read := func(state string) Field {
		return func(e Element) error {
			var w struct {
				Cluster wireCluster `json:"cluster"`
			}
			raw, err := e.Decode(&w, "cluster")
			if err != nil {
				return err
			}
			if c := w.Cluster.cluster(state); f.match(&c) {
				c.Config = raw
				l.Clusters = append(l.Clusters, c)
			}
			return nil
		}
	}
	err := s.Each([]string{"ClustersConfigDump"}, map[string]Field{
		"static_clusters":          read("static"),
		"dynamic_active_clusters":  read("active"),
		"dynamic_warming_clusters": read("warming"),
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(l.Clusters, func(a, b Cluster) int {
		return cmp.Or(strings.Compare(a.Host, b.Host), a.Port-b.Port, strings.Compare(a.Subset, b.Subset), strings.Compare(a.Direction, b.Direction))
	})
	return l, nil
}

func (w *wireCluster) cluster(state string) Cluster {
	c := Cluster{
		Name: w.Name, Host: w.Name, Type: cmp.Or(w.Type, w.Custom.Name, "STATIC"), State: state,
		DestinationRule: w.Metadata.owner(), LoadBalancing: cmp.Or(w.LB, "ROUND_ROBIN"),
		ConnectTimeout: w.ConnectTimeout.text(), OutlierDetection: w.Outlier != nil, TLS: "none",
	}
	switch {
	case len(w.SocketMatches) > 0:
		c.TLS = "auto"
	case strings.HasSuffix(w.Socket.Name, "tls"):
		c.TLS = "tls"
	}
	if direction, port, subset, host, ok := splitClusterName(w.Name); ok {
		c.Direction, c.Port, c.Subset, c.Host = direction, port, subset, host
	}
	return c
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
		t.Columns = append(t.Columns, "STATE", "LB", "CONNECT TIMEOUT", "TLS", "OUTLIER DETECTION")
	}
	var warming []string
	for i := range l.Clusters {
		c := &l.Clusters[i]
		row := []string{c.Host, portOr(c.Port, "-"), orDash(c.Subset), orDash(c.Direction), c.Type, c.DestinationRule}
		if wide {
			row = append(row, c.State, c.LoadBalancing, orDash(c.ConnectTimeout), c.TLS, yesNo(c.OutlierDetection))
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

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
