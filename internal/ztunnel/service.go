package ztunnel

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/output"
)

// Service is a Service or ServiceEntry host that the ztunnel knows.
type Service struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Hostname  string `json:"hostname"`
	// Addresses are network/address, Ranges network/CIDR.
	Addresses list `json:"vips"`
	Ranges    list `json:"cidrVips,omitempty"`
	// Ports are the service's, each with the port that its endpoints have by default.
	Ports        map[string]int `json:"ports"`
	Waypoint     *Gateway       `json:"waypoint,omitempty"`
	LoadBalancer *struct {
		Mode         string   `json:"mode"`
		Preferences  []string `json:"routingPreferences,omitempty"`
		HealthPolicy string   `json:"healthPolicy,omitempty"`
	} `json:"loadBalancer,omitempty"`
	SANs       list   `json:"subjectAltNames"`
	IPFamilies string `json:"ipFamilies,omitempty"`
	// Canonical says that this is the one taken among several of the same host.
	Canonical  bool   `json:"canonical,omitempty"`
	Visibility string `json:"visibility,omitempty"`
	// Endpoints are by an ID of theirs.
	Endpoints map[string]*Endpoint `json:"endpoints"`
	// Healthy is how many of the endpoints are.
	Healthy int `json:"healthyEndpoints"`
}

// Endpoint is a workload behind a service.
type Endpoint struct {
	Workload string         `json:"workloadUid"`
	Ports    map[string]int `json:"port"`
	// Status is the endpoint's, or its workload's where the dump does not tell.
	Status string `json:"status"`
}

// ServiceFilter chooses services; empty members choose all.
type ServiceFilter struct {
	Namespace string
	// Pod chooses the services that the pod is behind.
	Pod Pod
}

// ServiceList is the result of ztunnel-config service.
type ServiceList struct {
	Ztunnel  string     `json:"ztunnel"`
	Services []*Service `json:"services"`
}

// ListServices is the services that f chooses.
func (d *Dump) ListServices(f ServiceFilter) *ServiceList {
	l := &ServiceList{Ztunnel: d.Ztunnel, Services: []*Service{}}
	uids := d.uids(f.Pod)
	for _, s := range d.Services {
		behind := f.Pod.Name == ""
		for _, e := range s.Endpoints {
			behind = behind || slices.Contains(uids, e.Workload)
		}
		if behind && (f.Namespace == "" || s.Namespace == f.Namespace) {
			l.Services = append(l.Services, s)
		}
	}
	return l
}

// DocumentKind is the kind of the JSON and YAML document.
func (*ServiceList) DocumentKind() string { return "ZtunnelServices" }

// Tables is one row per service.
func (l *ServiceList) Tables(wide bool) []output.Table {
	t := output.Table{
		Columns: []string{"NAMESPACE", "SERVICE NAME", "SERVICE VIP", "WAYPOINT", "ENDPOINTS"},
		Empty:   "No services found.",
		Tone: func(column int, cell string) output.Tone {
			if healthy, all, ok := strings.Cut(cell, "/"); column == 4 && ok && healthy != all {
				return output.Warn
			}
			return output.Plain
		},
	}
	if wide {
		t.Columns = append(t.Columns, "HOST", "PORTS", "LOAD BALANCING")
	}
	for _, s := range l.Services {
		row := []string{s.Namespace, s.Name, hosts(slices.Concat(s.Addresses, s.Ranges)), s.Waypoint.name(), fmt.Sprintf("%d/%d", s.Healthy, len(s.Endpoints))}
		if wide {
			balancing := "Standard"
			if s.LoadBalancer != nil {
				balancing = strings.Join(append([]string{s.LoadBalancer.Mode}, s.LoadBalancer.Preferences...), ",")
			}
			row = append(row, s.Hostname, orDash(portList(s.Ports)), balancing)
		}
		t.Rows = append(t.Rows, row)
	}
	return []output.Table{t}
}

// portList is 80->8080,443 in the order of the numbers.
func portList(ports map[string]int) string {
	keys := slices.SortedFunc(maps.Keys(ports), func(a, b string) int {
		x, _ := strconv.Atoi(a)
		y, _ := strconv.Atoi(b)
		return cmp.Or(x-y, strings.Compare(a, b))
	})
	for i, k := range keys {
		if target := strconv.Itoa(ports[k]); target != k && target != "0" {
			keys[i] += "->" + target
		}
	}
	return strings.Join(keys, ",")
}
