package trace

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// resolve finds the address that the request's host stands for, as the
// client's name server would: from says where it is from. Not valid is unknown.
func (d *Dump) resolve(r *Request) (ip netip.Addr, from string) {
	if r.Address.IsValid() {
		return r.Address, ""
	}
	if r.Host == "localhost" {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), "every host"
	}
	hosts := d.names(r.Host)
	for _, table := range d.tablesFor(r.Port, hosts) {
		if ip := d.addressIn(table, hosts); ip.IsValid() {
			return ip, "route table " + table
		}
	}
	if ip, name := d.addressOfListener(r.Port, hosts); ip.IsValid() {
		return ip, "listener " + name
	}
	return d.addressOfEndpoint(r.Port, hosts)
}

// names are what a short host may be in full, by the search domains that a
// pod of the proxy's namespace has; the host itself comes first.
func (d *Dump) names(host string) []string {
	host = strings.TrimSuffix(asciiLower(host), ".")
	names := []string{host}
	parts := strings.Split(d.Node, "~")
	if len(parts) != 4 {
		return names
	}
	domain := parts[3] // NAMESPACE.svc.cluster.local
	for domain != "" {
		names = append(names, host+"."+domain)
		_, domain, _ = strings.Cut(domain, ".")
		if !strings.Contains(domain, ".") {
			break
		}
	}
	return names
}

// tablesFor are the route tables that requests to the port may use: that of
// the port, and those of a host and port.
func (d *Dump) tablesFor(port int, hosts []string) []string {
	p := strconv.Itoa(port)
	tables := []string{p}
	for _, h := range hosts {
		tables = append(tables, h+":"+p)
	}
	return slices.DeleteFunc(tables, func(t string) bool { return d.routes[t] == nil })
}

// addressIn finds a host's address among the domains of its virtual host.
func (d *Dump) addressIn(table string, hosts []string) netip.Addr {
	t, err := d.table(table)
	if err != nil || t == nil {
		return netip.Addr{}
	}
	for _, host := range hosts {
		for i := range t.Hosts {
			if !slices.Contains(t.Hosts[i].Domains, host) {
				continue
			}
			for _, domain := range t.Hosts[i].Domains {
				if ip, err := netip.ParseAddr(strings.Trim(domain[:portStart(domain)], "[]")); err == nil {
					return ip
				}
			}
		}
	}
	return netip.Addr{}
}

// addressOfListener finds the listener of one address whose cluster is of one
// of the hosts, as TCP services have them.
func (d *Dump) addressOfListener(port int, hosts []string) (netip.Addr, string) {
	for _, l := range d.listeners {
		for _, a := range l.addresses {
			if a.port() != port || !a.ip().IsValid() || a.ip().IsUnspecified() {
				continue
			}
			for _, h := range hosts {
				if bytes.Contains(l.raw, fmt.Appendf(nil, `|%d||%s"`, port, h)) || bytes.Contains(l.raw, fmt.Appendf(nil, `"%s:%d"`, h, port)) {
					return a.ip(), l.Name
				}
			}
		}
	}
	return netip.Addr{}, ""
}

// addressOfEndpoint finds the first endpoint of a service without an address
// of its own (headless), to whose pods clients connect.
func (d *Dump) addressOfEndpoint(port int, hosts []string) (netip.Addr, string) {
	for _, h := range hosts {
		name := fmt.Sprintf("outbound|%d||%s", port, h)
		c, err := d.cluster(name)
		if err != nil || c == nil || c.kind() != "ORIGINAL_DST" {
			continue
		}
		a := &assignment{}
		if json.Unmarshal(d.endpoints[c.service()], a) != nil {
			continue
		}
		for _, g := range a.Groups {
			for _, e := range g.Endpoints {
				if ip := e.Endpoint.Address.ip(); ip.IsValid() {
					return ip, "the endpoints of " + name
				}
			}
		}
	}
	return netip.Addr{}, ""
}
