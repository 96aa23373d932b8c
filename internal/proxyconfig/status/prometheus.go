package status

import (
	"fmt"
	"io"
	"maps"
	"slices"

	metrics "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

// AsPrometheus is Prometheus' text format.
const AsPrometheus output.Format = "prometheus"

// Encode writes the report as metrics.
func (r *Report) Encode(w io.Writer, f output.Format) (known bool, err error) {
	if f != AsPrometheus {
		return false, nil
	}
	for _, family := range r.metrics() {
		if len(family.Metric) == 0 {
			continue
		}
		if _, err := expfmt.MetricFamilyToText(w, family); err != nil {
			return true, fmt.Errorf("writing ProxyStatus as metrics: %w", err)
		}
	}
	return true, nil
}

func (r *Report) metrics() []*metrics.MetricFamily {
	inSync := gauge("meshctl_proxies_in_sync", "1 when nothing that was asked for is out of step, else 0.")
	add(inSync, truth(r.InSync))
	complete := gauge("meshctl_proxy_status_complete", "1 when every istiod and cluster answered and nothing was left undecided, else 0.")
	add(complete, truth(r.Complete))
	at := gauge("meshctl_proxy_status_timestamp_seconds", "When this was read, in seconds since 1970.")
	add(at, float64(r.Time.UnixMilli())/1000)

	clusters := gauge("meshctl_cluster_up", "1 when the cluster could be read, else 0.")
	for _, c := range r.Clusters {
		add(clusters, truth(c.Read), "context", c.Context)
	}
	up := gauge("meshctl_istiod_up", "1 when the istiod answered, else 0.")
	proxies := gauge("meshctl_istiod_proxies", "Proxies connected to the istiod.")
	for _, i := range r.Istiods {
		labels := []string{"context", i.Context, "istiod", i.Name, "revision", i.Revision}
		add(up, truth(i.Error == ""), labels...)
		if i.Error == "" {
			add(proxies, float64(i.Proxies), labels...)
		}
	}
	problems := gauge("meshctl_proxy_problems", "Proxies and pods with the problem.")
	for _, p := range Problems() {
		if n, asked := r.Summary.Problems[p]; asked {
			add(problems, float64(n), "problem", string(p))
		}
	}
	return []*metrics.MetricFamily{inSync, complete, at, clusters, up, proxies, r.byState(), problems, r.ages()}
}

// byState counts proxies by their worst state.
func (r *Report) byState() *metrics.MetricFamily {
	type key struct{ cluster, context, istiod, kind, state string }
	counts := map[key]int{}
	for i := range r.Proxies {
		p := &r.Proxies[i]
		k := key{p.Cluster, p.Context, p.Istiod, p.Kind, "synced"}
		switch {
		case p.Worst() == proxyconfig.Rejected:
			k.state = "error"
		case p.Worst() == proxyconfig.Stale:
			k.state = "stale"
		case slices.ContainsFunc(p.Types, func(t proxyconfig.TypeSync) bool { return t.InFlight }):
			k.state = "in_flight"
		}
		counts[k]++
	}
	family := gauge("meshctl_proxies", "Connected proxies by their worst state: synced, in_flight, stale, error.")
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b key) int {
		return slices.Compare([]string{a.context, a.istiod, a.cluster, a.kind, a.state}, []string{b.context, b.istiod, b.cluster, b.kind, b.state})
	})
	for _, k := range keys {
		add(family, float64(counts[k]), "cluster", k.cluster, "context", k.context, "istiod", k.istiod, "kind", k.kind, "state", k.state)
	}
	return family
}

// ages has one series per problem of a proxy or pod and type of configuration.
func (r *Report) ages() *metrics.MetricFamily {
	family := gauge("meshctl_proxy_problem_seconds", "How long the proxy or pod has the problem, at least; 0 when that is not known.")
	seen := map[string]bool{}
	for _, f := range r.Problems {
		types := f.Types
		if len(types) == 0 {
			types = []string{""}
		}
		for _, t := range types {
			labels := []string{"problem", string(f.Problem), "cluster", f.Cluster, "context", f.Context, "namespace", f.Namespace, "name", f.Name, "istiod", f.Istiod, "type", t}
			if id := fmt.Sprintf("%q", labels); !seen[id] {
				seen[id] = true
				add(family, float64(f.AgeSeconds), labels...)
			}
		}
	}
	return family
}

func gauge(name, help string) *metrics.MetricFamily {
	return &metrics.MetricFamily{Name: &name, Help: &help, Type: metrics.MetricType_GAUGE.Enum()}
}

// add adds a series with labels given as names and values.
func add(family *metrics.MetricFamily, value float64, labels ...string) {
	m := &metrics.Metric{Gauge: &metrics.Gauge{Value: &value}}
	for i := 0; i+1 < len(labels); i += 2 {
		m.Label = append(m.Label, &metrics.LabelPair{Name: &labels[i], Value: &labels[i+1]})
	}
	family.Metric = append(family.Metric, m)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
