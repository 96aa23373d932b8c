package mesh_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/mesh"
)

// object is an object of a kind with a spec, as files hold it.
func object(kind mesh.Kind, namespace, name string, spec map[string]any) *mesh.Object {
	return mesh.NewObject(kind, map[string]any{
		"apiVersion": kind.APIVersion(), "kind": kind.Kind,
		"metadata": map[string]any{"namespace": namespace, "name": name}, "spec": spec,
	}, mesh.Origin{File: "x.yaml"})
}

func service(namespace, name string) *mesh.Object {
	return object(mesh.Service, namespace, name, map[string]any{"ports": []any{map[string]any{"name": "http", "port": int64(80)}}})
}

func entry(namespace, name string, exportTo []any, hosts ...any) *mesh.Object {
	return object(mesh.ServiceEntry, namespace, name, map[string]any{"hosts": hosts, "exportTo": exportTo})
}

func TestKinds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		apiVersion, kind string
		want             mesh.Kind
		ok               bool
	}{
		{"networking.istio.io/v1alpha3", "Gateway", mesh.Gateway, true},
		{"gateway.networking.k8s.io/v1", "Gateway", mesh.KubernetesGateway, true},
		{"networking.istio.io/v9", "Gateway", mesh.Gateway, true},
		{"v1", "Service", mesh.Service, true},
		{"serving.knative.dev/v1", "Service", mesh.Kind{}, false},
		{"v1", "VirtualService", mesh.Kind{}, false},
	} {
		if got, ok := mesh.KindOf(c.apiVersion, c.kind); got != c.want || ok != c.ok {
			t.Errorf("KindOf(%s, %s) = %v, %v", c.apiVersion, c.kind, got, ok)
		}
	}
	if mesh.Gateway.Serves("v9") || !mesh.Gateway.Serves("v1beta1") {
		t.Error("the versions of Gateway are wrong")
	}
}

func TestPathsReadWhatTheyWrite(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "spec", "spec.http[0].route[12].destination.host", `metadata.labels["app.kubernetes.io/name"].x`, `a["x]y"][3]`, `a[""].b`, `data["a\"b"]`,
	} {
		if got := mesh.ParsePath(text).String(); got != text {
			t.Errorf("path %q comes back as %q", text, got)
		}
	}
	if diff := cmp.Diff(mesh.Path{"spec", "http", 0, "a.b"}, mesh.ParsePath(`spec.http[0]["a.b"]`)); diff != "" {
		t.Error(diff)
	}
}

func TestHostPatterns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b            string
		covers, overlap bool
	}{
		{"*", "a.example", true, true},
		{"*.example", "a.b.example", true, true},
		{"*.example", "example", false, false},
		{"*.example", "*.a.example", true, true},
		{"*.a.example", "*.example", false, true},
		{"*.a.example", "*.b.example", false, false},
		{"A.example", "a.Example", true, true},
		{"a.example", "b.example", false, false},
	} {
		if got := mesh.HostMatches(c.a, c.b); got != c.covers {
			t.Errorf("HostMatches(%s, %s) = %v", c.a, c.b, got)
		}
		if got := mesh.HostsOverlap(c.a, c.b); got != c.overlap || got != mesh.HostsOverlap(c.b, c.a) {
			t.Errorf("HostsOverlap(%s, %s) = %v", c.a, c.b, got)
		}
	}
}

func TestRegistryLooksUpNamesAndWildcards(t *testing.T) {
	t.Parallel()
	s := mesh.New([]*mesh.Object{
		service("shop", "reviews"),
		entry("egress", "wide", nil, "*.example", "*.deep.example"),
		entry("egress", "private", []any{"."}, "only.here"),
		entry("egress", "none", []any{"~"}, "no.where"),
	}, mesh.Options{})
	for _, c := range []struct{ host, from, want string }{
		{"reviews", "shop", "ServiceEntry"},
		{"reviews.shop.svc.cluster.local", "web", "reviews"},
		{"a.example", "web", "wide"},
		{"x.a.deep.example", "web", "wide"},
		{"example", "web", ""},
		{"*.example", "web", "wide"},
		{"only.here", "egress", "private"},
		{"only.here", "web", ""},
		{"no.where", "egress", ""},
	} {
		host := c.host
		if c.host == "reviews" {
			host, c.want = s.FQDN(c.host, c.from), "reviews"
		}
		got := ""
		for _, h := range s.Registry().Lookup(host, c.from) {
			got = h.Object.Name
		}
		if got != c.want {
			t.Errorf("%s from %s is %q, want %q", c.host, c.from, got, c.want)
		}
	}
	if got := s.Registry().All("x.a.deep.example")[0].Name; got != "*.deep.example" {
		t.Errorf("the longest wildcard does not win: %s", got)
	}
}

func TestWhatIsKnown(t *testing.T) {
	t.Parallel()
	objects := []*mesh.Object{service("shop", "reviews"), service("istio-system", "mine")}
	files := mesh.New(objects, mesh.Options{})
	live := mesh.New(objects, mesh.Options{Read: []mesh.Kind{mesh.Gateway}, ReadIn: map[mesh.Kind][]string{mesh.Sidecar: {"web"}},
		Skipped: []mesh.Skip{{Kind: mesh.Service, Reason: "forbidden"}}})
	for _, c := range []struct {
		name string
		got  bool
		want bool
	}{
		{"a namespace of the files", files.KnownIn(mesh.Service, "shop"), true},
		{"another namespace", files.KnownIn(mesh.Service, "web"), false},
		{"the control plane's, without the control plane", files.KnownIn(mesh.Service, "istio-system"), false},
		{"a kind that the files have", files.Known(mesh.Service), true},
		{"a kind that they have not", files.Known(mesh.Gateway), false},
		{"read everywhere", live.KnownIn(mesh.Gateway, "web"), true},
		{"read in the namespace", live.KnownIn(mesh.Sidecar, "web"), true},
		{"not read in the namespace", live.KnownIn(mesh.Sidecar, "shop"), false},
		{"skipped", live.KnownIn(mesh.Service, "shop"), false},
		{"complete", mesh.New(objects, mesh.Options{Complete: true}).KnownIn(mesh.Sidecar, "anywhere"), true},
	} {
		if c.got != c.want {
			t.Errorf("%s: known is %v", c.name, c.got)
		}
	}
}

func TestTheLastDefinitionCountsAndFilesReplaceTheCluster(t *testing.T) {
	t.Parallel()
	first, second := entry("a", "x", nil, "first.example"), entry("a", "x", nil, "second.example")
	fromCluster := entry("a", "x", nil, "live.example")
	fromCluster.Origin = mesh.Origin{Cluster: "prod"}
	for _, order := range [][]*mesh.Object{{first, second, fromCluster}, {fromCluster, first, second}, {first, fromCluster, second}} {
		s := mesh.New(order, mesh.Options{})
		if s.Get(mesh.ServiceEntry, "a", "x") != second || s.Len() != 1 {
			t.Errorf("the last file does not count")
		}
		if !slices.Equal(s.Shadowed(), []*mesh.Object{first}) {
			t.Errorf("shadowed: %v", s.Shadowed())
		}
	}
}

func pods(kind mesh.Kind, name string, labels map[string]any, owner map[string]any) *mesh.Object {
	meta := map[string]any{"namespace": "shop", "name": name}
	spec := map[string]any{"containers": []any{map[string]any{"name": "app"}}}
	if kind == mesh.Pod {
		meta["labels"] = labels
	} else {
		spec = map[string]any{"template": map[string]any{"metadata": map[string]any{"labels": labels}, "spec": spec}}
	}
	if kind == mesh.CronJob {
		spec = map[string]any{"jobTemplate": map[string]any{"spec": spec}}
	}
	if owner != nil {
		meta["ownerReferences"] = []any{owner}
	}
	return mesh.NewObject(kind, map[string]any{"apiVersion": kind.APIVersion(), "kind": kind.Kind, "metadata": meta, "spec": spec}, mesh.Origin{File: "x.yaml"})
}

func TestWorkloadsAreControllersAndLonePods(t *testing.T) {
	t.Parallel()
	app := func(v string) map[string]any { return map[string]any{"app": v} }
	hashed := map[string]any{"app": "web", "pod-template-hash": "abc"}
	s := mesh.New([]*mesh.Object{
		pods(mesh.Deployment, "web", app("web"), nil),
		pods(mesh.ReplicaSet, "web-abc", app("web"), map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}),
		pods(mesh.Pod, "web-abc-1", hashed, map[string]any{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-abc"}),
		pods(mesh.Pod, "gone-abc-1", hashed, map[string]any{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "gone-abc"}),
		pods(mesh.CronJob, "nightly", app("job"), nil),
		pods(mesh.ForeignKind("argoproj.io/v1alpha1", "Rollout"), "canary", app("web"), nil),
	}, mesh.Options{})
	got := []string{}
	for _, w := range s.Workloads() {
		got = append(got, w.Object.String()+" "+w.At("metadata.labels").Path)
	}
	want := []string{
		"CronJob shop/nightly spec.jobTemplate.spec.template.metadata.labels", "Deployment shop/web spec.template.metadata.labels",
		"Pod shop/gone-abc-1 metadata.labels", "Rollout shop/canary spec.template.metadata.labels",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("workloads (-want +got):\n%s", diff)
	}
	if n := len(s.Select("shop", map[string]string{"app": "web"})); n != 3 {
		t.Errorf("app=web selects %d workloads, want 3", n)
	}
	if n := len(s.Select("web", nil)); n != 0 {
		t.Errorf("an empty namespace has %d workloads", n)
	}
}

func TestMeshConfigOfTheRightRevision(t *testing.T) {
	t.Parallel()
	config := func(name, rev, text string) *mesh.Object {
		return mesh.NewObject(mesh.ConfigMap, map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap", "data": map[string]any{"mesh": text},
			"metadata": map[string]any{"namespace": "istio-system", "name": name, "labels": map[string]any{"istio.io/rev": rev}},
		}, mesh.Origin{File: "x.yaml"})
	}
	stable, canary := config("istio", "default", "rootNamespace: root\n"), config("istio-canary", "canary", "trustDomain: td\ndefaultServiceExportTo: ['.']\n")
	both := []*mesh.Object{stable, canary}
	for _, c := range []struct {
		name        string
		objects     []*mesh.Object
		revision    string
		root, trust string
	}{
		{"default", both, "", "root", "cluster.local"},
		{"named", both, "canary", "istio-system", "td"},
		{"the only one", both[1:], "", "istio-system", "td"},
		{"missing", both, "other", "istio-system", "cluster.local"},
		{"broken", []*mesh.Object{config("istio", "default", "trustDomain: [x\n")}, "", "istio-system", "cluster.local"},
	} {
		s := mesh.New(c.objects, mesh.Options{Revision: c.revision})
		if s.RootNamespace() != c.root || s.TrustDomain() != c.trust {
			t.Errorf("%s: root namespace %s, trust domain %s", c.name, s.RootNamespace(), s.TrustDomain())
		}
		if broken := s.MeshConfig().Problem != ""; broken != (c.name == "broken") {
			t.Errorf("%s: problem %q", c.name, s.MeshConfig().Problem)
		}
	}
	if s := mesh.New(both, mesh.Options{Revision: "canary"}); s.Visible(mesh.ServiceEntry, nil, "a", "b") || !s.Visible(mesh.VirtualService, nil, "a", "b") {
		t.Error("the mesh's default exportTo is not used")
	}
}

func TestProblemsKeepTheObject(t *testing.T) {
	t.Parallel()
	s := mesh.New([]*mesh.Object{object(mesh.VirtualService, "shop", "x", map[string]any{
		"hosts": []any{"a", int64(7)}, "gateways": "mesh", "htp": []any{},
		"http": []any{map[string]any{"timeout": "5s", "retries": map[string]any{"attempts": "three"}}},
	})}, mesh.Options{})
	vs := s.VirtualServices()[0]
	if len(vs.Spec.GetHosts()) != 1 || vs.Spec.Http[0].Timeout.GetSeconds() != 5 {
		t.Errorf("what can be read is not: %v", vs.Spec)
	}
	got := []string{}
	for _, p := range vs.Problems() {
		got = append(got, p.Path+": "+p.Message)
	}
	want := []string{
		`spec.gateways: must be a list, not the text "mesh"`, `spec.hosts[1]: must be a text, not the number 7`,
		`spec.htp: unknown field "htp"`, `spec.http[0].retries.attempts: must be a whole number, not the text "three"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}
