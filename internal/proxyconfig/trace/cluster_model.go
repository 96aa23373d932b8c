package trace

import (
	"encoding/json"
	"fmt"
)

type cluster struct {
	Name string `json:"name"`
	Type string `json:"type"`
	// Custom is a cluster type by extension.
	Custom *extension `json:"cluster_type"`
	EDS    struct {
		Service string `json:"service_name"`
	} `json:"eds_cluster_config"`
	Policy         string                 `json:"lb_policy"`
	Assignment     *assignment            `json:"load_assignment"`
	Socket         *extension             `json:"transport_socket"`
	SocketMatches  []socketMatch          `json:"transport_socket_matches"`
	SocketMatcher  json.RawMessage        `json:"transport_socket_matcher"`
	ConnectTimeout string                 `json:"connect_timeout"`
	Breakers       breakers               `json:"circuit_breakers"`
	Outlier        *outlier               `json:"outlier_detection"`
	HealthChecks   []json.RawMessage      `json:"health_checks"`
	Metadata       metadata               `json:"metadata"`
	Common         lbConfig               `json:"common_lb_config"`
	Subsets        *subsetConfig          `json:"lb_subset_config"`
	LoadBalancing  json.RawMessage        `json:"load_balancing_policy"`
	OriginalDst    originalDestConfig     `json:"original_dst_lb_config"`
	Protocols      map[string]httpOptions `json:"typed_extension_protocol_options"`
}

type originalDestConfig struct {
	UseHeader bool   `json:"use_http_header"`
	Header    string `json:"http_header_name"`
	Port      int    `json:"upstream_port_override"`
}

type subsetConfig struct {
	Fallback  string            `json:"fallback_policy"`
	Selectors []json.RawMessage `json:"subset_selectors"`
}

type socketMatch struct {
	Name   string         `json:"name"`
	Match  map[string]any `json:"match"`
	Socket extension      `json:"transport_socket"`
}

type breakers struct {
	Thresholds []struct {
		Priority    string `json:"priority"`
		Connections *int64 `json:"max_connections"`
		Pending     *int64 `json:"max_pending_requests"`
		Requests    *int64 `json:"max_requests"`
		Retries     *int64 `json:"max_retries"`
	} `json:"thresholds"`
}

type outlier struct {
	Consecutive5xx     *int    `json:"consecutive_5xx"`
	ConsecutiveGateway *int    `json:"consecutive_gateway_failure"`
	Interval           string  `json:"interval"`
	Base               string  `json:"base_ejection_time"`
	MaxPercent         *int    `json:"max_ejection_percent"`
	Enforcing          *int    `json:"enforcing_consecutive_5xx"`
	MinHosts           float64 `json:"-"`
}

type lbConfig struct {
	Panic *struct {
		Value float64 `json:"value"`
	} `json:"healthy_panic_threshold"`
	Locality json.RawMessage `json:"locality_weighted_lb_config"`
}

// panicBelow is the share of healthy endpoints below which all are used.
func (c *lbConfig) panicBelow() float64 {
	if c.Panic == nil {
		return 50
	}
	return c.Panic.Value
}

type assignment struct {
	Groups []endpointGroup `json:"endpoints"`
	Policy struct {
		Overprovision int  `json:"overprovisioning_factor"`
		Weighted      bool `json:"weighted_priority_health"`
		Drop          []struct {
			Category string   `json:"category"`
			Share    fraction `json:"drop_percentage"`
		} `json:"drop_overloads"`
	} `json:"policy"`
}

type endpointGroup struct {
	Locality  locality   `json:"locality"`
	Endpoints []endpoint `json:"lb_endpoints"`
	Priority  int        `json:"priority"`
	Weight    *int       `json:"load_balancing_weight"`
	Metadata  metadata   `json:"metadata"`
}

type locality struct {
	Region  string `json:"region"`
	Zone    string `json:"zone"`
	Subzone string `json:"sub_zone"`
}

func (l locality) String() string {
	text := l.Region
	for _, part := range []string{l.Zone, l.Subzone} {
		if part != "" {
			text += "/" + part
		}
	}
	return text
}

type endpoint struct {
	Endpoint struct {
		Address  address `json:"address"`
		Hostname string  `json:"hostname"`
	} `json:"endpoint"`
	Health   string   `json:"health_status"`
	Metadata metadata `json:"metadata"`
	Weight   int      `json:"load_balancing_weight"`
}

// clusterStatus is what /clusters says of a cluster.
type clusterStatus struct {
	Hosts []struct {
		Address address `json:"address"`
		Health  struct {
			EDS     string `json:"eds_health_status"`
			Active  bool   `json:"failed_active_health_check"`
			Outlier bool   `json:"failed_outlier_check"`
		} `json:"health_status"`
		Weight   int      `json:"weight"`
		Hostname string   `json:"hostname"`
		Priority int      `json:"priority"`
		Locality locality `json:"locality"`
	} `json:"host_statuses"`
}

// cluster decodes a cluster; nil when there is none of that name.
func (d *Dump) cluster(name string) (*cluster, error) {
	raw, ok := d.clusters[name]
	if !ok {
		return nil, nil
	}
	c := &cluster{}
	if err := json.Unmarshal(raw, c); err != nil {
		return nil, fmt.Errorf("reading cluster %s: %w", name, err)
	}
	return c, nil
}

// service is the name by which the cluster's endpoints are known.
func (c *cluster) service() string {
	if c.EDS.Service != "" {
		return c.EDS.Service
	}
	return c.Name
}

// kind is the cluster's type, or that of its extension.
func (c *cluster) kind() string {
	switch {
	case c.Custom != nil:
		return c.Custom.Name
	case c.Type == "":
		return "STATIC"
	}
	return c.Type
}

// httpOptions say which HTTP the endpoints are spoken to in.
type httpOptions struct {
	Explicit *struct {
		HTTP2 json.RawMessage `json:"http2_protocol_options"`
	} `json:"explicit_http_config"`
	Downstream json.RawMessage `json:"use_downstream_protocol_config"`
	Auto       json.RawMessage `json:"auto_config"`
}

// protocol is the HTTP version of requests to the endpoints, for one that came
// in as it did; "" when the two sides agree on it in TLS.
func (c *cluster) protocol(came string) string {
	o := c.Protocols["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"]
	switch {
	case o.Explicit != nil && o.Explicit.HTTP2 != nil:
		return "HTTP/2"
	case o.Downstream != nil:
		return came
	case o.Auto != nil:
		return ""
	}
	return "HTTP/1.1"
}
