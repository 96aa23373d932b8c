package proxyconfig

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/output"
)

const (
	cds = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
	lds = "type.googleapis.com/envoy.config.listener.v3.Listener"
	nds = "type.googleapis.com/istio.networking.nds.v1.NameTable"
)

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func TestSyncStates(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, sent, acked, lastError string
		want                         SyncState
	}{
		{"accepted", "n1", "n1", "", Synced},
		{"not answered", "n2", "n1", "", Stale},
		{"never answered", "n1", "", "", Stale},
		{"nothing to send", "", "", "", NotSent},
		{"refused", "n1", "n0", "bad filter", Rejected},
		{"refused, then sent anew", "n2", "n0", "bad filter", Rejected},
	} {
		if got := stateOf([]byte(`"`+tc.sent+`"`), []byte(`"`+tc.acked+`"`), tc.lastError); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestParseSyncz(t *testing.T) {
	t.Parallel()
	text := `[{"cluster_id":"east","proxy":"web-1.shop","proxy_type":"sidecar","istio_version":"1.31.1","resources":{
		"` + nds + `":{"sent":"a","acked":"a"},
		"` + lds + `":{"sent":"b","acked":"a","sentTime":"2026-03-01T11:57:00Z","lastError":"no such\n filter"},
		"` + cds + `":{"sent":"c","acked":"c","sentTime":"0001-01-01T00:00:00Z"}}},
		{"proxy":"old-1.shop","proxy_version":"1.9.0","cluster_sent":"a","cluster_acked":"a","listener_sent":"b"}]`
	proxies, err := ParseSyncz("istiod-1", strings.NewReader(text))
	if err != nil || len(proxies) != 2 {
		t.Fatalf("%v, %v", proxies, err)
	}
	p := proxies[0]
	if p.ID() != "web-1.shop" || p.Namespace != "shop" || p.Cluster != "east" || p.Kind != "sidecar" || p.Istiod != "istiod-1" || p.Version != "1.31.1" {
		t.Errorf("proxy %+v", p)
	}
	var types []string
	for _, s := range p.Types {
		types = append(types, s.Type+"="+string(s.State))
	}
	if got := strings.Join(types, " "); got != "CDS=SYNCED LDS=ERROR NDS=SYNCED" {
		t.Errorf("types %s", got)
	}
	if p.Types[0].SentAt != nil || p.Types[1].SentAt == nil {
		t.Errorf("times %v, %v", p.Types[0].SentAt, p.Types[1].SentAt)
	}
	if p.Worst() != Rejected {
		t.Error("a refused listener is in sync")
	}
	types = nil
	for _, s := range proxies[1].Types {
		types = append(types, s.Type+"="+string(s.State))
	}
	if got := strings.Join(types, " "); got != "CDS=SYNCED LDS=STALE EDS=NOT_SENT RDS=NOT_SENT ECDS=NOT_SENT" || proxies[1].Version != "1.9.0" {
		t.Errorf("before resources: %s, version %s", got, proxies[1].Version)
	}

	_, err = ParseSyncz("istiod-1", strings.NewReader("<html>"))
	if err == nil || hint.Of(err) == "" || hint.ClassOf(err) != hint.Unanswerable {
		t.Errorf("not JSON: %v", err)
	}
}

// istiods answers by istiod name: text, or an error, or silence.
type istiods map[string]any

func (m istiods) Syncz(ctx context.Context, i IstiodSync) (*SyncAnswer, error) {
	switch answer := m[i.Name].(type) {
	case string:
		proxies, err := ParseSyncz(i.Name, strings.NewReader(answer))
		return &SyncAnswer{Proxies: proxies, Version: "1.31.1-abc-Clean", Clock: noon().Add(time.Hour)}, err
	case error:
		return nil, answer
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestGatherAsksAllAtOnce(t *testing.T) {
	t.Parallel()
	cluster := istiods{
		"a": `[{"proxy":"b.shop","resources":{"` + lds + `":{"sent":"a","sentTime":"2026-03-01T12:50:00Z"}}}]`,
		"b": `[{"proxy":"z.shop","resources":{}}]`,
		"c": hint.Unanswerablef("look at it", "connection refused"),
		"d": nil,
		"e": "<html>",
	}
	start := time.Now()
	asked := []IstiodSync{{Name: "a", Context: "east"}, {Name: "b"}, {Name: "c"}, {Name: "d"}, {Name: "e"}}
	report, err := GatherSync(t.Context(), cluster, asked, 100*time.Millisecond, noon)
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	if report.Complete || report.Failed() != 3 || report.Failure() != nil || len(report.Proxies) != 2 {
		t.Errorf("complete %v, failed %d, %v, proxies %d", report.Complete, report.Failed(), report.Failure(), len(report.Proxies))
	}
	if i := report.Istiods[0]; i.Version != "1.31.1" || i.Proxies != 1 {
		t.Errorf("answered: %+v", i)
	}
	if i := report.Istiods[2]; i.Error != "connection refused" || i.Hint != "look at it" {
		t.Errorf("refused: %+v", i)
	}
	if i := report.Istiods[3]; i.Error != "it did not answer within 100ms" {
		t.Errorf("silent: %+v", i)
	}
	// Ages are by istiod's clock, which is an hour ahead here.
	p := report.Proxies[0]
	if age, ok := p.Age(p.Types[0], noon()); !ok || age != 10*time.Minute || p.Context != "east" {
		t.Errorf("age %s, %v, context %q", age, ok, p.Context)
	}
}

// gate answers only when as many are asked as there are.
type gate struct{ asked sync.WaitGroup }

func (g *gate) Syncz(ctx context.Context, _ IstiodSync) (*SyncAnswer, error) {
	g.asked.Done()
	g.asked.Wait()
	return &SyncAnswer{}, ctx.Err()
}

func TestGatherWaitsForNoneBeforeAskingAnother(t *testing.T) {
	t.Parallel()
	const many = 10
	g := &gate{}
	g.asked.Add(many)
	report, err := GatherSync(t.Context(), g, make([]IstiodSync, many), time.Minute, noon)
	if err != nil || !report.Complete {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestGatherEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := GatherSync(ctx, istiods{}, []IstiodSync{{Name: "a"}}, time.Minute, noon)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func FuzzParseSyncz(f *testing.F) {
	f.Add([]byte(`[{"cluster_id":"east","proxy":"web-1.shop","resources":{"` + lds + `":{"sent":"b","sentTime":"2026-03-01T11:57:00Z","lastError":"no\n"}}},{"proxy":"old","cluster_sent":"a","resources":null}]`))
	f.Add([]byte(`[{"proxy":"a\u0041.b","istio_version":null,"resources":{}},]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		proxies, err := ParseSyncz("i", bytes.NewReader(text))
		if err == nil && proxies == nil {
			t.Error("neither proxies nor an error")
		}
		for i := range proxies {
			if proxies[i].Types == nil {
				t.Error("a proxy without types")
			}
		}
	})
}

func TestAge(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 1500 * time.Millisecond: "1s", 119 * time.Second: "119s", 2 * time.Minute: "2m", 3*time.Minute + 7*time.Second: "3m7s",
		59 * time.Minute: "59m", 4*time.Hour + 5*time.Minute: "4h5m", 30 * time.Hour: "30h", 72 * time.Hour: "3d",
	} {
		if got := age(d); got != want {
			t.Errorf("%s is %s, want %s", d, got, want)
		}
	}
}

func table(t *testing.T, d output.Document, f output.Format) string {
	t.Helper()
	var b bytes.Buffer
	if err := output.Write(&b, output.Options{Format: f}, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// BenchmarkParseSyncz reads what istiod says of 5,000 proxies.
func BenchmarkParseSyncz(b *testing.B) {
	nonce := `"2026-11-23T16:45:28Z/326b88e4a-d8d8-4bc6-aeca-df78cfc8a28a"`
	one := `{"cluster_id":"Kubernetes","proxy":"sim-101.bed-proxies","proxy_type":"sidecar","istio_version":"1.31.1"`
	for _, name := range []string{"cluster", "listener", "route", "endpoint"} {
		one += `,"` + name + `_sent":` + nonce + `,"` + name + `_acked":` + nonce
	}
	one += `,"resources":{`
	for i, url := range []string{cds, lds, nds, "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"} {
		if i > 0 {
			one += ","
		}
		one += `"` + url + `":{"sent":` + nonce + `,"acked":` + nonce + `,"sentTime":"2026-11-23T16:45:40.444193501Z"}`
	}
	text := "[" + strings.Repeat(one+"}},", 4999) + one + "}}]"
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if proxies, err := ParseSyncz("i", strings.NewReader(text)); err != nil || len(proxies) != 5000 {
			b.Fatal(len(proxies), err)
		}
	}
}
