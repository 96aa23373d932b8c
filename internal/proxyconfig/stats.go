package proxyconfig

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/meshctl/meshctl/internal/hint"
)

// StatsQuery says which stats are wanted.
type StatsQuery struct {
	// Clusters asks for the stats of endpoints that /clusters has, instead of
	// the server's own.
	Clusters bool
	// Filter is a regular expression that a part of the name matches; "" is all.
	Filter string
	// All keeps what is zero or empty.
	All bool
	// Timeout bounds each proxy's answer.
	Timeout time.Duration
}

// Check says what is wrong with the filter; Envoy reads the same syntax.
func (q StatsQuery) Check() error {
	if _, err := regexp.Compile(q.Filter); err != nil {
		return hint.Usagef("quote what is special: \\. \\| \\(", "--filter %q is not a regular expression: %s", q.Filter, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return nil
}

// path is the admin request.
func (q StatsQuery) path() string {
	if q.Clusters {
		return "/clusters?format=json"
	}
	path := "/stats?format=json"
	if !q.All {
		path += "&usedonly"
	}
	if q.Filter != "" {
		path += "&filter=" + url.QueryEscape(q.Filter)
	}
	return path
}

// PrometheusPath is the admin request for the stats in Prometheus's format,
// which are Envoy's own words.
func (q StatsQuery) PrometheusPath() string {
	if q.Filter == "" {
		return "/stats/prometheus"
	}
	return "/stats/prometheus?filter=" + url.QueryEscape(q.Filter)
}

// Stats reads the stats of all proxies at once. A proxy that fails is reported
// with its error.
func Stats(ctx context.Context, proxies []AdminProxy, q StatsQuery) (*StatsReport, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	r := &StatsReport{Clusters: q.Clusters, all: q.All, Proxies: make([]ProxyStats, len(proxies))}
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, proxy := range proxies {
		p := &r.Proxies[i]
		p.Proxy, p.Stats = proxy.Name, []Stat{}
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, q.Timeout)
			defer cancel()
			if err := p.read(ctx, proxy, q); err != nil {
				p.Error, p.Hint = err.Error(), hint.Of(err)
			}
			return nil
		})
	}
	_ = group.Wait()
	return r, ctx.Err()
}

func (p *ProxyStats) read(ctx context.Context, a Admin, q StatsQuery) error {
	body, err := a.Get(ctx, q.path())
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	read := readStats
	if q.Clusters {
		read = readClusterStats
	}
	filter := regexp.MustCompile(q.Filter)
	err = read(Source{Name: p.Proxy, Reader: body}, func(s Stat) {
		if filter.MatchString(s.Name) && (q.All || !s.zero()) {
			p.Stats = append(p.Stats, s)
		}
	})
	slices.SortStableFunc(p.Stats, func(a, b Stat) int { return strings.Compare(a.Name, b.Name) })
	return err
}

// readStats reads Envoy's /stats in JSON.
func readStats(s Source, add func(Stat)) error {
	var w struct {
		Stats []struct {
			Name       string `json:"name"`
			Value      any    `json:"value"`
			Histograms *struct {
				Quantiles []float64 `json:"supported_quantiles"`
				Computed  []struct {
					Name   string `json:"name"`
					Values []struct {
						Cumulative *float64 `json:"cumulative"`
					} `json:"values"`
				} `json:"computed_quantiles"`
			} `json:"histograms"`
		} `json:"stats"`
	}
	dec := json.NewDecoder(io.LimitReader(s.Reader, 1<<30))
	dec.UseNumber()
	if err := dec.Decode(&w); err != nil {
		return hint.Unanswerablef("is --proxy-admin-port the port of Envoy's admin interface?", "reading the stats of %s: %w", s.Name, err)
	}
	for _, stat := range w.Stats {
		if stat.Histograms == nil {
			add(Stat{Name: stat.Name, Value: stat.Value})
			continue
		}
		for _, h := range stat.Histograms.Computed {
			all := []Quantile{}
			for i, v := range h.Values {
				if i < len(stat.Histograms.Quantiles) && v.Cumulative != nil {
					all = append(all, Quantile{Percent: stat.Histograms.Quantiles[i], Value: *v.Cumulative})
				}
			}
			add(Stat{Name: h.Name, Quantiles: all})
		}
	}
	return nil
}

// readClusterStats reads the stats of endpoints in Envoy's /clusters.
func readClusterStats(s Source, add func(Stat)) error {
	return s.Each(nil, map[string]Field{"cluster_statuses": func(e Element) error {
		var w struct {
			Name  string `json:"name"`
			Hosts []struct {
				Address wireAddress `json:"address"`
				Stats   []struct {
					Name  string `json:"name"`
					Value string `json:"value"`
				} `json:"stats"`
			} `json:"host_statuses"`
		}
		if _, err := e.Decode(&w); err != nil {
			return err
		}
		for _, h := range w.Hosts {
			for _, stat := range h.Stats {
				value := stat.Value
				if value == "" {
					value = "0"
				}
				add(Stat{Name: fmt.Sprintf("%s::%s::%s", w.Name, h.Address, stat.Name), Value: json.Number(value), Cluster: w.Name, Endpoint: h.Address.String(), short: stat.Name})
			}
		}
		return nil
	}})
}
