package ztunnel

import (
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/output"
)

// Workload is a pod or another endpoint that the ztunnel knows.
type Workload struct {
	UID       string `json:"uid"`
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Addresses list   `json:"workloadIps"`
	// Hostname stands for the addresses of a workload outside the cluster.
	Hostname string   `json:"hostname,omitempty"`
	Node     string   `json:"node,omitempty"`
	Waypoint *Gateway `json:"waypoint,omitempty"`
	// Protocol is HBONE for workloads of the mesh, else TCP.
	Protocol       string   `json:"protocol"`
	Status         string   `json:"status"`
	ServiceAccount string   `json:"serviceAccount,omitempty"`
	TrustDomain    string   `json:"trustDomain,omitempty"`
	Workload       string   `json:"workloadName,omitempty"`
	Type           string   `json:"workloadType,omitempty"`
	App            string   `json:"canonicalName,omitempty"`
	Revision       string   `json:"canonicalRevision,omitempty"`
	Cluster        string   `json:"clusterId,omitempty"`
	Network        string   `json:"network,omitempty"`
	NetworkMode    string   `json:"networkMode,omitempty"`
	NetworkGateway *Gateway `json:"networkGateway,omitempty"`
	NativeTunnel   bool     `json:"nativeTunnel,omitempty"`
	Locality       struct {
		Region  string `json:"region,omitempty"`
		Zone    string `json:"zone,omitempty"`
		Subzone string `json:"subzone,omitempty"`
	} `json:"locality,omitzero"`
	// Services are namespace/host, Policies namespace/name of those that select it by labels.
	Services list `json:"services"`
	Policies list `json:"authorizationPolicies"`
	Capacity int  `json:"capacity,omitempty"`
}

// identity is the SPIFFE identity of the workload, "" when it has none.
func (w *Workload) identity() string {
	if w.ServiceAccount == "" || w.TrustDomain == "" {
		return ""
	}
	return "spiffe://" + w.TrustDomain + "/ns/" + w.Namespace + "/sa/" + w.ServiceAccount
}

func (w *Workload) address() string {
	if len(w.Addresses) == 0 {
		return w.Hostname
	}
	return strings.Join(w.Addresses, ",")
}

// WorkloadFilter chooses workloads; empty members choose all.
type WorkloadFilter struct {
	// Address is one of its addresses.
	Address, Namespace, Node string
	Pod                      Pod
}

// WorkloadList is the result of ztunnel-config workload.
type WorkloadList struct {
	Ztunnel   string      `json:"ztunnel"`
	Workloads []*Workload `json:"workloads"`
}

// ListWorkloads is the workloads that f chooses.
func (d *Dump) ListWorkloads(f WorkloadFilter) *WorkloadList {
	l := &WorkloadList{Ztunnel: d.Ztunnel, Workloads: []*Workload{}}
	for _, w := range d.Workloads {
		if (f.Namespace == "" || w.Namespace == f.Namespace) && (f.Node == "" || w.Node == f.Node) &&
			(f.Address == "" || slices.Contains(w.Addresses, f.Address)) && f.Pod.is(w) {
			l.Workloads = append(l.Workloads, w)
		}
	}
	return l
}

// DocumentKind is the kind of the JSON and YAML document.
func (*WorkloadList) DocumentKind() string { return "ZtunnelWorkloads" }

// Tables is one row per workload.
func (l *WorkloadList) Tables(wide bool) []output.Table {
	t := output.Table{
		Columns: []string{"NAMESPACE", "POD NAME", "ADDRESS", "NODE", "WAYPOINT", "PROTOCOL"},
		Empty:   "No workloads found.",
	}
	if wide {
		t.Columns = append(t.Columns, "STATUS", "IDENTITY", "WORKLOAD", "CLUSTER", "NETWORK", "SERVICES", "POLICIES")
		t.Tone = func(column int, cell string) output.Tone {
			if column == 6 && cell != "Healthy" {
				return output.Bad
			}
			return output.Plain
		}
	}
	for _, w := range l.Workloads {
		row := []string{w.Namespace, w.Name, w.address(), w.Node, w.Waypoint.name(), w.Protocol}
		if wide {
			kind := orDash(w.Workload)
			if w.Type != "" && w.Workload != "" {
				kind = strings.ToLower(w.Type) + "/" + w.Workload
			}
			row = append(row, w.Status, orDash(w.identity()), kind, orDash(w.Cluster), orDash(w.Network),
				orDash(hosts(w.Services)), orDash(strings.Join(w.Policies, ",")))
		}
		t.Rows = append(t.Rows, row)
	}
	return []output.Table{t}
}

// hosts are the hosts of namespace/host.
func hosts(all []string) string {
	names := make([]string, 0, len(all))
	for _, s := range all {
		names = append(names, afterSlash(s))
	}
	return strings.Join(names, ",")
}

// name is what tables call a gateway.
func (g *Gateway) name() string {
	if g == nil {
		return "None"
	}
	return g.Name
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
