package proxyconfig

import (
	"cmp"
	"fmt"
	"strings"
)

type wireRoutes struct {
	Name  string `json:"name"`
	Hosts []struct {
		Name    string      `json:"name"`
		Domains []string    `json:"domains"`
		Routes  []wireRoute `json:"routes"`
	} `json:"virtual_hosts"`
}

type wireRoute struct {
	Name     string       `json:"name"`
	Match    wireMatch    `json:"match"`
	Metadata wireMetadata `json:"metadata"`
	Action   *struct {
		Cluster       string       `json:"cluster"`
		ClusterHeader string       `json:"cluster_header"`
		Weighted      wireWeights  `json:"weighted_clusters"`
		Timeout       wireDuration `json:"timeout"`
		Retry         *wireRetry   `json:"retry_policy"`
		wireActions
	} `json:"route"`
	Redirect *struct {
		Scheme string `json:"scheme_redirect"`
		HTTPS  bool   `json:"https_redirect"`
		Host   string `json:"host_redirect"`
		Path   string `json:"path_redirect"`
		Code   string `json:"response_code"`
	} `json:"redirect"`
	Direct *struct {
		Status int `json:"status"`
	} `json:"direct_response"`
	wireHeaders
	// Filters are the filters set up for this route, by name.
	Filters map[string]struct{} `json:"typed_per_filter_config"`
}

// wireActions are what a route does to a request besides sending it on.
type wireActions struct {
	Prefix   string            `json:"prefix_rewrite"`
	Regex    *wireSubstitution `json:"regex_rewrite"`
	Host     string            `json:"host_rewrite_literal"`
	Mirrors  []wireMirror      `json:"request_mirror_policies"`
	Limits   []struct{}        `json:"rate_limits"`
	Hash     []struct{}        `json:"hash_policy"`
	Upgrades []struct {
		Type string `json:"upgrade_type"`
	} `json:"upgrade_configs"`
}

type wireSubstitution struct {
	Pattern wireRegex `json:"pattern"`
	To      string    `json:"substitution"`
}

type wireMirror struct {
	Cluster  string `json:"cluster"`
	Fraction *struct {
		Default struct {
			Numerator   float64 `json:"numerator"`
			Denominator string  `json:"denominator"`
		} `json:"default_value"`
	} `json:"runtime_fraction"`
}

// wireHeaders are the headers that a route adds and removes.
type wireHeaders struct {
	RequestAdd     []wireHeader `json:"request_headers_to_add"`
	RequestRemove  []string     `json:"request_headers_to_remove"`
	ResponseAdd    []wireHeader `json:"response_headers_to_add"`
	ResponseRemove []string     `json:"response_headers_to_remove"`
}

type wireHeader struct {
	Header struct {
		Key string `json:"key"`
	} `json:"header"`
}

type wireWeights struct {
	Clusters []struct {
		Name   string `json:"name"`
		Weight int    `json:"weight"`
	} `json:"clusters"`
}

type wireRetry struct {
	On    string `json:"retry_on"`
	Count int    `json:"num_retries"`
}

type wireMatch struct {
	Prefix    *string    `json:"prefix"`
	Path      *string    `json:"path"`
	Separated *string    `json:"path_separated_prefix"`
	Regex     *wireRegex `json:"safe_regex"`
	Connect   *struct{}  `json:"connect_matcher"`
	Template  *struct {
		Config struct {
			Template string `json:"path_template"`
		} `json:"typed_config"`
	} `json:"path_match_policy"`
	CaseSensitive *bool       `json:"case_sensitive"`
	Headers       []wireNamed `json:"headers"`
	Query         []wireNamed `json:"query_parameters"`
}

type wireRegex struct {
	Regex string `json:"regex"`
}

// wireNamed is a condition on a header or a query parameter.
type wireNamed struct {
	Name    string      `json:"name"`
	Text    *wireString `json:"string_match"`
	Present *bool       `json:"present_match"`
	Invert  bool        `json:"invert_match"`
	// Older forms that Envoy still knows.
	Exact  string     `json:"exact_match"`
	Prefix string     `json:"prefix_match"`
	Suffix string     `json:"suffix_match"`
	Regex  *wireRegex `json:"safe_regex_match"`
}

type wireString struct {
	Exact    *string    `json:"exact"`
	Prefix   string     `json:"prefix"`
	Suffix   string     `json:"suffix"`
	Contains string     `json:"contains"`
	Regex    *wireRegex `json:"safe_regex"`
}

func (w *wireRoutes) hosts() []Host {
	hosts := make([]Host, 0, len(w.Hosts))
	for _, h := range w.Hosts {
		host := Host{Name: h.Name, Domains: h.Domains, Routes: make([]Route, 0, len(h.Routes))}
		if host.Domains == nil {
			host.Domains = []string{}
		}
		for i := range h.Routes {
			host.Routes = append(host.Routes, h.Routes[i].route())
		}
		hosts = append(hosts, host)
	}
	return hosts
}

func (w *wireRoute) route() Route {
	r := Route{Name: w.Name, Match: w.Match.String(), Actions: w.actions()}
	var kind string
	if kind, r.VirtualService = OwnerOf(w.Metadata.Filter.Istio.Config); r.VirtualService != "" {
		r.Owner = ownerText(kind, r.VirtualService)
	}
	switch {
	case w.Action != nil:
		r.Destination = cmp.Or(w.Action.Cluster, w.Action.Weighted.String())
		if r.Destination == "" && w.Action.ClusterHeader != "" {
			r.Destination = "cluster named by header " + w.Action.ClusterHeader
		}
		r.passthrough = w.Action.Cluster == "PassthroughCluster"
		if r.Timeout = w.Action.Timeout.text(); r.Timeout == "0s" {
			r.Timeout = "none"
		}
		if w.Action.Retry != nil {
			r.Retries = w.Action.Retry.String()
		}
	case w.Redirect != nil:
		r.Destination = w.redirect()
	case w.Direct != nil:
		r.Destination = fmt.Sprintf("status %d", w.Direct.Status)
	default:
		r.Destination = "-"
	}
	return r
}

func (w *wireRoute) redirect() string {
	scheme := w.Redirect.Scheme
	if w.Redirect.HTTPS {
		scheme = "https"
	}
	target := w.Redirect.Host + w.Redirect.Path
	if scheme != "" {
		target = scheme + "://" + cmp.Or(target, "(same host)")
	}
	return "redirect " + RedactText(cmp.Or(target, "(elsewhere)"))
}

func (r *wireRetry) String() string {
	times := r.Count
	if times == 0 {
		times = 1 // Envoy's default once there is a policy
	}
	return strings.TrimSpace(fmt.Sprintf("%dx %s", times, r.On))
}

// String is "a 90%, b 10%", in shares of the sum of the weights.
func (w wireWeights) String() string {
	sum := 0
	for _, c := range w.Clusters {
		sum += c.Weight
	}
	parts := make([]string, 0, len(w.Clusters))
	for _, c := range w.Clusters {
		if sum == 0 {
			parts = append(parts, c.Name)
			continue
		}
		parts = append(parts, fmt.Sprintf("%s %s%%", c.Name, share(c.Weight, sum)))
	}
	return strings.Join(parts, ", ")
}

// share is part of whole in per cent, with a decimal only where it is needed.
func share(part, whole int) string {
	text := fmt.Sprintf("%.1f", 100*float64(part)/float64(whole))
	return strings.TrimSuffix(text, ".0")
}

// String is the condition as people read it: "/api* x-user=jason".
func (m *wireMatch) String() string {
	parts := []string{m.path()}
	for i := range m.Headers {
		parts = append(parts, m.Headers[i].String())
	}
	for i := range m.Query {
		parts = append(parts, "?"+m.Query[i].String())
	}
	return strings.Join(parts, " ")
}

func (m *wireMatch) path() string {
	var path string
	switch {
	case m.Path != nil:
		path = *m.Path
	case m.Prefix != nil:
		path = *m.Prefix + "*"
	case m.Separated != nil:
		path = "PathPrefix:" + *m.Separated
	case m.Regex != nil:
		path = "regex " + m.Regex.Regex
	case m.Template != nil:
		path = m.Template.Config.Template
	case m.Connect != nil:
		path = "CONNECT"
	default:
		path = "*"
	}
	if m.CaseSensitive != nil && !*m.CaseSensitive {
		path += " (any case)"
	}
	return path
}

func (n *wireNamed) String() string {
	name := strings.TrimPrefix(n.Name, ":")
	op, value := n.condition()
	if n.Invert {
		op = "!" + op
	}
	if value != "*" && value != "(absent)" {
		value = RedactHeader(n.Name, value)
	}
	return name + op + value
}

func (n *wireNamed) condition() (op, value string) {
	switch {
	case n.Text != nil:
		return n.Text.condition()
	case n.Exact != "":
		return "=", n.Exact
	case n.Prefix != "":
		return "=", n.Prefix + "*"
	case n.Suffix != "":
		return "=", "*" + n.Suffix
	case n.Regex != nil:
		return "~", n.Regex.Regex
	case n.Present != nil && !*n.Present:
		return "=", "(absent)"
	}
	return "=", "*"
}

func (s *wireString) condition() (op, value string) {
	switch {
	case s.Exact != nil:
		return "=", *s.Exact
	case s.Prefix != "":
		return "=", s.Prefix + "*"
	case s.Suffix != "":
		return "=", "*" + s.Suffix
	case s.Contains != "":
		return "=", "*" + s.Contains + "*"
	case s.Regex != nil:
		return "~", s.Regex.Regex
	}
	return "=", "*"
}
