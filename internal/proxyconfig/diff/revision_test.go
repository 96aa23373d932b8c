package diff

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/output"
)

func candidate(name, workload, account string, labels map[string]string, dump string) Candidate {
	return Candidate{Name: name, Namespace: "shop", Workload: workload, Account: account, Labels: labels, Side: side(name, dump)}
}

// revisionDump is a proxy of a revision, with a cluster that has a timeout.
func revisionDump(pod, workload, revision, version, timeout string) string {
	return dumpOf(`bootstrap {"node":{"id":"sidecar~10.0.0.1~`+pod+`.shop~shop.svc.cluster.local","metadata":{"NAME":"`+pod+`","NAMESPACE":"shop","WORKLOAD_NAME":"`+workload+
		`","ISTIO_VERSION":"`+version+`","LABELS":{"istio.io/rev":"`+revision+`"},"PROXY_CONFIG":{"discoveryAddress":"istiod-`+revision+`.istio-system.svc:15012"}}}}`,
		`dynamic_active_clusters {"name":"c","connect_timeout":"`+timeout+`"}`)
}

func TestRevisions(t *testing.T) {
	t.Parallel()
	labels := func(app, version string) map[string]string {
		return map[string]string{"app": app, "version": version, "pod-template-hash": version}
	}
	old := []Candidate{
		candidate("web-1", "deployment/web", "web", labels("web", "v1"), revisionDump("web-1", "web", "old", "1.30.1", "10s")),
		candidate("web-0", "deployment/web", "web", labels("web", "v1"), "not read"),
		candidate("api-1", "deployment/api", "api", labels("api", "v1"), revisionDump("api-1", "api", "old", "1.30.1", "10s")),
		candidate("pay-1", "deployment/pay", "pay", labels("pay", "v1"), revisionDump("pay-1", "pay", "old", "1.30.1", "5s")),
		candidate("gone-1", "deployment/gone", "gone", labels("gone", "v1"), ""),
		{Name: "bad-1", Namespace: "shop", Workload: "deployment/bad", Side: Side{Name: "bad-1", Open: func() (io.ReadCloser, error) { return nil, errors.New("it does not answer") }}},
	}
	now := []Candidate{
		candidate("web-2", "deployment/web", "web", labels("web", "v1"), revisionDump("web-2", "web", "new", "1.31.1", "15s")),
		candidate("api-canary-1", "deployment/api-canary", "api", labels("api", "v2"), revisionDump("api-canary-1", "api-canary", "new", "1.31.1", "15s")),
		candidate("pay-2", "deployment/pay", "pay", labels("pay", "v1"), revisionDump("pay-2", "pay", "new", "1.31.1", "5s")),
		candidate("bad-2", "deployment/bad", "", nil, ""),
		candidate("more-1", "deployment/more", "more", labels("more", "v1"), ""),
	}
	r := PairUp("old", "new", old, now)
	for _, p := range r.Pairs {
		p.Compare(Options{})
	}
	r.Finish()
	var out strings.Builder
	if err := output.Write(&out, output.Options{}, r); err != nil {
		t.Fatal(err)
	}
	const want = `NAMESPACE  WORKLOAD        STATE      BOOTSTRAP  CLUSTERS
shop       deployment/api  DIFFERENT  0          1
shop       deployment/bad  UNKNOWN    0          0
shop       deployment/pay  SAME       0          0
shop       deployment/web  DIFFERENT  0          1
TOTAL      4 workloads     2 differ   0          2

What several workloads have in common:
  2 of 4  clusters: ~ connect_timeout: 10s -> 15s

Not compared: deployment/gone in shop runs under old only.
Not compared: deployment/more in shop runs under new only.
Not compared: deployment/bad in shop: it does not answer

Taken for equal: node id, pod name, Istio version, revision, workload, istiod (--raw compares it).
See one: meshctl proxy-config diff api-1.shop api-canary-1.shop
`
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Error(d)
	}
	if r.Same || r.Complete {
		t.Errorf("same %v, complete %v", r.Same, r.Complete)
	}
	raw := PairUp("old", "new", old[3:4], now[2:3])
	raw.Pairs[0].Compare(Options{Raw: true})
	if raw.Finish(); raw.Same {
		t.Error("raw: revisions are taken for equal")
	}
}
