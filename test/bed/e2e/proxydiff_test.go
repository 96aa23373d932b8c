package e2e

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/meshctl/meshctl/test/bed"
)

// TestProxyDiff compares real Envoys with one another and with their istiod,
// and does it again in a saved snapshot. Upstream Envoy lacks Istio's filters,
// so istiod is told to leave them out: then what it sends is what Envoy has.
func TestProxyDiff(t *testing.T) {
	t.Parallel()
	b, m := onBed(t, bed.Options{IstiodEnv: map[string]string{"PILOT_ENABLE_ALPN_FILTER": "false", "PILOT_ENABLE_METADATA_EXCHANGE": "false"}})
	j := &job{meshctl: m, bed: b}
	j.want(t, 0, "install", "--profile", "default", "--set", "values.telemetry.enabled=false", "-y", "-q")
	j.shop(t)
	_, err := j.resource(t, "apps/v1", "deployments", "shop").Patch(t.Context(), "frontend", types.MergePatchType, []byte(`{"spec":{"replicas":2}}`), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	j.ready(t, "shop", "frontend")
	for _, s := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"a proxy in step matches", j.matches}, {"pods", j.diffPods}, {"a snapshot answers as the cluster does", j.saved},
		{"who may not read pods' ports", j.savedNarrowly}, {"what was refused differs", j.refused},
	} {
		if !t.Run(s.name, s.run) {
			return
		}
	}
}

func (j *job) matches(t *testing.T) {
	r := j.eventually(t, 0, "proxy-status", "deploy/frontend", "-n", "shop")
	for _, section := range []string{"clusters", "listeners", "routes", "endpoints"} {
		if !regexp.MustCompile(`(?m)^` + section + ` +MATCH +[1-9]`).MatchString(r.stdout) {
			t.Errorf("%s do not match:\n%s", section, r.stdout)
		}
	}
}

// withoutBootstrap are the sections in which the bed's paths do not stand.
const withoutBootstrap = "listeners,routes,secrets,extensions"

func (j *job) diffPods(t *testing.T) {
	pods := j.podNames(t, "app=frontend")
	if len(pods) != 2 {
		t.Fatalf("pods of the frontend: %v", pods)
	}
	r := j.eventually(t, 0, "proxy-config", "diff", pods[0]+".shop", pods[1]+".shop", "--only", withoutBootstrap)
	contains(t, "two pods of a workload", r.stdout, "are the same", "Taken for equal", "pod name")
	j.want(t, 1, "proxy-config", "diff", pods[0]+".shop", pods[1]+".shop", "--only", "bootstrap", "--raw")

	// Each change that a VirtualService brings is told under its name.
	before := filepath.Join(t.TempDir(), "before.snapshot")
	j.want(t, 0, "snapshot", "save", before, "deploy/frontend.shop", "--logs", "0", "-q")
	_, err := j.resource(t, "networking.istio.io/v1", "virtualservices", "shop").Patch(t.Context(), "catalog", types.MergePatchType,
		[]byte(`{"spec":{"http":[{"name":"canary","timeout":"7s","route":[{"destination":{"host":"catalog","subset":"v1"}}]}]}}`), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r = j.eventually(t, 1, "proxy-config", "diff", before+":deploy/frontend.shop", "deploy/frontend.shop", "--only", "routes")
	contains(t, "what the VirtualService changed", r.stdout, "VirtualService catalog.shop\n", "routes[/*].route.timeout: 0s -> 7s", "Different: 1 of ")
	if strings.Contains(r.stdout, "Istio itself") {
		t.Errorf("more than the VirtualService's has changed:\n%s", r.stdout)
	}
}

// podNames are the names of the shop's pods with a label.
func (j *job) podNames(t *testing.T, selector string) []string {
	t.Helper()
	list, err := j.resource(t, "v1", "pods", "shop").List(t.Context(), metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range list.Items {
		names = append(names, p.GetName())
	}
	return names
}

func (j *job) saved(t *testing.T) {
	j.eventually(t, 0, "proxy-status")
	file := filepath.Join(t.TempDir(), "mesh.snapshot")
	r := j.want(t, 0, "snapshot", "save", file, "-o", "json")
	var saved struct {
		Clusters []struct {
			Proxies []struct{ Name string }
			LeftOut int
		}
	}
	decode(t, r, &saved)
	if len(saved.Clusters) != 1 || len(saved.Clusters[0].Proxies) != 5 || saved.Clusters[0].LeftOut != 0 {
		t.Fatalf("the gateway and four sidecars are to be saved: %s", r.stdout)
	}
	offline := j.meshctl
	offline.kubeconfig = filepath.Join(t.TempDir(), "none")
	for _, pod := range []string{j.podNames(t, "app=frontend")[0], j.podNames(t, "version=v2")[0]} {
		for _, sub := range []string{"cluster", "listener", "route", "endpoint", "secret", "bootstrap"} {
			var live, was any // Envoy writes maps in any order
			decode(t, j.want(t, 0, "proxy-config", sub, pod+".shop", "-o", "json"), &live)
			decode(t, offline.want(t, 0, "proxy-config", sub, "--from", file, pod+".shop", "-o", "json"), &was)
			if !reflect.DeepEqual(live, was) {
				t.Errorf("proxy-config %s of %s differs in the snapshot", sub, pod)
			}
		}
	}
	type status struct {
		Proxies []struct{ Name, Namespace, Istiod, Version string }
	}
	var live, was status
	decode(t, j.want(t, 0, "proxy-status", "-o", "json"), &live)
	decode(t, offline.want(t, 0, "proxy-status", "--from", file, "-o", "json"), &was)
	a, errA := json.Marshal(live)
	b, errB := json.Marshal(was)
	if errA != nil || errB != nil || string(a) != string(b) || len(live.Proxies) != 5 {
		t.Errorf("live %s, saved %s", a, b)
	}
	r = offline.want(t, 0, "proxy-status", "--from", file, "deploy/frontend.shop")
	contains(t, "the comparison in the snapshot", r.stdout, "listeners   MATCH")
	contains(t, "the trace in the snapshot", offline.run(t, "", "trace", "--from", file+":deploy/frontend.shop", "--", "GET", "http://catalog.shop/").stdout, "catalog-v1-")
	offline.want(t, 0, "analyze", "--from", file, "-q")
}

// savedNarrowly: who may read objects, and no ports and logs, saves those.
func (j *job) savedNarrowly(t *testing.T) {
	client, err := kubernetes.NewForConfig(j.bed.REST())
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.RbacV1().ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "viewer"}, Subjects: []rbacv1.Subject{{Kind: "User", APIGroup: rbacv1.GroupName, Name: "viewer"}},
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "view"},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "mesh.snapshot")
	r := j.want(t, 2, "snapshot", "save", file, "--as", "viewer")
	contains(t, "what could not be saved", r.stderr, "could not be saved", "forbidden")
	j.want(t, 2, "proxy-config", "cluster", "--from", file, "deploy/frontend.shop")
	// What could not be read makes the analysis of it incomplete, and it says so.
	contains(t, "the analysis", j.want(t, 2, "analyze", "--from", file, "-q").stderr, "forbidden")
}

// refused has an Envoy that gets Istio's own filters, and refuses them: it
// can't even write its dump, and is compared all the same.
func (j *job) refused(t *testing.T) {
	pods, err := j.bed.StartEnvoys(t.Context(), bed.Envoys{Count: 1, NACK: 1})
	if err != nil {
		t.Fatal(err)
	}
	j.eventually(t, 0, "proxy-status", pods[0]+".bed-envoy")
	j.want(t, 0, "install", "--profile", "default", "-y", "-q")
	r := j.eventually(t, 1, "proxy-status", pods[0]+".bed-envoy")
	contains(t, "the comparison", r.stdout, "ERROR", "clusters    MATCH", "listeners   DIFFER", "+ refused: Didn't find a registered implementation for 'istio.stats'")
	contains(t, "its listeners", j.want(t, 0, "proxy-config", "listener", pods[0]+".bed-envoy").stdout, "15001")
}
