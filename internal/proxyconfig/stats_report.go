package proxyconfig

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/output"
)

// StatsReport is the result of proxy-config stats.
type StatsReport struct {
	// Clusters says that the stats are those of endpoints.
	Clusters bool         `json:"clusters"`
	Proxies  []ProxyStats `json:"proxies"`

	all bool
}

// ProxyStats is the stats of one proxy.
type ProxyStats struct {
	Proxy string `json:"proxy"`
	Stats []Stat `json:"stats"`
	// Error is why they could not be read, Hint what to do.
	Error string `json:"error,omitempty"`
	Hint  string `json:"-"`
}

// Stat is one counter, gauge, text or histogram.
type Stat struct {
	// Name is Envoy's; of an endpoint it is cluster::endpoint::stat.
	Name     string `json:"name"`
	Cluster  string `json:"cluster,omitempty"`
	Endpoint string `json:"endpoint,omitempty"`
	// Value is a number, or the text of a text readout; histograms have none.
	Value any `json:"value,omitempty"`
	// Quantiles are a histogram's, since the proxy started.
	Quantiles []Quantile `json:"quantiles,omitempty"`

	short string
}

// Quantile is the value that so many percent of a histogram's are not above.
type Quantile struct {
	Percent float64 `json:"percent"`
	Value   float64 `json:"value"`
}

// zero says that there is nothing to tell.
func (s *Stat) zero() bool {
	switch v := s.Value.(type) {
	case json.Number:
		return v == "0"
	case string:
		return v == ""
	}
	for _, q := range s.Quantiles {
		if q.Value != 0 {
			return false
		}
	}
	return true
}

// text is the value as tables show it: of a histogram P50, P90, P99 and P100,
// or with all every quantile.
func (s *Stat) text(all bool) string {
	if s.Value != nil {
		return fmt.Sprint(s.Value)
	}
	var parts []string
	for _, q := range s.Quantiles {
		if all || q.Percent == 50 || q.Percent == 90 || q.Percent == 99 || q.Percent == 100 {
			parts = append(parts, "P"+number(q.Percent)+"="+number(q.Value))
		}
	}
	if len(parts) == 0 {
		return "no values"
	}
	return strings.Join(parts, " ")
}

// number is f with at most three digits behind the point.
func number(f float64) string {
	s := strconv.FormatFloat(f, 'f', 3, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// Failed is how many of the proxies did not answer.
func (r *StatsReport) Failed() int {
	n := 0
	for _, p := range r.Proxies {
		if p.Error != "" {
			n++
		}
	}
	return n
}

// DocumentKind is the kind of the JSON and YAML document.
func (*StatsReport) DocumentKind() string { return "ProxyStats" }

// Tables is one row per stat; of several proxies the first column says whose.
func (r *StatsReport) Tables(wide bool) []output.Table {
	t := output.Table{Columns: []string{"STAT", "VALUE"}, Empty: "No stats found, or only zeros, which --all shows."}
	if r.all {
		t.Empty = "No stats found."
	}
	if r.Clusters {
		t.Columns = []string{"CLUSTER", "ENDPOINT", "STAT", "VALUE"}
	}
	several := len(r.Proxies) > 1
	if several {
		t.Columns = append([]string{"PROXY"}, t.Columns...)
	}
	for i := range r.Proxies {
		p := &r.Proxies[i]
		for j := range p.Stats {
			s := &p.Stats[j]
			row := []string{s.Name, s.text(wide)}
			if r.Clusters {
				row = []string{s.Cluster, s.Endpoint, s.short, s.text(wide)}
			}
			if several {
				row = append([]string{p.Proxy}, row...)
			}
			t.Rows = append(t.Rows, row)
		}
	}
	return []output.Table{t}
}
