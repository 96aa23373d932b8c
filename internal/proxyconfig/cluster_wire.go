package proxyconfig

import (
	"cmp"
	"fmt"
	"math"
	"strings"
)

type wireCluster struct {
	Name string `json:"name"`
	Type string `json:"type"`
	// Custom is set instead of Type by extensions such as aggregate clusters.
	Custom struct {
		Name string `json:"name"`
	} `json:"cluster_type"`
	Metadata struct {
		Filter struct {
			Istio struct {
				Config   string `json:"config"`
				Services []struct {
					Name      string `json:"name"`
					Namespace string `json:"namespace"`
				} `json:"services"`
			} `json:"istio"`
		} `json:"filter_metadata"`
	} `json:"metadata"`
	LB             string       `json:"lb_policy"`
	ConnectTimeout wireDuration `json:"connect_timeout"`
	Socket         struct {
		Name string `json:"name"`
	} `json:"transport_socket"`
	SocketMatches []struct {
		Name string `json:"name"`
	} `json:"transport_socket_matches"`
	Outlier  *wireOutlier `json:"outlier_detection"`
	Breakers struct {
		Thresholds []wireThreshold `json:"thresholds"`
	} `json:"circuit_breakers"`
}

type wireThreshold struct {
	Priority    string  `json:"priority"`
	Connections *uint32 `json:"max_connections"`
	Pending     *uint32 `json:"max_pending_requests"`
	Requests    *uint32 `json:"max_requests"`
	Retries     *uint32 `json:"max_retries"`
}

type wireOutlier struct {
	Consecutive5xx     *uint32      `json:"consecutive_5xx"`
	ConsecutiveGateway *uint32      `json:"consecutive_gateway_failure"`
	Interval           wireDuration `json:"interval"`
	Ejection           wireDuration `json:"base_ejection_time"`
	MaxPercent         *uint32      `json:"max_ejection_percent"`
	Enforcing5xx       *uint32      `json:"enforcing_consecutive_5xx"`
}

func (w *wireCluster) cluster(state string) Cluster {
	c := Cluster{
		Name: w.Name, Host: w.Name, Type: cmp.Or(w.Type, w.Custom.Name, "STATIC"), State: state,
		LoadBalancing: cmp.Or(w.LB, "ROUND_ROBIN"), ConnectTimeout: w.ConnectTimeout.text(),
		OutlierDetection: w.Outlier != nil, Outlier: w.Outlier.String(), CircuitBreakers: w.breakers(), TLS: "none",
	}
	_, c.DestinationRule = OwnerOf(w.Metadata.Filter.Istio.Config)
	if services := w.Metadata.Filter.Istio.Services; len(services) > 0 && services[0].Name != "" {
		c.Service = services[0].Name + "." + services[0].Namespace
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

// breakers are the limits for requests of ordinary priority.
func (w *wireCluster) breakers() string {
	for _, t := range w.Breakers.Thresholds {
		if t.Priority == "" || t.Priority == "DEFAULT" {
			return limits("connections", t.Connections, "pending", t.Pending, "requests", t.Requests, "retries", t.Retries)
		}
	}
	return ""
}

// String says after what and for how long an endpoint is ejected; "" without
// outlier detection.
func (o *wireOutlier) String() string {
	if o == nil {
		return ""
	}
	if o.Enforcing5xx != nil && *o.Enforcing5xx == 0 {
		o.Consecutive5xx = nil
	}
	parts := []string{limits("5xx", o.Consecutive5xx, "gateway-errors", o.ConsecutiveGateway)}
	if o.Interval != "" {
		parts = append(parts, "every "+o.Interval.text())
	}
	if o.Ejection != "" {
		parts = append(parts, "for "+o.Ejection.text())
	}
	if o.MaxPercent != nil {
		parts = append(parts, fmt.Sprintf("at most %d%%", *o.MaxPercent))
	}
	return cmp.Or(strings.TrimSpace(strings.Join(parts, " ")), "Envoy's defaults")
}

// limits are names and numbers as "a=1 b=2", without those that have no bound.
func limits(pairs ...any) string {
	var parts []string
	for i := 0; i < len(pairs); i += 2 {
		if n := pairs[i+1].(*uint32); n != nil && *n != math.MaxUint32 {
			parts = append(parts, fmt.Sprintf("%s=%d", pairs[i], *n))
		}
	}
	return strings.Join(parts, " ")
}
