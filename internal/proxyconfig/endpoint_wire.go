package proxyconfig

import (
	"cmp"
	"encoding/json"
	"net/netip"
	"strconv"
	"strings"
)

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
			Metadata struct {
				Filter struct {
					Istio struct {
						Workload string `json:"workload"`
					} `json:"istio"`
					Socket struct {
						Mode string `json:"tlsMode"`
					} `json:"envoy.transport_socket_match"`
				} `json:"filter_metadata"`
			} `json:"metadata"`
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
	Name     string     `json:"name"`
	Hosts    []wireHost `json:"host_statuses"`
	Breakers struct {
		Thresholds []wireThreshold `json:"thresholds"`
	} `json:"circuit_breakers"`
}

type wireHost struct {
	wireEndpointHost
	Health   wireHealth   `json:"health_status"`
	Weight   int          `json:"weight"`
	Priority int          `json:"priority"`
	Locality wireLocality `json:"locality"`
	Stats    []struct {
		Name  string    `json:"name"`
		Value wireInt64 `json:"value"`
	} `json:"stats"`
}

type wireHealth struct {
	EDS           string `json:"eds_health_status"`
	Active        bool   `json:"failed_active_health_check"`
	Outlier       bool   `json:"failed_outlier_check"`
	Degraded      bool   `json:"failed_active_degraded_check"`
	Removal       bool   `json:"pending_dynamic_removal"`
	PendingActive bool   `json:"pending_active_hc"`
	Excluded      bool   `json:"excluded_via_immediate_hc_fail"`
	Timeout       bool   `json:"active_hc_timeout"`
}

// flags are what Envoy holds against an endpoint, by the names of its fields.
func (h *wireHealth) flags() []string {
	flags := []string{}
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"failed_active_health_check", h.Active}, {"failed_outlier_check", h.Outlier},
		{"failed_active_degraded_check", h.Degraded}, {"pending_dynamic_removal", h.Removal},
		{"pending_active_hc", h.PendingActive}, {"excluded_via_immediate_hc_fail", h.Excluded},
		{"active_hc_timeout", h.Timeout},
	} {
		if f.set {
			flags = append(flags, f.name)
		}
	}
	return flags
}

// wireInt64 is a number that protobuf writes as text.
type wireInt64 int64

// UnmarshalJSON takes both forms.
func (n *wireInt64) UnmarshalJSON(text []byte) error {
	value, err := strconv.ParseInt(strings.Trim(string(text), `"`), 10, 64)
	if err != nil {
		return &json.UnmarshalTypeError{Value: "value", Field: "value"}
	}
	*n = wireInt64(value)
	return nil
}

func (h *wireHost) endpoint(cluster string) Endpoint {
	e := h.wireEndpointHost.endpoint(cluster)
	e.Status, e.Outlier, e.Flags = cmp.Or(h.Health.EDS, "UNKNOWN"), "OK", h.Health.flags()
	if h.Health.Active {
		e.Status = "UNHEALTHY"
	}
	if h.Health.Outlier {
		e.Outlier = "FAILED"
	}
	e.Weight, e.Priority, e.Locality = h.Weight, h.Priority, h.Locality.String()
	if len(h.Stats) > 0 {
		e.Stats = make(map[string]int64, len(h.Stats))
		for _, s := range h.Stats {
			e.Stats[s.Name] = int64(s.Value)
		}
	}
	return e
}

// endpoints are the endpoints of an assignment; raw is its text where configs
// are kept.
func (w *wireAssignment) endpoints(raw []byte) []Endpoint {
	var all []Endpoint
	groups := rows(pick(raw, "endpoints"))
	for i, group := range w.Groups {
		var configs [][]byte
		if i < len(groups) {
			configs = rows(pick(groups[i], "lb_endpoints"))
		}
		for j := range group.Endpoints {
			lb := &group.Endpoints[j]
			e := lb.Endpoint.endpoint(w.Cluster)
			e.Status, e.Flags = cmp.Or(lb.Health, "UNKNOWN"), []string{}
			e.Weight, e.Priority, e.Locality = lb.Weight, group.Priority, group.Locality.String()
			e.Workload, e.TLS = workloadOf(lb.Metadata.Filter.Istio.Workload), lb.Metadata.Filter.Socket.Mode
			if j < len(configs) {
				e.Config = configs[j]
			}
			all = append(all, e)
		}
	}
	return all
}

// workloadOf reads istiod's "name;namespace;canonical name;revision;cluster".
func workloadOf(text string) string {
	parts := strings.Split(text, ";")
	if len(parts) < 2 || parts[0] == "" {
		return ""
	}
	return parts[0] + "." + parts[1]
}

func (w *wireEndpointHost) endpoint(cluster string) Endpoint {
	e := Endpoint{Address: w.Address.host(), Port: w.Address.port(), Hostname: w.Hostname, Cluster: cluster, text: w.Address.String()}
	e.ip, _ = netip.ParseAddr(e.Address)
	return e
}
