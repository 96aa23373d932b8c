package status

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

const cds = "type.googleapis.com/envoy.config.cluster.v3.Cluster"

// proxy is a proxy whose clusters were sent so long ago, and refused with an
// error if there is one.
func proxy(name string, state proxyconfig.SyncState, ago time.Duration, refusal string) proxyconfig.ProxySync {
	sent := noon().Add(-ago)
	return proxyconfig.NewProxySync("istiod-1", name, "east", "1.31.1", []proxyconfig.TypeSync{{TypeURL: cds, State: state, SentAt: &sent, Error: refusal}})
}

// reported is the report on proxies of one istiod, which has not answered if failed.
func reported(failed string, proxies ...proxyconfig.ProxySync) *Report {
	m := &Mesh{Time: noon(), Istiods: []proxyconfig.IstiodSync{{Name: "istiod-1", Proxies: len(proxies), Error: failed}}, Proxies: proxies}
	return New(m, Wish{StaleAfter: 10 * time.Second})
}

func TestHistoryTellsWhatChanges(t *testing.T) {
	t.Parallel()
	refused := proxy("a.shop", proxyconfig.Rejected, time.Minute, "bad")
	stale := proxy("b.shop", proxyconfig.Stale, time.Minute, "")
	var h History
	told := func(r *Report) string {
		d := h.Next(r)
		var words []string
		for _, f := range d.New {
			words = append(words, "new "+string(f.Problem)+" "+f.id())
		}
		for _, f := range d.Gone {
			words = append(words, "gone "+string(f.Problem)+" "+f.id())
		}
		if d.Empty() != (len(words) == 0) {
			t.Errorf("empty: %v, but %v", d.Empty(), words)
		}
		return strings.Join(words, ", ")
	}
	for i, c := range []struct {
		report *Report
		want   string
	}{
		{reported("", refused, stale), "new error a.shop, new stale b.shop"},
		{reported("", refused, stale), ""},
		{reported("", refused), "gone stale b.shop"},
		{reported("it is away"), ""}, // nobody knows whether it is gone
		{reported("", refused), ""},
		{reported("", proxy("a.shop", proxyconfig.Rejected, 0, "worse")), "new error a.shop, gone error a.shop"},
		{reported(""), "gone error a.shop"},
	} {
		if got := told(c.report); got != c.want {
			t.Errorf("%d: %q, want %q", i, got, c.want)
		}
	}
	d := h.Next(reported("", refused))
	want := "TIME                  CHANGE  PROBLEM  NAME    CLUSTER  CAUSE\n2026-03-01T12:00:00Z  new     ERROR    a.shop  east     CDS refused: bad\n"
	if got := printed(t, d, output.AsTable); got != want {
		t.Errorf("%q", got)
	}
	if got := printed(t, d, output.AsJSON); !strings.Contains(got, `"kind": "ProxyStatusDifference"`) || strings.Contains(got, "null") {
		t.Error(got)
	}
}

func TestWaitForPushesInFlightOnce(t *testing.T) {
	t.Parallel()
	flying, synced := proxyconfig.Stale, proxyconfig.Synced
	var w Wait
	for i, c := range []struct {
		report *Report
		want   string
	}{
		{reported("", proxy("a.shop", flying, time.Second, ""), proxy("b.shop", flying, time.Second, "")), "2 with a push in flight"},
		{reported("", proxy("a.shop", synced, time.Second, ""), proxy("b.shop", flying, time.Second, "")), "1 with a push in flight"},
		{reported("it is away"), "no answer from istiod istiod-1"},
		{reported("", proxy("b.shop", proxyconfig.Rejected, time.Second, "bad")), "1 error"},
		// a has had its turn, and is sent something new meanwhile.
		{reported("", proxy("a.shop", flying, time.Second, ""), proxy("b.shop", synced, time.Second, "")), ""},
		{reported("", proxy("a.shop", flying, time.Minute, "")), "1 stale"},
	} {
		if got := w.Left(c.report); got != c.want {
			t.Errorf("%d: %q, want %q", i, got, c.want)
		}
	}
}

// TestMetricsAreWhatPrometheusReads has a name that needs escaping, and a proxy
// that two istiods know.
func TestMetricsAreWhatPrometheusReads(t *testing.T) {
	t.Parallel()
	odd := proxy("a\"b\\.shop", proxyconfig.Rejected, time.Minute, "bad")
	twice := proxy("b.shop", proxyconfig.Stale, time.Minute, "")
	text := printed(t, reported("", odd, twice, twice), AsPrometheus)
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err, text)
	}
	for name, family := range families {
		if family.GetHelp() == "" || family.GetType().String() != "GAUGE" || !strings.HasPrefix(name, "meshctl_") {
			t.Errorf("%s: %v", name, family)
		}
		seen := map[string]bool{}
		for _, m := range family.GetMetric() {
			if key := m.String(); seen[key] {
				t.Errorf("%s: twice %s", name, key)
			} else {
				seen[key] = true
			}
		}
	}
	ages := families["meshctl_proxy_problem_seconds"].GetMetric()
	if len(ages) != 2 || ages[0].GetGauge().GetValue() != 60 || ages[0].GetLabel()[4].GetValue() != `a"b\` {
		t.Errorf("%v", ages)
	}
}

func TestOnlyKnowsItsWords(t *testing.T) {
	t.Parallel()
	if only, err := ParseOnly([]string{"Stale", " no-pod"}); err != nil || len(only) != 2 || only[0] != Stale || only[1] != NoPod {
		t.Errorf("%v, %v", only, err)
	}
	for word, want := range map[string]string{"stael": `did you mean "stale"?`, "err": `did you mean "error"?`, "xyz": "leave --only out"} {
		_, err := ParseOnly([]string{word})
		if err == nil || hint.ClassOf(err) != hint.Usage || !strings.Contains(hint.Of(err), want) {
			t.Errorf("%s: %v (%s)", word, err, hint.Of(err))
		}
	}
}

func TestKeepLeavesOneProxy(t *testing.T) {
	t.Parallel()
	r := reported("", proxy("a.shop", proxyconfig.Rejected, time.Minute, "bad"), proxy("b.shop", proxyconfig.Synced, time.Minute, ""))
	r.Keep("b", "shop")
	if !r.InSync || len(r.Proxies) != 1 || r.Summary.Proxies != 1 || len(r.Problems) != 0 {
		t.Errorf("%+v", r)
	}
	if got := printed(t, r, output.AsTable); !strings.Contains(got, "b.shop  east     SYNCED (60s)") {
		t.Error(got)
	}
}

func TestSkippedKindsMakeItIncomplete(t *testing.T) {
	t.Parallel()
	m := &Mesh{Time: noon(), Clusters: []Cluster{{Name: "east", Skipped: []mesh.Skip{{Kind: mesh.Pod, Reason: "forbidden"}}}}}
	if r := New(m, Wish{}); r.Complete || len(r.Undecided) != 1 {
		t.Errorf("%+v", r)
	}
	if r := New(m, Wish{Only: []Problem{Rejected, Stale}}); !r.Complete {
		t.Errorf("only what istiods say is asked for: %+v", r.Undecided)
	}
}
