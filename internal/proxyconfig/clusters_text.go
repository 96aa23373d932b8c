package proxyconfig

import (
	"bufio"
	"encoding/json"
	"errors"
	"net"
	"strconv"
	"strings"
)

// Envoy's /clusters is text unless JSON is asked for, one line for each fact:
//
//	NAME::observability_name::NAME;
//	NAME::default_priority::max_connections::1024
//	NAME::10.0.0.1:80::health_flags::healthy
//
// It is turned into what Envoy answers as JSON, and read as that.

// longestLine bounds a line; names of clusters have a few hundred bytes.
const longestLine = 1 << 20

type statusText struct {
	name     string
	breakers map[string]any
	hosts    map[string]*hostText
	order    []string
}

type hostText struct {
	weight, priority int
	hostname         string
	locality         map[string]string
	health           map[string]any
	stats            []map[string]any
}

func (r *dumpReader) clustersText(text *bufio.Reader) error {
	r.envoy = true
	r.types = append(r.types, "Envoy's /clusters, which only `proxy-config endpoint` reads")
	read, wanted := r.fields["cluster_statuses"]
	if !wanted {
		return nil
	}
	r.found = true
	one := &statusText{}
	flush := func() error {
		if one.name == "" {
			return nil
		}
		return r.element(0, one.json(), read, false)
	}
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		line := strings.TrimSuffix(lines.Text(), "\r")
		if name, _, ok := strings.Cut(line, "::observability_name::"); ok {
			if err := flush(); err != nil {
				return err
			}
			one = &statusText{name: name, breakers: map[string]any{}, hosts: map[string]*hostText{}}
			continue
		}
		if fact, ok := strings.CutPrefix(line, one.name+"::"); ok && one.name != "" {
			one.fact(fact)
		}
	}
	if err := lines.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			return &scanError{1, "a line longer than a megabyte"}
		}
		return err
	}
	return flush()
}

// fact takes in what a line says behind the cluster's name.
func (s *statusText) fact(text string) {
	if limit, ok := strings.CutPrefix(text, "default_priority::"); ok {
		name, value, _ := strings.Cut(limit, "::")
		if n, err := strconv.ParseUint(value, 10, 32); err == nil {
			s.breakers[name] = n
		}
		return
	}
	last := strings.LastIndex(text, "::")
	if last < 0 {
		return
	}
	value, text := text[last+2:], text[:last]
	if last = strings.LastIndex(text, "::"); last < 0 || strings.HasPrefix(text, "high_priority") {
		return
	}
	address, name := text[:last], text[last+2:]
	if address == "outlier" { // a sum over all of them
		return
	}
	h := s.hosts[address]
	if h == nil {
		h = &hostText{locality: map[string]string{}, health: map[string]any{"eds_health_status": "HEALTHY"}}
		s.hosts[address] = h
		s.order = append(s.order, address)
	}
	h.fact(name, value)
}

func (h *hostText) fact(name, value string) {
	switch name {
	case "weight":
		h.weight, _ = strconv.Atoi(value)
	case "priority":
		h.priority, _ = strconv.Atoi(value)
	case "hostname":
		h.hostname = value
	case "region", "zone", "sub_zone":
		h.locality[name] = value
	case "health_flags":
		for _, flag := range strings.Split(value, "/") {
			h.flag(flag)
		}
	default:
		if strings.HasPrefix(name, "cx_") || strings.HasPrefix(name, "rq_") {
			if n, err := strconv.ParseInt(value, 10, 64); err == nil {
				h.stats = append(h.stats, map[string]any{"name": name, "value": n})
			}
		}
	}
}

// flag takes in one of the flags, whose names differ from those in the JSON.
func (h *hostText) flag(flag string) {
	switch flag {
	case "failed_active_hc":
		h.health["failed_active_health_check"] = true
	case "degraded_active_hc":
		h.health["failed_active_degraded_check"] = true
	case "failed_outlier_check", "pending_dynamic_removal", "pending_active_hc", "excluded_via_immediate_hc_fail", "active_hc_timeout":
		h.health[flag] = true
	case "failed_eds_health":
		h.health["eds_health_status"] = "UNHEALTHY"
	case "degraded_eds_health":
		h.health["eds_health_status"] = "DEGRADED"
	case "eds_status_draining":
		h.health["eds_health_status"] = "DRAINING"
	}
}

func (s *statusText) json() []byte {
	hosts := make([]any, 0, len(s.order))
	for _, address := range s.order {
		h := s.hosts[address]
		hosts = append(hosts, map[string]any{
			"address": addressJSON(address), "hostname": h.hostname, "weight": h.weight, "priority": h.priority,
			"locality": h.locality, "health_status": h.health, "stats": h.stats,
		})
	}
	text, _ := json.Marshal(map[string]any{ // strings and numbers can always be written
		"name": s.name, "host_statuses": hosts, "circuit_breakers": map[string]any{"thresholds": []any{s.breakers}},
	})
	return text
}

func addressJSON(text string) any {
	if host, port, err := net.SplitHostPort(text); err == nil {
		if n, err := strconv.Atoi(port); err == nil {
			return map[string]any{"socket_address": map[string]any{"address": host, "port_value": n}}
		}
	}
	if internal, ok := strings.CutPrefix(text, "envoy://"); ok {
		listener, id, _ := strings.Cut(internal, "/")
		return map[string]any{"envoy_internal_address": map[string]any{"server_listener_name": listener, "endpoint_id": id}}
	}
	return map[string]any{"pipe": map[string]any{"path": text}}
}
