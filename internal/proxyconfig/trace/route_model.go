package trace

import (
	"encoding/json"
	"fmt"
	"slices"
)

// routeTable is a RouteConfiguration.
type routeTable struct {
	Name       string        `json:"name"`
	Hosts      []virtualHost `json:"virtual_hosts"`
	IgnorePort bool          `json:"ignore_port_in_host_matching"`
	// IgnoreParams takes ";a=b" off each segment before paths are matched.
	IgnoreParams bool                       `json:"ignore_path_parameters_in_path_matching"`
	HostHeader   string                     `json:"vhost_header"`
	VHDS         json.RawMessage            `json:"vhds"`
	PerFilter    map[string]json.RawMessage `json:"typed_per_filter_config"`
	Mirrors      []mirrorPolicy             `json:"request_mirror_policies"`
	LeastFirst   bool                       `json:"most_specific_header_mutations_wins"`
	headerChange
}

// virtualHost is one VirtualHost; its routes are decoded once it is chosen.
type virtualHost struct {
	Name       string                     `json:"name"`
	Domains    []string                   `json:"domains"`
	RequireTLS string                     `json:"require_tls"`
	Matcher    json.RawMessage            `json:"matcher"`
	PerFilter  map[string]json.RawMessage `json:"typed_per_filter_config"`
	Mirrors    []mirrorPolicy             `json:"request_mirror_policies"`
	Retry      *retryPolicy               `json:"retry_policy"`
	Metadata   metadata                   `json:"metadata"`
	RateLimits []json.RawMessage          `json:"rate_limits"`
	RawRoutes  json.RawMessage            `json:"routes"`
	headerChange
}

func (h *virtualHost) routes() ([]route, error) {
	if h.RawRoutes == nil {
		return nil, nil
	}
	var routes []route
	if err := json.Unmarshal(h.RawRoutes, &routes); err != nil {
		return nil, fmt.Errorf("reading the routes of virtual host %s: %w", h.Name, err)
	}
	return routes, nil
}

// rateLimits are what a rate limit service is asked about: those of the route,
// and of its host where the route has none or wants them, too.
func (r *route) rateLimits(h *virtualHost) []json.RawMessage {
	if r.Action == nil {
		return nil
	}
	if len(r.Action.RateLimits) > 0 && !r.Action.HostLimits {
		return r.Action.RateLimits
	}
	return append(slices.Clip(r.Action.RateLimits), h.RateLimits...)
}

// headerChange is what is done to the headers of requests that are sent on.
type headerChange struct {
	Add []struct {
		Header struct {
			Key   string `json:"key"`
			Value string `json:"value"`
		} `json:"header"`
		Append *bool  `json:"append"`
		Action string `json:"append_action"`
	} `json:"request_headers_to_add"`
	Remove []string `json:"request_headers_to_remove"`
}

type route struct {
	Name      string                     `json:"name"`
	Match     routeMatch                 `json:"match"`
	Action    *routeAction               `json:"route"`
	Redirect  *redirectAction            `json:"redirect"`
	Direct    *directAction              `json:"direct_response"`
	Filter    json.RawMessage            `json:"filter_action"`
	None      json.RawMessage            `json:"non_forwarding_action"`
	Metadata  metadata                   `json:"metadata"`
	PerFilter map[string]json.RawMessage `json:"typed_per_filter_config"`
	headerChange
}

type routeMatch struct {
	Prefix        *string         `json:"prefix"`
	Path          *string         `json:"path"`
	Regex         *regexMatcher   `json:"safe_regex"`
	Separated     *string         `json:"path_separated_prefix"`
	Connect       json.RawMessage `json:"connect_matcher"`
	Policy        *extension      `json:"path_match_policy"`
	CaseSensitive *bool           `json:"case_sensitive"`
	Fraction      *runtimeShare   `json:"runtime_fraction"`
	Headers       []headerMatcher `json:"headers"`
	Query         []queryMatcher  `json:"query_parameters"`
	Cookies       json.RawMessage `json:"cookies"`
	GRPC          json.RawMessage `json:"grpc"`
	TLS           *struct {
		Presented *bool `json:"presented"`
		Validated *bool `json:"validated"`
	} `json:"tls_context"`
	Dynamic     []metadataMatcher `json:"dynamic_metadata"`
	FilterState json.RawMessage   `json:"filter_state"`
}

// runtimeShare is a share of requests, which Envoy's runtime may override.
type runtimeShare struct {
	Default fraction `json:"default_value"`
	Key     string   `json:"runtime_key"`
}

type fraction struct {
	Numerator   int    `json:"numerator"`
	Denominator string `json:"denominator"`
}

// percent is the share in per cent.
func (f fraction) percent() float64 {
	switch f.Denominator {
	case "TEN_THOUSAND":
		return float64(f.Numerator) / 100
	case "MILLION":
		return float64(f.Numerator) / 10_000
	}
	return float64(f.Numerator)
}

type routeAction struct {
	Cluster       string          `json:"cluster"`
	ClusterHeader string          `json:"cluster_header"`
	Weighted      *weighted       `json:"weighted_clusters"`
	Plugin        string          `json:"cluster_specifier_plugin"`
	InlinePlugin  json.RawMessage `json:"inline_cluster_specifier_plugin"`
	// NotFound is the answer when there is no such cluster.
	NotFound       string            `json:"cluster_not_found_response_code"`
	MetadataMatch  json.RawMessage   `json:"metadata_match"`
	PrefixRewrite  string            `json:"prefix_rewrite"`
	RegexRewrite   *regexRewrite     `json:"regex_rewrite"`
	PathRewrite    *extension        `json:"path_rewrite_policy"`
	HostLiteral    string            `json:"host_rewrite_literal"`
	HostAuto       bool              `json:"auto_host_rewrite"`
	HostHeader     string            `json:"host_rewrite_header"`
	HostRegex      *regexRewrite     `json:"host_rewrite_path_regex"`
	AppendHost     bool              `json:"append_x_forwarded_host"`
	Timeout        *string           `json:"timeout"`
	IdleTimeout    *string           `json:"idle_timeout"`
	MaxStream      *maxStream        `json:"max_stream_duration"`
	Retry          *retryPolicy      `json:"retry_policy"`
	Mirrors        []mirrorPolicy    `json:"request_mirror_policies"`
	Hash           []hashPolicy      `json:"hash_policy"`
	Upgrades       []upgrade         `json:"upgrade_configs"`
	InternalRedirs json.RawMessage   `json:"internal_redirect_policy"`
	Priority       string            `json:"priority"`
	RateLimits     []json.RawMessage `json:"rate_limits"`
	HostLimits     bool              `json:"include_vh_rate_limits"`
	EarlyData      json.RawMessage   `json:"early_data_policy"`
}

type upgrade struct {
	Type    string          `json:"upgrade_type"`
	Enabled *bool           `json:"enabled"`
	Filters json.RawMessage `json:"filters"`
}

type maxStream struct {
	Max       string  `json:"max_stream_duration"`
	GRPC      *string `json:"grpc_timeout_header_max"`
	GRPCDelta string  `json:"grpc_timeout_header_offset"`
}

type weighted struct {
	Clusters []weightedCluster `json:"clusters"`
	Key      string            `json:"runtime_key_prefix"`
	Header   string            `json:"header_name"`
	Random   json.RawMessage   `json:"use_hash_policy"`
}

type weightedCluster struct {
	Name        string                     `json:"name"`
	Header      string                     `json:"cluster_header"`
	Weight      int                        `json:"weight"`
	HostLiteral string                     `json:"host_rewrite_literal"`
	Metadata    json.RawMessage            `json:"metadata_match"`
	PerFilter   map[string]json.RawMessage `json:"typed_per_filter_config"`
	headerChange
}

type regexRewrite struct {
	Pattern      regexMatcher `json:"pattern"`
	Substitution string       `json:"substitution"`
}

type retryPolicy struct {
	On        string  `json:"retry_on"`
	Count     *int    `json:"num_retries"`
	PerTry    string  `json:"per_try_timeout"`
	Idle      string  `json:"per_try_idle_timeout"`
	Codes     []int   `json:"retriable_status_codes"`
	HostTries jsonInt `json:"host_selection_retry_max_attempts"`
}

type mirrorPolicy struct {
	Cluster  string        `json:"cluster"`
	Header   string        `json:"cluster_header"`
	Fraction *runtimeShare `json:"runtime_fraction"`
}

type hashPolicy struct {
	Header *struct {
		Name string `json:"header_name"`
	} `json:"header"`
	Cookie *struct {
		Name string `json:"name"`
	} `json:"cookie"`
	Connection *struct {
		SourceIP bool `json:"source_ip"`
	} `json:"connection_properties"`
	Query *struct {
		Name string `json:"name"`
	} `json:"query_parameter"`
}

type redirectAction struct {
	HTTPS         bool          `json:"https_redirect"`
	Scheme        string        `json:"scheme_redirect"`
	Host          string        `json:"host_redirect"`
	Port          int           `json:"port_redirect"`
	Path          string        `json:"path_redirect"`
	PrefixRewrite string        `json:"prefix_rewrite"`
	RegexRewrite  *regexRewrite `json:"regex_rewrite"`
	Code          string        `json:"response_code"`
	StripQuery    bool          `json:"strip_query"`
}

type directAction struct {
	Status int `json:"status"`
}
