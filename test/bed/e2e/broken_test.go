package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meshctl/meshctl/test/bed"
)

// promised is how soon after its start an install has named what is wrong.
const promised = 15 * time.Second

// cause is a broken cluster and what an install says of it.
type cause struct {
	name string   // of the revision; its control plane goes to namespace m-<name>
	mode bed.Mode // broken from the start
	args []string
	// patch is laid over istiod's Deployment: a path and its value.
	patch [2]string
	says  []string
}

// namespaced are the causes that concern one namespace, so that they can be there at once.
func namespaced() []cause {
	return []cause{
		{name: "image", args: []string{"--set", "hub=registry.invalid/istio"}, says: []string{
			"ErrImagePull: image registry.invalid/istio/pilot:1.31.1 cannot be pulled: not found", "container discovery", "next: the registry has no such image"}},
		{name: "crash", mode: bed.CrashLoop, says: []string{
			"CrashLoopBackOff: exited with code 1", `| error	failed to create discovery service: error unmarshaling mesh config: unknown field "acessLogFile"`, "event BackOff", "kubectl logs istiod-crash-"}},
		{name: "oom", mode: bed.OOM, says: []string{"OOMKilled: killed for using more memory", "exit code 137", "next: raise resources.limits.memory"}},
		{name: "init", mode: bed.InitFailing, patch: [2]string{"spec.template.spec.initContainers", "[{name: fetch-root, image: acme/vault:1}]"}, says: []string{
			"init container fetch-root: exited with code 2", "| fatal: x509: certificate has expired", "-c fetch-root --previous"}},
		{name: "probe", mode: bed.ProbeFailing, says: []string{
			"Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503", "event Unhealthy", "| warn	kube controller", "next: see what it says: `kubectl logs istiod-probe-"}},
		{name: "config", mode: bed.MissingConfig, says: []string{
			"CreateContainerConfigError: it needs Secret m-config/istiod-tls, which is not there", "kubectl create secret generic istiod-tls -n m-config"}},
		{name: "evicted", mode: bed.Evicted, says: []string{"Evicted: its node threw the pod out: The node was low on resource: memory.", "kubectl describe node node-"}},
		{name: "security", mode: bed.PodSecurity, says: []string{`PodSecurity: violates PodSecurity "restricted:latest": seccompProfile`, "next: give the pods a profile"}},
		{name: "volume", mode: bed.PVCPending, patch: [2]string{"spec.template.spec.volumes[-1]", "{name: bed, persistentVolumeClaim: {claimName: bed-data}}"}, says: []string{
			`VolumePending: PersistentVolumeClaim m-volume/bed-data wants storage class "fast-ssd", which is not there`, "next: name one that `kubectl get storageclasses` shows"}},
		{name: "hook", mode: bed.WebhookDead, says: []string{
			`WebhookUnavailable: webhook "guard.bed.meshctl.io" does not answer`, "ValidatingWebhookConfiguration bed-orphan, served by Service guard/guard, which is not there", "kubectl delete validatingwebhookconfiguration bed-orphan"}},
		{name: "quota", mode: bed.Quota, says: []string{"QuotaExceeded: exceeded quota: bed-no-pods", "next: see `kubectl describe resourcequota -n m-quota`"}},
	}
}

// TestInstallNamesTheCause installs where something is broken, in each way that
// concerns one namespace, and waits until stderr names it. Two run to their end.
func TestInstallNamesTheCause(t *testing.T) {
	t.Parallel()
	options := bed.Options{NoEnvoy: true}
	for _, c := range namespaced() {
		if c.mode != "" {
			options.Break = append(options.Break, c.mode+bed.Mode("=m-"+c.name))
		}
	}
	b, err := bed.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Down)
	m := meshctl{binary: build(t), kubeconfig: b.Kubeconfig(), home: t.TempDir()}
	m.want(t, 0, "install", "--profile", "minimal", "-y") // so that the rest brings its istiod only

	turns := make(chan struct{}, 3) // at once: they wait more than they work
	done := make(chan struct{})
	for _, c := range namespaced() {
		go func() {
			turns <- struct{}{}
			defer func() { <-turns; done <- struct{}{} }()
			t.Run(c.name, func(t *testing.T) { c.run(t, m) })
		}()
	}
	for range namespaced() {
		<-done
	}
}

func (c cause) command(t *testing.T) []string {
	args := append([]string{"install", "--profile", "minimal", "-y", "--set", "values.global.istioNamespace=m-" + c.name, "-r", c.name}, c.args...)
	if c.patch[0] == "" {
		return args
	}
	file := filepath.Join(t.TempDir(), "overlay.yaml")
	text := "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec:\n  components:\n    pilot:\n      k8s:\n        overlays:\n" +
		"        - kind: Deployment\n          name: istiod-" + c.name + "\n          patches:\n" +
		"          - path: " + c.patch[0] + "\n            value: " + c.patch[1] + "\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return append(args, "-f", file)
}

func (c cause) run(t *testing.T, m meshctl) {
	switch c.name {
	case "crash":
		c.givesUp(t, m)
	case "quota":
		c.keepsWaiting(t, m)
	default:
		m.start(t, c.command(t)...).says(t, promised, c.says...).interrupt(t)
	}
}

// givesUp runs until the install ends by itself, long before its deadline.
func (c cause) givesUp(t *testing.T, m meshctl) {
	p := m.start(t, append(c.command(t), "-o", "json")...)
	p.says(t, promised, c.says...)
	p.says(t, promised, "waiting does not heal CrashLoopBackOff: giving up in 10s unless it clears (--fail-fast=false keeps waiting)")
	r := p.ends(t, 30*time.Second)
	if r.code != 1 {
		t.Errorf("exit code %d", r.code)
	}
	contains(t, "error", r.stderr, "error: ", "given up, as waiting does not heal this", "hint: ")
	var report struct {
		Components []struct {
			Name    string
			Reasons []struct {
				Object, Container, Reason, Message, Next string
				Terminal                                 bool
				Evidence                                 []struct{ Kind, Source, Text, At string }
			}
		}
	}
	decode(t, r, &report)
	for _, component := range report.Components {
		if component.Name != "istiod" {
			continue
		}
		if len(component.Reasons) != 1 {
			t.Fatalf("reasons: %+v", component.Reasons)
		}
		why := component.Reasons[0]
		if why.Container != "discovery" || why.Reason != "CrashLoopBackOff" || !why.Terminal || !strings.HasPrefix(why.Object, "Pod m-crash/istiod-crash-") || why.Next == "" {
			t.Errorf("reason: %+v", why)
		}
		kinds := map[string]bool{}
		for _, e := range why.Evidence {
			kinds[e.Kind] = true
		}
		if !kinds["log"] || !kinds["event"] || !kinds["status"] {
			t.Errorf("evidence: %+v", why.Evidence)
		}
	}
}

// keepsWaiting runs to the deadline, although the cause does not heal.
func (c cause) keepsWaiting(t *testing.T, m meshctl) {
	p := m.start(t, append(c.command(t), "--fail-fast=false", "--timeout", "16s")...)
	p.says(t, promised, c.says...)
	r := p.ends(t, 30*time.Second)
	if r.code != 1 || strings.Contains(r.stderr, "giving up") {
		t.Errorf("exit code %d, stderr:\n%s", r.code, r.stderr)
	}
	contains(t, "error", r.stderr, "not ready before the deadline", "exceeded quota: bed-no-pods")
}

// TestInstallOnABrokenCluster is for what concerns the whole cluster, one after
// the other. In the end the same command finishes what it began.
func TestInstallOnABrokenCluster(t *testing.T) {
	t.Parallel()
	b, err := bed.Start(t.Context(), bed.Options{Break: []bed.Mode{bed.NodesNotReady}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Down)
	m := meshctl{binary: build(t), kubeconfig: b.Kubeconfig(), home: t.TempDir()}
	install := func(more ...string) []string {
		return append([]string{"install", "--profile", "minimal", "-y"}, more...)
	}
	with := func(mode bed.Mode, run func(t *testing.T)) {
		t.Run(string(mode), func(t *testing.T) {
			if err := b.Break(t.Context(), mode); err != nil {
				t.Fatal(err)
			}
			run(t)
			if err := b.Mend(t.Context(), mode); err != nil {
				t.Fatal(err)
			}
		})
	}
	with(bed.Webhook, func(t *testing.T) {
		r := m.want(t, 1, install()...)
		contains(t, "stderr", r.stderr, "denied the request: the platform team allows no change here on a Friday", "ValidatingWebhookConfiguration bed-refuses, served by https://", "hint: meet what it asks for")
	})
	t.Run("missing CRD", func(t *testing.T) {
		r := m.want(t, 1, "install", "--profile", "openshift", "-y")
		contains(t, "stderr", r.stderr, "the cluster does not know this kind", "hint: install the CRD of this kind first")
	})
	waiting := m.start(t, install()...) // for longer than the next case
	t.Run(string(bed.NodesNotReady), func(t *testing.T) {
		waiting.says(t, promised, "Unschedulable: no node takes the pod; 3 nodes: 3 not ready (network plugin not ready)", "condition PodScheduled=False", "next: see why the nodes are not ready")
	})
	with(bed.APIServerGone, func(t *testing.T) {
		waiting.says(t, promised, "the API server does not answer, trying again: dial tcp 127.0.0.1:")
	})
	waiting.says(t, promised, "the API server answers again")
	if err := b.Mend(t.Context(), bed.NodesNotReady); err != nil {
		t.Fatal(err)
	}
	if r := waiting.ends(t, time.Minute); r.code != 0 { // neither the nodes nor the API server ended it
		t.Fatalf("exit code %d\n%s", r.code, r.stderr)
	}
	with(bed.IstiodDead, func(t *testing.T) {
		m.start(t, "install", "--profile", "default", "-y").says(t, promised,
			"Unhealthy: Readiness probe failed", "container istio-proxy", "next: see what it says: `kubectl logs istio-ingressgateway-", "`meshctl proxy-status`").interrupt(t)
	})
	m.want(t, 0, "uninstall", "--purge", "-y")
	with(bed.Taint, func(t *testing.T) {
		m.start(t, install()...).says(t, promised, "Unschedulable: no node takes the pod; 3 nodes: 3 tainted dedicated=batch:NoSchedule", "next: let the pods tolerate dedicated=batch:NoSchedule").interrupt(t)
	})
	with(bed.NoNode, func(t *testing.T) {
		m.start(t, install("--set", "components.cni.enabled=true")...).says(t, promised, "NoMatchingNode: no node matches; 3 nodes: 3 without the label kubernetes.io/os=linux", "DaemonSet istio-system/istio-cni-node",
			"next: label nodes for it (`kubectl label node NAME kubernetes.io/os=linux`)", "giving up in 10s").interrupt(t)
	})
	m.want(t, 0, install("--set", "components.cni.enabled=true")...)
}
