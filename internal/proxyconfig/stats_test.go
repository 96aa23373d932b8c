package proxyconfig

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/output"
)

// pages is an admin interface of fixed answers.
type pages map[string]string

func (p pages) Get(ctx context.Context, path string) (io.ReadCloser, error) {
	text, ok := p[path]
	if !ok {
		return nil, hint.Unanswerablef("look", "no page %s", path)
	}
	return io.NopCloser(strings.NewReader(text)), ctx.Err()
}

func (p pages) Post(context.Context, string) (io.ReadCloser, error) {
	return nil, errors.New("POST")
}

const serverStats = `{"stats": [{"name": "version_text", "value": "v/5"}, {"name": "empty_text", "value": ""}, {"name": "big", "value": 13354742495634543146}, {"name": "a.zero", "value": 0},
	{"histograms": {"supported_quantiles": [0, 50, 90, 99, 99.9, 100], "computed_quantiles": [
		{"name": "time_ms", "values": [{"cumulative": 0, "interval": null}, {"cumulative": 1.05}, {"cumulative": 2}, {"cumulative": 3.14159}, {"cumulative": 4}, {"cumulative": 100}]},
		{"name": "zero_ms", "values": [{"cumulative": 0}, {"cumulative": 0}]}, {"name": "new_ms", "values": [{"cumulative": null}]}]}}]}`

const clusterStats = `{"cluster_statuses": [{"name": "outbound|80||web", "host_statuses": [{"address": {"socket_address": {"address": "10.0.0.1", "port_value": 8080}},
	"stats": [{"name": "rq_error", "value": "2"}, {"name": "rq_total"}, {"name": "cx_active", "type": "GAUGE", "value": "1"}]}]}, {"name": "idle"}]}`

func statsOf(t *testing.T, q StatsQuery, proxies ...pages) *StatsReport {
	t.Helper()
	var all []AdminProxy
	for i, p := range proxies {
		all = append(all, AdminProxy{Name: string(rune('a'+i)) + ".shop", Admin: p})
	}
	q.Timeout = time.Minute
	r, err := Stats(t.Context(), all, q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestStats(t *testing.T) {
	t.Parallel()
	server := pages{"/stats?format=json&usedonly": serverStats, "/stats?format=json": serverStats, "/clusters?format=json": clusterStats,
		"/stats?format=json&usedonly&filter=ms%24": serverStats}
	for _, tc := range []struct {
		name   string
		query  StatsQuery
		format output.Format
		want   string
	}{
		{"not zero", StatsQuery{}, output.AsTable, "STAT          VALUE\nbig           13354742495634543146\ntime_ms       P50=1.05 P90=2 P99=3.142 P100=100\nversion_text  v/5\n"},
		{"all quantiles", StatsQuery{Filter: "ms$"}, output.AsWide, "STAT     VALUE\ntime_ms  P0=0 P50=1.05 P90=2 P99=3.142 P99.9=4 P100=100\n"},
		{"all", StatsQuery{All: true}, output.AsTable, "STAT          VALUE\na.zero        0\nbig           13354742495634543146\nempty_text\nnew_ms        no values\n" +
			"time_ms       P50=1.05 P90=2 P99=3.142 P100=100\nversion_text  v/5\nzero_ms       P50=0\n"},
		{"clusters", StatsQuery{Clusters: true}, output.AsTable, "CLUSTER           ENDPOINT       STAT       VALUE\noutbound|80||web  10.0.0.1:8080  cx_active  1\noutbound|80||web  10.0.0.1:8080  rq_error   2\n"},
		{"clusters, filtered", StatsQuery{Clusters: true, All: true, Filter: "web.*rq"}, output.AsTable,
			"CLUSTER           ENDPOINT       STAT      VALUE\noutbound|80||web  10.0.0.1:8080  rq_error  2\noutbound|80||web  10.0.0.1:8080  rq_total  0\n"},
		{"nothing", StatsQuery{Clusters: true, Filter: "nosuch"}, output.AsTable, "No stats found, or only zeros, which --all shows.\n"},
		{"nothing at all", StatsQuery{Clusters: true, Filter: "nosuch", All: true}, output.AsTable, "No stats found.\n"},
	} {
		if diff := cmp.Diff(tc.want, logTable(t, statsOf(t, tc.query, server), tc.format)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tc.name, diff)
		}
	}
	text := logTable(t, statsOf(t, StatsQuery{}, server), output.AsJSON)
	if !strings.Contains(text, `"value": 13354742495634543146`) || strings.Contains(text, "null") {
		t.Errorf("document:\n%s", text)
	}
}

func TestStatsOfSeveral(t *testing.T) {
	t.Parallel()
	good := pages{"/stats?format=json&usedonly": `{"stats": [{"name": "x", "value": 1}]}`}
	r := statsOf(t, StatsQuery{}, good, pages{}, pages{"/stats?format=json&usedonly": "hello"}, good)
	if diff := cmp.Diff("PROXY   STAT  VALUE\na.shop  x     1\nd.shop  x     1\n", logTable(t, r, output.AsTable)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if r.Failed() != 2 || r.Proxies[1].Error != "no page /stats?format=json&usedonly" || !strings.HasPrefix(r.Proxies[2].Error, "reading the stats of c.shop: ") || r.Proxies[2].Hint == "" {
		t.Errorf("failures: %+v", r.Proxies)
	}
}

func TestStatsRefusesFilter(t *testing.T) {
	t.Parallel()
	_, err := Stats(t.Context(), nil, StatsQuery{Filter: "a(b"})
	if err == nil || err.Error() != "--filter \"a(b\" is not a regular expression: missing closing ): `a(b`" || hint.ClassOf(err) != hint.Usage {
		t.Errorf("error %v", err)
	}
}

func FuzzStats(f *testing.F) {
	f.Add([]byte(serverStats))
	f.Add([]byte(clusterStats))
	f.Fuzz(func(_ *testing.T, b []byte) {
		for _, read := range []func(Source, func(Stat)) error{readStats, readClusterStats} {
			_ = read(Source{Name: "f", Reader: strings.NewReader(string(b))}, func(s Stat) { s.zero(); s.text(true) })
		}
	})
}
