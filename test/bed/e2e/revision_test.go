package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"

	"github.com/meshctl/meshctl/test/bed"
)

// TestRevisions has a canary beside the default control plane, names it, makes
// it the default while pods are created all the time, and removes the old one.
func TestRevisions(t *testing.T) {
	t.Parallel()
	b, err := bed.Start(t.Context(), bed.Options{NoEnvoy: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Down)
	client, err := kubernetes.NewForConfig(b.REST())
	if err != nil {
		t.Fatal(err)
	}
	r := &revisions{job: &job{meshctl: meshctl{binary: build(t), kubeconfig: b.Kubeconfig(), home: t.TempDir()}, bed: b}, client: client}
	for _, s := range []struct {
		name string
		run  func(t *testing.T)
	}{
		{"a canary beside the default one", r.canary},
		{"two injectors for the same pods are refused", r.overlap},
		{"a tag is set, listed and moved", r.tags},
		{"a tag has the objects of istioctl's", r.peer},
		{"default moves without a gap", r.noGap},
		{"install leaves the default where it is", r.stays},
		{"the default tag has the objects of istioctl's", r.peerDefault},
		{"uninstall of one revision", r.uninstallOne},
		{"uninstall of everything", r.purge},
		{"the first revision becomes the default, as istioctl's does", r.first},
	} {
		if !t.Run(s.name, s.run) {
			return // the steps build on each other
		}
	}
}

type revisions struct {
	*job
	client *kubernetes.Clientset
}

func (r *revisions) canary(t *testing.T) {
	r.want(t, 0, "install", "--profile", "minimal", "-y")
	r.want(t, 0, "install", "--profile", "minimal", "--revision", "canary", "-y")
	list := r.want(t, 0, "tag", "list")
	if list.stdout != "TAG     REVISION  NAMESPACES\n<none>  canary\n<none>  default\n" {
		t.Errorf("tag list:\n%s", list.stdout)
	}
	for _, name := range []string{"istiod", "istiod-canary"} {
		r.ready(t, "istio-system", name)
	}
}

func (r *revisions) overlap(t *testing.T) {
	refused := r.want(t, 1, "install", "--profile", "minimal", "--set", "values.global.istioNamespace=mesh2", "-y")
	contains(t, "stderr", refused.stderr,
		"two injectors would take the same pods: istio-sidecar-injector (revision default) and istio-sidecar-injector-mesh2 (revision default) both match",
		"namespaces labelled", "hint: ", "--revision NAME")
	if _, err := r.client.CoreV1().Namespaces().Get(t.Context(), "mesh2", metav1.GetOptions{}); err == nil {
		t.Error("the namespace was made although the install was refused")
	}
}

func (r *revisions) tags(t *testing.T) {
	contains(t, "unknown revision", r.want(t, 2, "tag", "set", "prod", "-r", "canry", "-y").stderr, `did you mean "canary"?`, "canary, default")
	contains(t, "name of a revision", r.want(t, 2, "tag", "set", "canary", "-r", "default", "-y").stderr, "there is a revision of the name canary")
	r.want(t, 0, "tag", "set", "prod", "-r", "default", "-y")
	r.namespace(t, "shop", "istio.io/rev", "prod")
	if by := r.injectedBy(t, "shop", "first"); by != "default" {
		t.Errorf("tag prod of revision default: injected by %q", by)
	}
	contains(t, "without --overwrite", r.want(t, 1, "tag", "set", "prod", "-r", "canary", "-y").stderr,
		"the tag points at revision default now, used by namespace shop (1 pod)", "--overwrite")
	contains(t, "dry run", r.want(t, 0, "tag", "set", "prod", "-r", "canary", "--overwrite", "--dry-run").stdout, "change")
	moved := r.want(t, 0, "tag", "set", "prod", "-r", "canary", "--overwrite", "-y")
	contains(t, "stderr", moved.stderr, "tag prod points at revision canary", "1 pod keeps", "kubectl rollout restart deployment -n shop")
	if by := r.injectedBy(t, "shop", "second"); by != "canary" {
		t.Errorf("tag prod of revision canary: injected by %q", by)
	}
	again := r.want(t, 0, "tag", "set", "prod", "-r", "canary", "-y")
	if regexp.MustCompile(`(?m) (change|create)$`).MatchString(again.stdout) {
		t.Errorf("a second time:\n%s", again.stdout)
	}
	contains(t, "list", r.want(t, 0, "tag", "list", "-o", "wide").stdout, "prod    canary    shop        2     istio-revision-tag-prod")
	var list struct {
		Kind string
		Tags []struct {
			Tag, Revision string
			Namespaces    []string
			Pods          int
		}
	}
	decode(t, r.want(t, 0, "tag", "list", "-o", "json"), &list)
	if list.Kind != "TagList" || len(list.Tags) != 1 || list.Tags[0].Pods != 2 || len(list.Tags[0].Namespaces) != 1 {
		t.Errorf("list as json: %+v", list)
	}
}

// noGap makes the canary the default while pods are created without a pause:
// each of them must be injected, and by one istiod only.
func (r *revisions) noGap(t *testing.T) {
	r.namespace(t, "busy", "istio-injection", "enabled")
	before := r.injections(t)
	created := map[string]int{} // pods by the revision that injected them
	var failures []error
	ctx, stop := context.WithCancel(t.Context())
	var loop sync.WaitGroup
	started := make(chan struct{})
	loop.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			pod, err := r.pod(t.Context(), "busy", fmt.Sprintf("p%d", i))
			if err != nil {
				failures = append(failures, err)
				continue
			}
			by, proxies := injection(pod)
			if proxies != 1 {
				failures = append(failures, fmt.Errorf("pod %s has %d proxies", pod.Name, proxies))
			}
			if created[by]++; i == 20 {
				close(started)
			}
		}
	})
	<-started
	switched := r.run(t, "", "tag", "set", "default", "-r", "canary", "-y")
	deadline := time.Now().Add(10 * time.Second)
	for tail := 0; tail < 10 && time.Now().Before(deadline); tail++ {
		if pod, err := r.pod(t.Context(), "busy", fmt.Sprintf("tail%d", tail)); err != nil {
			failures = append(failures, err)
		} else if by, _ := injection(pod); by != "canary" {
			failures = append(failures, fmt.Errorf("after the switch pod %s was injected by %q", pod.Name, by))
		}
	}
	stop()
	loop.Wait()
	if switched.code != 0 {
		t.Fatalf("tag set default: exit code %d\n%s", switched.code, switched.stderr)
	}
	contains(t, "what it did", switched.stdout, "istio-revision-tag-default", "istiod-default-validator", "istio-sidecar-injector", "switch off")
	for i, err := range failures {
		if i < 5 {
			t.Error(err)
		}
	}
	pods := created["default"] + created["canary"] + 10
	if asked := r.injections(t) - before; asked != pods {
		t.Errorf("%d pods, but the istiods were asked %d times", pods, asked)
	}
	t.Logf("pods created during the switch, by the revision that injected them: %v, failures: %d", created, len(failures))
	if created["default"] == 0 || created["canary"] == 0 {
		t.Error("the switch was not in the middle of them")
	}
}

// stays runs the install of the revision that is no longer the default again.
func (r *revisions) stays(t *testing.T) {
	again := r.want(t, 0, "install", "--profile", "minimal", "-y")
	contains(t, "stderr", again.stderr, "the default revision stays canary", "0 to create, 0 to change")
	if by := r.injectedBy(t, "busy", "after-install"); by != "canary" {
		t.Errorf("after an install of the old default: injected by %q", by)
	}
	contains(t, "list", r.want(t, 0, "tag", "list").stdout, "default  canary    busy")
}

// peer compares a tag with one that istioctl makes.
func (r *revisions) peer(t *testing.T) {
	r.istioctl(t, "tag", "set", "peer", "-r", "canary", "-y")
	for _, name := range []string{"MutatingWebhookConfiguration/istio-revision-tag-", "Service/istiod-revision-tag-"} {
		ours, theirs := r.tagObject(t, name+"prod"), r.tagObject(t, name+"peer")
		if theirs = strings.ReplaceAll(theirs, "peer", "prod"); ours != theirs {
			t.Errorf("%sprod: meshctl has\n%s\nistioctl\n%s", name, ours, theirs)
		}
	}
	r.want(t, 0, "tag", "remove", "peer", "-y")
}

// peerDefault replaces the default tag by istioctl's.
func (r *revisions) peerDefault(t *testing.T) {
	names := []string{"MutatingWebhookConfiguration/istio-revision-tag-default", "Service/istiod-revision-tag-default", "ValidatingWebhookConfiguration/istiod-default-validator"}
	ours := map[string]string{}
	for _, name := range names {
		ours[name] = r.tagObject(t, name)
	}
	removed := r.want(t, 0, "tag", "remove", "default", "-y")
	contains(t, "stderr", removed.stderr, "warning: tag default is used by namespace busy (", "their new pods get no proxy", "meshctl tag set default -r REVISION")
	r.istioctl(t, "tag", "set", "default", "-r", "canary", "-y")
	for _, name := range names {
		if theirs := r.tagObject(t, name); ours[name] != theirs {
			t.Errorf("%s: meshctl has\n%s\nistioctl\n%s", name, ours[name], theirs)
		}
	}
}

// uninstallOne removes the old control plane, which has proxies, and nothing of
// the canary.
func (r *revisions) uninstallOne(t *testing.T) {
	contains(t, "unknown revision", r.want(t, 2, "uninstall", "--revision", "canry", "-y").stderr, `did you mean "canary"?`, "canary, default")
	contains(t, "without a terminal", r.want(t, 2, "uninstall", "--revision", "default").stderr, "no terminal to ask on")
	r.want(t, 0, "tag", "set", "old", "-r", "default", "-y")
	r.namespace(t, "legacy", "istio.io/rev", "old")
	if _, err := r.bed.ConnectProxies(t.Context(), bed.Proxies{Count: 2}); err != nil {
		t.Fatal(err)
	}
	before := r.canaryVersions(t)
	dry := r.want(t, 0, "uninstall", "--set", "revision=default", "--dry-run")
	contains(t, "dry run", dry.stdout, "Deployment", "istiod ", "istio-revision-tag-old", "meshctl-inventory-default", "Planned")
	contains(t, "warnings", dry.stderr, "1 connected proxy: ", ".bed-proxies", "tag old of revision default is used by namespace legacy")
	if strings.Contains(dry.stdout, "canary") || strings.Contains(dry.stdout, "CustomResourceDefinition") {
		t.Errorf("the canary's or shared objects would go:\n%s", dry.stdout)
	}
	var report struct {
		Concerned struct {
			Proxies []string
			Names   []struct {
				Name, Revision string
				Tag            bool
			}
		}
		Objects []struct{ Kind, Name, State string }
	}
	decode(t, r.want(t, 0, "uninstall", "--revision", "default", "-y", "-o", "json"), &report)
	// The pods of this bed have no Envoys: without --only they are told as not connected once they are old enough.
	contains(t, "proxies of a tag's revision", r.eventually(t, 0, "proxy-status", "-r", "prod", "--only", "error,stale").stdout, "istiod-canary-")
	if len(report.Concerned.Proxies) != 1 || len(report.Concerned.Names) != 1 || !report.Concerned.Names[0].Tag {
		t.Errorf("concerned: %+v", report.Concerned)
	}
	for _, o := range report.Objects {
		if o.State != "Removed" {
			t.Errorf("%+v", o)
		}
	}
	for object, version := range r.canaryVersions(t) {
		if before[object] != version {
			t.Errorf("%s: resourceVersion %s became %s", object, before[object], version)
		}
	}
	if by := r.injectedBy(t, "busy", "after-uninstall"); by != "canary" {
		t.Errorf("after the uninstall: injected by %q", by)
	}
}

// canaryVersions are the resourceVersions of the canary's objects and of what all revisions share.
func (r *revisions) canaryVersions(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, k := range []struct{ apiVersion, resource, namespace, selector string }{
		{"v1", "services", "istio-system", "istio.io/rev=canary"}, {"v1", "configmaps", "istio-system", "istio.io/rev=canary"},
		{"v1", "serviceaccounts", "istio-system", "istio.io/rev=canary"}, {"rbac.authorization.k8s.io/v1", "clusterroles", "", "istio.io/rev=canary"},
		{"admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations", "", "istio.io/rev=canary"},
		{"admissionregistration.k8s.io/v1", "validatingwebhookconfigurations", "", "istio.io/rev=canary"},
		{"apiextensions.k8s.io/v1", "customresourcedefinitions", "", "meshctl.io/component=Base"},
	} {
		list, err := r.resource(t, k.apiVersion, k.resource, k.namespace).List(t.Context(), metav1.ListOptions{LabelSelector: k.selector})
		if err != nil {
			t.Fatal(err)
		}
		if len(list.Items) == 0 {
			t.Errorf("there are no %s of the canary", k.resource)
		}
		for _, o := range list.Items {
			all[k.resource+"/"+o.GetName()] = o.GetResourceVersion()
		}
	}
	return all
}

// purge removes the rest: what istiod wrote too, but not the key of its CA.
func (r *revisions) purge(t *testing.T) {
	gone := r.want(t, 0, "uninstall", "--purge", "-y", "--delete-namespaces")
	contains(t, "stderr", gone.stderr, "stays: Secret istio-system/istio-ca-secret", "stays: Namespace istio-system: it has Secret istio-system/istio-ca-secret")
	written, err := r.client.CoreV1().ConfigMaps("").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range written.Items {
		if strings.HasPrefix(c.Name, "istio") || strings.HasPrefix(c.Name, "meshctl") {
			t.Errorf("left behind: ConfigMap %s/%s", c.Namespace, c.Name)
		}
	}
	leases, err := r.client.CoordinationV1().Leases("istio-system").List(t.Context(), metav1.ListOptions{})
	if err != nil || len(leases.Items) > 0 {
		t.Errorf("left behind: %d Leases, %v", len(leases.Items), err)
	}
	r.want(t, 0, "uninstall", "--purge", "-y", "--delete-ca-secret", "--delete-namespaces")
	if _, err := r.client.CoreV1().Secrets("istio-system").Get(t.Context(), "istio-ca-secret", metav1.GetOptions{}); err == nil {
		t.Error("the key of the certificate authority is still there")
	}
}

// first installs a revision into the empty cluster with both tools: the same
// webhooks and Services are there afterwards.
func (r *revisions) first(t *testing.T) {
	first := r.want(t, 0, "install", "--profile", "minimal", "--revision", "solo", "-y")
	contains(t, "stderr", first.stderr, "revision solo is the first one here and becomes the default")
	contains(t, "list", r.want(t, 0, "tag", "list").stdout, "default  solo      busy")
	ours := r.entrances(t)
	for name := range ours { // what istioctl does not find it makes; what runs already need not start again
		kind, name, _ := strings.Cut(name, "/")
		apiVersion, namespace := "admissionregistration.k8s.io/v1", ""
		if kind == "Service" {
			apiVersion, namespace = "v1", "istio-system"
		}
		if err := r.resource(t, apiVersion, plural(kind), namespace).Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	r.istioctl(t, "install", "--set", "profile=minimal", "--revision", "solo", "-y")
	theirs := r.entrances(t)
	for name := range theirs {
		if ours[name] != theirs[name] {
			t.Errorf("%s: meshctl has\n%s\nistioctl\n%s", name, ours[name], theirs[name])
		}
		delete(ours, name)
	}
	for name := range ours {
		t.Errorf("only meshctl has %s", name)
	}
}

// entrances are the webhook configurations and the Services of istiod, as text.
func (r *revisions) entrances(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, k := range []struct{ kind, apiVersion, namespace string }{
		{"MutatingWebhookConfiguration", "admissionregistration.k8s.io/v1", ""}, {"ValidatingWebhookConfiguration", "admissionregistration.k8s.io/v1", ""},
		{"Service", "v1", "istio-system"},
	} {
		list, err := r.resource(t, k.apiVersion, plural(k.kind), k.namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range list.Items {
			all[k.kind+"/"+o.GetName()] = r.tagObject(t, k.kind+"/"+o.GetName())
		}
	}
	return all
}

func (r *revisions) istioctl(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(repo, ".cache", "bin", "istioctl"), append(args, "--kubeconfig", r.kubeconfig)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("istioctl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// tagObject is an object of a tag as text, without what differs by nature and
// the labels that say who made it.
func (r *revisions) tagObject(t *testing.T, name string) string {
	t.Helper()
	kind, name, _ := strings.Cut(name, "/")
	apiVersion, namespace := "admissionregistration.k8s.io/v1", ""
	if kind == "Service" {
		apiVersion, namespace = "v1", "istio-system"
	}
	o := r.get(t, apiVersion, plural(kind), namespace, name)
	labels := o.GetLabels()
	for _, l := range []string{"meshctl.io/component", "meshctl.io/managed-by", "operator.istio.io/component", "operator.istio.io/managed", "operator.istio.io/version",
		"install.operator.istio.io/owning-resource", "install.operator.istio.io/owning-resource-namespace", "install.operator.istio.io/owning-resource-not-pruned"} {
		delete(labels, l)
	}
	bare := map[string]any{"labels": labels, "annotations": o.GetAnnotations(), "webhooks": o.Object["webhooks"]}
	if spec, ok := o.Object["spec"].(map[string]any); ok {
		delete(spec, "clusterIP")
		delete(spec, "clusterIPs")
		bare["spec"] = spec
	}
	hooks, _, _ := unstructured.NestedSlice(bare, "webhooks")
	for _, h := range hooks {
		// istiod writes these when it is ready.
		if kind == "ValidatingWebhookConfiguration" {
			delete(h.(map[string]any), "failurePolicy")
		}
		if bundle, _, _ := unstructured.NestedString(h.(map[string]any), "clientConfig", "caBundle"); bundle != "" {
			unstructured.RemoveNestedField(h.(map[string]any), "clientConfig", "caBundle")
		}
	}
	if hooks != nil {
		bare["webhooks"] = hooks
	}
	return string(must(json.MarshalIndent(bare, "", " ")))
}

func (r *revisions) namespace(t *testing.T, name, label, value string) {
	t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{label: value}}}
	if _, err := r.client.CoreV1().Namespaces().Create(t.Context(), ns, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	// The controllers give it its account, without which no pod can be made.
	deadline := time.Now().Add(30 * time.Second)
	for {
		if _, err := r.client.CoreV1().ServiceAccounts(name).Get(t.Context(), "default", metav1.GetOptions{}); err == nil {
			return
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// pod creates a pod; what the API server answers has passed all webhooks.
func (r *revisions) pod(ctx context.Context, namespace, name string) (*corev1.Pod, error) {
	return r.client.CoreV1().Pods(namespace).Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": "web"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "web"}}},
	}, metav1.CreateOptions{})
}

// injectedBy creates a pod and says which revision gave it its proxy.
func (r *revisions) injectedBy(t *testing.T, namespace, name string) string {
	t.Helper()
	pod, err := r.pod(t.Context(), namespace, name)
	if err != nil {
		t.Fatal(err)
	}
	by, _ := injection(pod)
	return by
}

// injection is the revision that injected a pod, and how many proxies it has.
func injection(pod *corev1.Pod) (revision string, proxies int) {
	for _, c := range append(pod.Spec.InitContainers, pod.Spec.Containers...) {
		if c.Name == "istio-proxy" {
			proxies++
		}
	}
	var status struct{ Revision string }
	_ = json.Unmarshal([]byte(pod.Annotations["sidecar.istio.io/status"]), &status)
	return status.Revision, proxies
}

// injections is how many pods the istiods were asked to inject, all together.
func (r *revisions) injections(t *testing.T) int {
	t.Helper()
	pods, err := r.client.CoreV1().Pods("istio-system").List(t.Context(), metav1.ListOptions{LabelSelector: "app=istiod"})
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, pod := range pods.Items {
		text, err := r.client.CoreV1().RESTClient().Get().Namespace("istio-system").Resource("pods").
			Name(pod.Name + ":15014").SubResource("proxy").Suffix("metrics").DoRaw(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if m := regexp.MustCompile(`(?m)^sidecar_injection_requests_total (\d+)$`).FindSubmatch(bytes.TrimSpace(text)); m != nil {
			total += must(strconv.Atoi(string(m[1])))
		}
	}
	return total
}
