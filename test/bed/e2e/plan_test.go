package e2e

import (
	"context"
	"maps"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/meshctl/meshctl/test/bed"
)

// TestInstallTakesOver goes on where istioctl, and then where Helm, left off:
// not without being told, then wholly, and then there is nothing more to do.
func TestInstallTakesOver(t *testing.T) {
	t.Parallel()
	b, m := onBed(t, bed.Options{NoEnvoy: true})
	t.Run("from istioctl", func(t *testing.T) {
		istioctl(t, b, "install", "--set", "profile=default", "--set", "components.egressGateways[0].enabled=true",
			"--set", "components.egressGateways[0].name=istio-egressgateway", "--set", "hub=docker.io/istio", "--set", "tag=1.31.1", "-y")
		const other = "values.pilot.traceSampling=7"
		r := m.want(t, 1, "install", "--profile", "default", "--set", other, "-y")
		contains(t, "stderr", r.stderr, "Deployment istio-system/istiod", "istio-operator", "PILOT_TRACE_SAMPLING", "--take-ownership", "--force-conflicts",
			"leave Deployment istio-system/istio-egressgateway: istioctl installed it")
		if managers := managersOf(t, b.REST(), "apps/v1", "deployments", "istiod"); managers["meshctl"] {
			t.Errorf("a refused install wrote: the managers are %v", managers)
		}
		r = m.want(t, 1, "install", "--profile", "default", "--set", other, "--take-ownership", "--dry-run")
		contains(t, "stdout", r.stdout, "TAKE-OVER", "env[PILOT_TRACE_SAMPLING].value", "prune", "Deployment istio-system/istio-egressgateway")
		m.want(t, 0, "install", "--profile", "default", "--set", other, "--take-ownership", "-y")
		for _, name := range []string{"istiod", "istio-ingressgateway"} {
			if managers := managersOf(t, b.REST(), "apps/v1", "deployments", name); managers["istio-operator"] || !managers["meshctl"] {
				t.Errorf("%s is managed by %v", name, managers)
			}
		}
		if labels := live(t, b.REST(), "apps/v1", "deployments", "istiod").GetLabels(); labels["operator.istio.io/managed"] != "" {
			t.Errorf("istioctl's label is still there: %v", labels)
		}
		if _, err := resource(t, b.REST(), "apps/v1", "deployments", "istio-system").Get(t.Context(), "istio-egressgateway", metav1.GetOptions{}); err == nil {
			t.Error("what istioctl installed and nobody wants is still there")
		}
		again(t, m, b.REST(), "install", "--profile", "default", "--set", other, "--take-ownership", "-y")
		m.want(t, 0, "uninstall", "--purge", "-y")
	})
	t.Run("from Helm", func(t *testing.T) {
		asHelm(t, m, b.REST(), "--profile", "minimal")
		r := m.want(t, 1, "install", "--profile", "minimal", "-y")
		contains(t, "stderr", r.stderr, "33 in conflict", "Helm release istio-system/istiod owns it", "--take-ownership")
		r = m.want(t, 0, "install", "--profile", "minimal", "--take-ownership", "-y")
		contains(t, "stderr", r.stderr, "Helm still lists release istiod in namespace istio-system")
		d := live(t, b.REST(), "apps/v1", "deployments", "istiod")
		if notes := d.GetAnnotations(); notes["meta.helm.sh/release-name"] != "" {
			t.Errorf("Helm's annotation is still there: %v", notes)
		}
		if managers := managersOf(t, b.REST(), "apps/v1", "deployments", "istiod"); managers["helm"] || !managers["meshctl"] {
			t.Errorf("istiod is managed by %v", managers)
		}
		again(t, m, b.REST(), "install", "--profile", "minimal", "--take-ownership", "-y")
	})
}

// TestPlanAndUndo prunes, diffs, meets another manager and an autoscaler, fails
// and goes back, all on one cluster.
func TestPlanAndUndo(t *testing.T) {
	t.Parallel()
	b, m := onBed(t, bed.Options{NoEnvoy: true})
	m.want(t, 0, "install", "--set", "components.egressGateways[0].enabled=true", "-y")

	t.Run("a diff says what changes", func(t *testing.T) {
		m.want(t, 0, "install", "--set", "components.egressGateways[0].enabled=true", "--diff")
		r := m.want(t, 1, "manifest", "diff", "--set", "meshConfig.accessLogFile=/dev/stdout")
		contains(t, "stdout", r.stdout, "+    accessLogFile: /dev/stdout", "--- live/Deployment istio-system/istio-egressgateway\n+++ /dev/null")
		for _, noise := range []string{"caBundle", "managedFields", "resourceVersion", "creationTimestamp"} {
			if strings.Contains(r.stdout, noise) {
				t.Errorf("the diff has %s in it", noise)
			}
		}
		r = m.want(t, 1, "install", "--set", "values.pilot.traceSampling=7", "--dry-run", "-o", "json")
		var report struct {
			Components []struct {
				Objects []struct {
					Kind, Name, Action string
					Fields             []struct{ Path, From, To string }
				}
			}
		}
		decode(t, r, &report)
		found := false
		for _, c := range report.Components {
			for _, o := range c.Objects {
				for _, f := range o.Fields {
					found = found || o.Name == "istiod" && f.To == "7" && f.From == "1"
				}
			}
		}
		if !found {
			t.Errorf("the plan does not say which field changes: %s", r.stdout)
		}
	})
	t.Run("a field of somebody else's is a conflict", func(t *testing.T) {
		patchAs(t, b.REST(), "kubectl-edit", "istiod", `{"spec":{"template":{"spec":{"containers":[{"name":"discovery","env":[{"name":"PILOT_TRACE_SAMPLING","value":"42"}]}]}}}}`)
		r := m.want(t, 1, "install", "--set", "components.egressGateways[0].enabled=true", "-y")
		contains(t, "stderr", r.stderr, "Deployment istio-system/istiod", `"kubectl-edit" owns`, `env[name="PILOT_TRACE_SAMPLING"].value`, "--force-conflicts")
		m.want(t, 0, "install", "--set", "components.egressGateways[0].enabled=true", "--force-conflicts", "-y")
	})
	t.Run("what istiod writes into its webhooks stays", func(t *testing.T) {
		bundles := func() string {
			o, err := resource(t, b.REST(), "admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations", "").Get(t.Context(), "istio-sidecar-injector", metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			var all []string
			hooks, _, _ := unstructured.NestedSlice(o.Object, "webhooks")
			for _, h := range hooks {
				bundle, _, _ := unstructured.NestedString(h.(map[string]any), "clientConfig", "caBundle")
				all = append(all, bundle)
			}
			return strings.Join(all, " ")
		}
		before := bundles()
		if len(before) < 1000 {
			t.Fatalf("istiod wrote no CA into its webhooks: %q", before)
		}
		m.want(t, 0, "install", "--set", "components.egressGateways[0].enabled=true", "--set", "values.sidecarInjectorWebhook.reinvocationPolicy=IfNeeded", "-y")
		if after := bundles(); after != before {
			t.Error("changing the webhooks took istiod's CA from them")
		}
		m.want(t, 0, "install", "--set", "components.egressGateways[0].enabled=true", "-y")
	})
	t.Run("what an autoscaler decides stays", func(t *testing.T) {
		patchAs(t, b.REST(), "kube-controller-manager", "istio-ingressgateway", `{"spec":{"replicas":3}}`)
		again(t, m, b.REST(), "install", "--set", "components.egressGateways[0].enabled=true", "-y")
		m.want(t, 0, "install", "--set", "components.egressGateways[0].enabled=true", "--set", "components.ingressGateways[0].k8s.podAnnotations.a=b", "-y")
		if n, _, _ := unstructured.NestedInt64(live(t, b.REST(), "apps/v1", "deployments", "istio-ingressgateway").Object, "spec", "replicas"); n != 3 {
			t.Errorf("the gateway has %d replicas, the autoscaler wanted 3", n)
		}
	})
	t.Run("prune and roll back", func(t *testing.T) {
		r := m.want(t, 0, "install", "-y")
		contains(t, "stderr", r.stderr, "prune Deployment istio-system/istio-egressgateway")
		m.want(t, 0, "rollback", "-y")
		r = m.want(t, 0, "history")
		contains(t, "stdout", r.stdout, "rollback to ", "pruned", "superseded", "bed-admin")
		live(t, b.REST(), "apps/v1", "deployments", "istio-egressgateway")
		m.want(t, 2, "rollback", "99")
	})
	t.Run("an upgrade starts from the last inputs", func(t *testing.T) {
		r := m.want(t, 0, "upgrade", "--dry-run")
		contains(t, "stderr", r.stderr, "with the inputs of", "--set components.egressGateways[0].enabled=true", "0 to create, 0 to change")
		r = m.want(t, 2, "upgrade", "--set", "tag=1.30.10", "-y")
		contains(t, "stderr", r.stderr, "Istio 1.30.10 is older than the installed 1.31.1", "--allow-downgrade")
		r = m.want(t, 1, "upgrade", "--set", "values.pilot.traceSampling=7", "--dry-run")
		contains(t, "stdout", r.stdout, "env[PILOT_TRACE_SAMPLING].value")
	})
	t.Run("a failure goes back by itself", func(t *testing.T) {
		if err := b.Break(t.Context(), bed.ImagePull+"=:nonsense"); err != nil {
			t.Fatal(err)
		}
		r := m.want(t, 1, "install", "--set", "tag=nonsense", "--rollback-on-failure", "-y", "--timeout", "20s")
		contains(t, "stderr", r.stderr, "nonsense", "rolling back to entry")
		if err := b.Mend(t.Context(), bed.ImagePull+"=:nonsense"); err != nil {
			t.Fatal(err)
		}
		r = m.want(t, 0, "history", "-o", "wide")
		contains(t, "stdout", r.stdout, "failed", "--set tag=nonsense")
		if text := must(live(t, b.REST(), "apps/v1", "deployments", "istiod").MarshalJSON()); strings.Contains(string(text), "nonsense") {
			t.Error("istiod still has the image that can't be pulled")
		}
	})
}

// again runs a command that has nothing to do, and checks that nothing was written.
func again(t *testing.T, m meshctl, config *rest.Config, args ...string) {
	t.Helper()
	before := versions(t, config)
	r := m.want(t, 0, args...)
	contains(t, "stderr", r.stderr, "0 to create, 0 to change")
	if after := versions(t, config); !maps.Equal(before, after) {
		for id, v := range after {
			if before[id] != v {
				t.Errorf("%s was written", id)
			}
		}
	}
}

// live reads an object of the control plane's namespace.
func live(t *testing.T, config *rest.Config, apiVersion, name, object string) *unstructured.Unstructured {
	t.Helper()
	o, err := resource(t, config, apiVersion, name, "istio-system").Get(t.Context(), object, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// managersOf are those who own fields of an object, its status left out.
func managersOf(t *testing.T, config *rest.Config, apiVersion, name, object string) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, m := range live(t, config, apiVersion, name, object).GetManagedFields() {
		if m.Subresource == "" {
			all[m.Manager] = true
		}
	}
	return all
}

// patchAs changes a Deployment as another field manager.
func patchAs(t *testing.T, config *rest.Config, manager, deployment, patch string) {
	t.Helper()
	_, err := resource(t, config, "apps/v1", "deployments", "istio-system").
		Patch(t.Context(), deployment, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: manager})
	if err != nil {
		t.Fatal(err)
	}
}

// istioctl runs the peer.
func istioctl(t *testing.T, b *bed.Bed, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(repo, ".cache", "bin", "istioctl"), append(args, "--kubeconfig", b.Kubeconfig())...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("istioctl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// asHelm puts the objects of a manifest into the cluster as Helm would: under
// its field manager, annotated with the release.
func asHelm(t *testing.T, m meshctl, config *rest.Config, args ...string) {
	t.Helper()
	applyText(t, config, "apiVersion: v1\nkind: Namespace\nmetadata: {name: istio-system}\n")
	docs := decodeAll(t, m.want(t, 0, append([]string{"manifest", "generate"}, args...)...).stdout)
	for _, o := range docs {
		o.SetAnnotations(map[string]string{"meta.helm.sh/release-name": "istiod", "meta.helm.sh/release-namespace": "istio-system"})
		labels := o.GetLabels()
		for label := range labels {
			if strings.HasPrefix(label, "meshctl.io/") {
				delete(labels, label)
			}
		}
		o.SetLabels(labels)
		_, err := resource(t, config, o.GetAPIVersion(), plural(o.GetKind()), o.GetNamespace()).
			Apply(t.Context(), o.GetName(), o, metav1.ApplyOptions{FieldManager: "helm", Force: true})
		if err != nil {
			t.Fatalf("applying %s %s: %v", o.GetKind(), o.GetName(), err)
		}
	}
}
