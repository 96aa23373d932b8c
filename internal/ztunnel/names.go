package ztunnel

import (
	"cmp"
	"maps"
	"net"
	"slices"
	"strings"
)

// Pod is the workload pod that a question is about; without a name all are.
type Pod struct {
	Name, Namespace, UID, ServiceAccount string
	// IPs are its addresses.
	IPs []string
}

// is says whether the workload is the pod.
func (p Pod) is(w *Workload) bool {
	return p.Name == "" || w.Name == p.Name && w.Namespace == p.Namespace
}

// runs says whether the state is the pod's.
func (p Pod) runs(s *State) bool {
	return p.Name == "" || s.Info.Name == p.Name && s.Info.Namespace == p.Namespace || s.UID == p.UID && p.UID != ""
}

// uids are the workload IDs of the pod.
func (d *Dump) uids(p Pod) []string {
	var all []string
	for _, w := range d.Workloads {
		if p.Name != "" && p.is(w) {
			all = append(all, w.UID)
		}
	}
	return all
}

// settle makes of what was read what is shown: without the duplicates that
// maps by address have, in order, and with what follows from other parts.
func (d *Dump) settle() {
	d.Workloads = unique(d.Workloads, func(w *Workload) string {
		return cmp.Or(w.UID, w.Namespace+"/"+w.Name+"/"+w.address())
	})
	d.Services = unique(d.Services, func(s *Service) string { return s.Namespace + "/" + s.Hostname })
	d.Policies = unique(d.Policies, func(p *Policy) string { return p.Namespace + "/" + p.Name })
	slices.SortFunc(d.Workloads, func(a, b *Workload) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name), strings.Compare(a.UID, b.UID))
	})
	slices.SortFunc(d.Services, func(a, b *Service) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name), strings.Compare(a.Hostname, b.Hostname))
	})
	slices.SortFunc(d.Policies, func(a, b *Policy) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	slices.SortFunc(d.States, func(a, b *State) int {
		return cmp.Or(strings.Compare(a.name(), b.name()), strings.Compare(a.UID, b.UID))
	})
	health, named := map[string]string{}, d.gatewayNamer()
	for _, w := range d.Workloads {
		w.Status = cmp.Or(w.Status, "Healthy")
		health[w.UID] = w.Status
		named(w.Waypoint)
		named(w.NetworkGateway)
		slices.Sort(w.Services)
	}
	for _, s := range d.Services {
		named(s.Waypoint)
		maps.DeleteFunc(s.Endpoints, func(_ string, e *Endpoint) bool { return e == nil })
		for _, e := range s.Endpoints {
			if e.Status = cmp.Or(e.Status, health[e.Workload], "Unknown"); e.Status == "Healthy" {
				s.Healthy++
			}
		}
		if s.Endpoints == nil {
			s.Endpoints = map[string]*Endpoint{}
		}
		if s.Ports == nil {
			s.Ports = map[string]int{}
		}
	}
	for _, p := range d.Policies {
		if p.Rules == nil {
			p.Rules = [][][]Match{}
		}
	}
}

// unique leaves the first of each key and drops what was null.
func unique[T any](all []*T, key func(*T) string) []*T {
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(item *T) bool {
		k := key(item)
		drop := seen[k]
		seen[k] = true
		return drop
	})
}

// gatewayNamer finds out which Service or workload a gateway is.
func (d *Dump) gatewayNamer() func(*Gateway) {
	names := map[string]string{} // by network/address
	for _, w := range d.Workloads {
		for _, ip := range w.Addresses {
			names[w.Network+"/"+ip] = w.Name
		}
	}
	for _, s := range d.Services {
		for _, address := range s.Addresses {
			names[address] = s.Name
		}
	}
	return func(g *Gateway) {
		if g == nil {
			return
		}
		bare := afterSlash(string(g.Destination))
		if g.Name = cmp.Or(names[string(g.Destination)], bare); net.ParseIP(bare) == nil {
			g.Name, _, _ = strings.Cut(bare, ".")
		}
	}
}

// namer names the workload or service of an address and keeps the port. An
// address that several have, such as a node's, stays as it is.
func (d *Dump) namer() func(string) string {
	names := map[string][]string{}
	for _, w := range d.Workloads {
		for _, ip := range w.Addresses {
			names[ip] = append(names[ip], w.Name+"."+w.Namespace)
		}
	}
	for _, s := range d.Services {
		for _, address := range s.Addresses {
			ip := afterSlash(address)
			names[ip] = append(names[ip], s.Hostname)
		}
	}
	return func(address string) string {
		host, port, err := net.SplitHostPort(address)
		if err != nil || len(names[host]) != 1 {
			return address
		}
		return names[host][0] + ":" + port
	}
}
