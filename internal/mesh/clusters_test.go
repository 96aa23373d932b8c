package mesh_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/mesh"
)

// read makes objects of YAML documents of a cluster.
func read(t *testing.T, cluster string, documents ...string) []*mesh.Object {
	t.Helper()
	var objects []*mesh.Object
	for _, text := range documents {
		var raw map[string]any
		if err := yaml.Unmarshal([]byte(text), &raw); err != nil {
			t.Fatal(err)
		}
		kind, _ := mesh.KindOf(raw["apiVersion"].(string), raw["kind"].(string))
		objects = append(objects, mesh.NewObject(kind, raw, mesh.Origin{Cluster: cluster}))
	}
	return objects
}

func config(name, label, text string) string {
	return "{apiVersion: v1, kind: ConfigMap, metadata: {name: " + name + ", namespace: istio-system, labels: {istio.io/rev: " + label + "}}, data: {mesh: '" + text + "'}}"
}

func tag(name, revision string) string {
	return "{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: {name: tag-" + name +
		", labels: {istio.io/tag: " + name + ", istio.io/rev: " + revision + "}}}"
}

func TestRevisionInQuestion(t *testing.T) {
	t.Parallel()
	old, new, unnamed := config("istio-1-28", "1-28", "trustDomain: old"), config("istio-1-29", "1-29", "trustDomain: new"), config("istio", "default", "trustDomain: plain")
	for name, c := range map[string]struct {
		objects       []string
		asked         string
		revision      string
		trustDomain   string
		knownRevision bool
	}{
		"a revision":                      {[]string{old, new, unnamed}, "1-29", "1-29", "new", true},
		"a tag":                           {[]string{old, new, tag("prod", "1-28")}, "prod", "1-28", "old", true},
		"the tag default":                 {[]string{old, new, unnamed, tag("default", "1-29")}, "", "1-29", "new", true},
		"the one without a name":          {[]string{old, new, unnamed}, "", "default", "plain", true},
		"the only one":                    {[]string{old}, "", "1-28", "old", true},
		"two, and none is the default":    {[]string{old, new}, "", "default", "cluster.local", false},
		"nothing known":                   {nil, "canary", "canary", "cluster.local", false},
		"one that is not there":           {[]string{old, unnamed}, "canary", "canary", "cluster.local", false},
		"the default of one with a label": {[]string{unnamed}, "default", "default", "plain", true},
	} {
		s := mesh.New(read(t, "", c.objects...), mesh.Options{Revision: c.asked})
		if s.Revision() != c.revision || s.TrustDomain() != c.trustDomain || slices.Contains(s.Revisions(), s.Revision()) != c.knownRevision {
			t.Errorf("%s: revision %s with %s, of %v", name, s.Revision(), s.TrustDomain(), s.Revisions())
		}
	}
}

func sidecar(name, labels string) string {
	return "{apiVersion: networking.istio.io/v1, kind: Sidecar, metadata: {name: " + name + ", namespace: shop, labels: {" + labels + "}}}"
}

func TestViewsOfRevisions(t *testing.T) {
	t.Parallel()
	objects := read(t, "east",
		config("istio", "default", "trustDomain: plain"), config("istio-canary", "canary", "trustDomain: new"), tag("next", "canary"),
		sidecar("for-all", ""), sidecar("for-default", "istio.io/rev: default"), sidecar("for-canary", "istio.io/rev: canary"), sidecar("for-tag", "istio.io/rev: next"))
	type view struct {
		Revision, TrustDomain string
		Sees, Owns            []string
	}
	var got []view
	for _, s := range mesh.Views([]mesh.Cluster{{Name: "east", Objects: objects}}, false, mesh.Options{}) {
		v := view{Revision: s.Revision(), TrustDomain: s.TrustDomain()}
		for _, o := range s.Sidecars() {
			v.Sees = append(v.Sees, o.Name)
			if s.Owns(o.Object) {
				v.Owns = append(v.Owns, o.Name)
			}
		}
		got = append(got, v)
	}
	want := []view{
		{"default", "plain", []string{"for-all", "for-default"}, []string{"for-all", "for-default"}},
		{"canary", "new", []string{"for-all", "for-canary"}, []string{"for-canary"}},
		{"next", "plain", []string{"for-all", "for-tag"}, []string{"for-tag"}}, // a tag is no revision there: nobody reads it
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if views := mesh.Views([]mesh.Cluster{{Objects: objects}}, false, mesh.Options{Revision: "next"}); len(views) != 1 || views[0].Revision() != "canary" {
		t.Errorf("the tag next: %d views, the first of %s", len(views), views[0].Revision())
	}
}

func shopService(name string) string {
	return "{apiVersion: v1, kind: Service, metadata: {name: " + name + ", namespace: shop}, spec: {ports: [{port: 80, name: http}]}}"
}

func deployment(name, version string) string {
	return "{apiVersion: apps/v1, kind: Deployment, metadata: {name: " + name + ", namespace: shop}, spec: {template: {metadata: {labels: {app: " + name +
		", version: " + version + "}}, spec: {containers: [{name: a}]}}}}"
}

func TestViewsOfClusters(t *testing.T) {
	t.Parallel()
	const control = "defaultConfig: {meshId: one}"
	all := mesh.Kinds()
	east := mesh.Cluster{Name: "east", Read: all, Objects: read(t, "east", config("istio", "default", control), shopService("cart"), deployment("cart", "v1"), sidecar("east", ""))}
	west := mesh.Cluster{Name: "west", Read: all, Objects: read(t, "west", config("istio", "default", control), shopService("cart"), shopService("west-only"), deployment("cart", "v2"), sidecar("west", ""))}
	remote := mesh.Cluster{Name: "remote", Read: all, Objects: read(t, "remote", shopService("remote-only"))}
	other := mesh.Cluster{Name: "other", Read: all, Objects: read(t, "other", config("istio", "default", "defaultConfig: {meshId: two}"), shopService("other-only"))}
	views := mesh.Views([]mesh.Cluster{east, west, remote, other}, false, mesh.Options{})
	names := func(list []*mesh.Object) (all []string) {
		for _, o := range list {
			all = append(all, o.Name+"@"+o.Origin.Cluster)
		}
		slices.Sort(all)
		return all
	}
	type view struct{ Cluster, Services, Sidecars, Subsets, Elsewhere any }
	var got []view
	for _, s := range views {
		var subsets []string
		for _, w := range s.Select("shop", map[string]string{"app": "cart"}) {
			subsets = append(subsets, w.PodLabels["version"])
		}
		slices.Sort(subsets)
		var elsewhere []string
		if cart := s.Get(mesh.Service, "shop", "cart"); cart != nil && s.Owns(cart) {
			elsewhere = names(s.Elsewhere(cart))
		}
		got = append(got, view{s.Cluster(), names(s.Objects(mesh.Service)), names(s.Objects(mesh.Sidecar)), subsets, elsewhere})
	}
	none := []string(nil)
	want := []view{
		{"east", []string{"cart@east", "remote-only@remote", "west-only@west"}, []string{"east@east"}, []string{"v1", "v2"}, []string{"cart@west"}},
		{"west", []string{"cart@west", "remote-only@remote", "west-only@west"}, []string{"west@west"}, []string{"v1", "v2"}, []string{"cart@east"}},
		{"remote", []string{"cart@east", "remote-only@remote", "west-only@west"}, []string{"east@east", "west@west"}, []string{"v1", "v2"}, none},
		{"other", []string{"other-only@other"}, none, none, none},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	own := 0
	for _, s := range views {
		own += s.Own()
	}
	if total := len(east.Objects) + len(west.Objects) + len(remote.Objects) + len(other.Objects); own != total {
		t.Errorf("%d objects have an owner, of %d", own, total)
	}
}

func TestWhatOtherClustersLeaveUnknown(t *testing.T) {
	t.Parallel()
	all := mesh.Kinds()
	east := mesh.Cluster{Name: "east", Read: all, Objects: read(t, "east", shopService("cart"))}
	if s := mesh.Views([]mesh.Cluster{east}, true, mesh.Options{})[0]; s.KnownIn(mesh.Service, "shop") || s.KnowsWorkloads("shop") || !s.KnownIn(mesh.Gateway, "shop") {
		t.Error("with a cluster unread, a missing Service or workload is known to be missing, or a missing Gateway is not")
	}
	partly := mesh.Cluster{Name: "west", Read: []mesh.Kind{mesh.Namespace}, ReadIn: map[mesh.Kind][]string{mesh.Service: {"shop"}}}
	s := mesh.Views([]mesh.Cluster{east, partly}, false, mesh.Options{})[0]
	if !s.KnownIn(mesh.Service, "shop") || s.KnownIn(mesh.Service, "web") || s.KnownEverywhere(mesh.Service) || s.KnowsWorkloads("shop") {
		t.Error("what the other cluster was read for is not what is known")
	}
}

func TestAWorkloadIsJudgedByItsOwnClustersNamespace(t *testing.T) {
	t.Parallel()
	namespace := func(label string) string {
		return "{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {" + label + "}}}"
	}
	east := mesh.Cluster{Name: "east", Objects: read(t, "east", namespace("istio-injection: enabled"), deployment("cart", "v1"))}
	west := mesh.Cluster{Name: "west", Objects: read(t, "west", namespace("team: shop"), deployment("cart", "v1"), deployment("web", "v1"))}
	for _, s := range mesh.Views([]mesh.Cluster{east, west}, false, mesh.Options{}) {
		for _, w := range s.Workloads() {
			want := mesh.OutOfMesh
			if w.Object.Origin.Cluster == "east" {
				want = mesh.InSidecar
			}
			if got := s.DataPlane(w); got != want {
				t.Errorf("seen from %s, %s of %s: %v", s.Cluster(), w.Object.Name, w.Object.Origin.Cluster, got)
			}
		}
	}
}
