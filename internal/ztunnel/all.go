package ztunnel

import (
	"time"

	"github.com/meshctl/meshctl/internal/output"
)

// All is the result of ztunnel-config all.
type All struct {
	Ztunnel string `json:"ztunnel"`
	// Titles puts a title above each table.
	Titles       bool         `json:"-"`
	Workloads    []*Workload  `json:"workloads"`
	Services     []*Service   `json:"services"`
	Policies     []*Policy    `json:"policies"`
	Certificates []*Identity  `json:"certificates"`
	Connections  []Connection `json:"connections"`
	Pending      []string     `json:"pending"`

	certificates *CertificateList
}

// ListAll is everything in the dump, or what concerns the pod.
func (d *Dump) ListAll(pod Pod, now time.Time) *All {
	connections := d.ListConnections(ConnectionFilter{Pod: pod})
	certificates := d.ListCertificates(pod, now)
	return &All{
		Ztunnel: d.Ztunnel, certificates: certificates,
		Workloads: d.ListWorkloads(WorkloadFilter{Pod: pod}).Workloads, Services: d.ListServices(ServiceFilter{Pod: pod}).Services,
		Policies: d.ListPolicies(PolicyFilter{Pod: pod}).Policies, Certificates: certificates.Certificates,
		Connections: connections.Connections, Pending: connections.Pending,
	}
}

// DocumentKind is the kind of the JSON and YAML document.
func (*All) DocumentKind() string { return "ZtunnelConfig" }

// Tables are those of the parts, one after the other.
func (a *All) Tables(wide bool) []output.Table {
	parts := []struct {
		title string
		list  output.Document
	}{
		{"WORKLOAD", &WorkloadList{Workloads: a.Workloads}},
		{"SERVICE", &ServiceList{Services: a.Services}},
		{"POLICY", &PolicyList{Policies: a.Policies}},
		{"CERTIFICATE", a.certificates},
		{"CONNECTIONS", &ConnectionList{Connections: a.Connections, Pending: a.Pending}},
	}
	var all []output.Table
	for _, p := range parts {
		t := p.list.Tables(wide)[0]
		if a.Titles {
			t.Title = "------ " + p.title + " INFO ------"
		}
		all = append(all, t)
	}
	return all
}
