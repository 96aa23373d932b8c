package e2e

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/meshctl/meshctl/test/bed"
)

// kills is at how many random points an install is killed.
const kills = 20

// TestKilledInstallsEndInTheSameState kills installs at random points, some on
// an empty cluster and some on the way from one configuration to another, which
// creates, changes and prunes. The same command again then ends in the state in
// which it ends when it is left alone.
func TestKilledInstallsEndInTheSameState(t *testing.T) {
	t.Parallel()
	b, m := onBed(t, bed.Options{NoEnvoy: true})
	ways := [][]string{ // istiod stays as it is between them: starting it anew tests nothing here
		{"install", "--profile", "minimal", "--set", "components.egressGateways[0].enabled=true", "-y"},
		{"install", "--profile", "minimal", "--set", "components.ingressGateways[0].enabled=true", "--set", "meshConfig.accessLogFile=/dev/stdout", "-y"},
	}
	var ends []map[string]string
	var took time.Duration
	for _, way := range ways {
		start := time.Now()
		m.want(t, 0, way...)
		took = max(took, time.Since(start))
		ends = append(ends, state(t, b.REST()))
	}
	if maps.Equal(ends[0], ends[1]) {
		t.Fatal("both configurations end alike: this tests nothing")
	}
	killed, tries := 0, 0
	defer func() { t.Logf("%d of %d runs were killed", killed, tries) }()
	for try := 0; killed < kills; try++ { // a run that ended first does not count
		if try == 3*kills {
			t.Fatalf("only %d of %d runs were killed", killed, try)
		}
		if killed < 3 {
			m.want(t, 0, "uninstall", "--purge", "--delete-namespaces", "--delete-ca-secret", "-y")
		}
		tries++
		way := try % 2
		delay := time.Duration(rand.Int64N(int64(took))) //nolint:gosec // a random moment, no secret
		start := time.Now()
		if !kill(t, m, delay, ways[way]...) {
			took = time.Since(start) // it is faster than thought
			continue
		}
		killed++
		took += took / 40
		m.want(t, 0, ways[way]...)
		if diff := difference(ends[way], state(t, b.REST())); len(diff) > 0 {
			t.Errorf("killed after %s, `meshctl %s` then ends otherwise than it does alone: %s", delay, strings.Join(ways[way], " "), strings.Join(diff, ", "))
		}
	}
	for _, way := range []int{0, 1} { // both still do what they say
		m.want(t, 0, ways[way]...)
		m.want(t, 0, append(slices.Clone(ways[way]), "--dry-run")...)
	}
}

// kill runs a command and kills it after a delay, as kill -9 does. It says
// whether the command was still running.
func kill(t *testing.T, m meshctl, delay time.Duration, args ...string) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), m.binary, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+m.kubeconfig, "HOME="+m.home, "XDG_CONFIG_HOME="+m.home)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(delay, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	_ = cmd.Wait() // killed or not is what its state says
	return cmd.ProcessState.ExitCode() == -1
}

// state is what an install leaves: the objects that are labelled as meshctl's
// with what they ask for, and what is recorded, but for numbers and times.
func state(t *testing.T, config *rest.Config) map[string]string {
	t.Helper()
	all := map[string]string{}
	more := []kindAt{{"autoscaling/v2", "horizontalpodautoscalers", "istio-system"}, {"policy/v1", "poddisruptionbudgets", "istio-system"}}
	for _, k := range append(installedKinds(), more...) {
		if k.resource == "secrets" { // of the history: compressed, and numbered
			continue
		}
		list, err := resource(t, config, k.apiVersion, k.resource, k.namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "meshctl.io/managed-by=meshctl"})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range list.Items {
			id := k.resource + "/" + o.GetName()
			if strings.HasPrefix(o.GetName(), "meshctl-inventory-") {
				data, _ := o.Object["data"].(map[string]any)
				all[id] = recorded(t, data["inventory.json"])
				continue
			}
			all[id] = asked(t, o.GetLabels(), o.Object)
		}
	}
	return all
}

// asked is an object's labels and all that is not metadata or status, less what
// differs from one creation to the next.
func asked(t *testing.T, labels map[string]string, object map[string]any) string {
	t.Helper()
	rest := map[string]any{"labels": labels}
	for k, v := range object {
		if k != "metadata" && k != "status" {
			rest[k] = v
		}
	}
	if spec, ok := rest["spec"].(map[string]any); ok {
		spec = maps.Clone(spec)
		for _, given := range []string{"clusterIP", "clusterIPs", "ports", "healthCheckNodePort"} {
			delete(spec, given)
		}
		rest["spec"] = spec
	}
	text := string(must(json.Marshal(rest)))
	if hooks, ok := rest["webhooks"].([]any); ok { // the CA is istiod's
		for _, h := range hooks {
			if hook, ok := h.(map[string]any); ok {
				delete(hook["clientConfig"].(map[string]any), "caBundle")
				delete(hook, "failurePolicy")
			}
		}
		text = string(must(json.Marshal(rest)))
	}
	return text
}

// recorded is an inventory: its objects and the last entry's status and digest.
// Namespaces are left out: killed between making one and recording it, the next
// run can't know who made it, and nothing is pruned by it.
func recorded(t *testing.T, data any) string {
	t.Helper()
	text, _ := data.(string)
	var inv struct {
		Objects []struct{ Kind, Namespace, Name, Component string }
		History []struct{ Status, Digest string }
	}
	if err := json.Unmarshal([]byte(text), &inv); err != nil {
		t.Fatalf("the inventory is no JSON: %v\n%s", err, text)
	}
	inv.Objects = slices.DeleteFunc(inv.Objects, func(o struct{ Kind, Namespace, Name, Component string }) bool { return o.Kind == "Namespace" })
	last := inv.History[len(inv.History)-1]
	return string(must(json.Marshal([]any{inv.Objects, last})))
}

func difference(want, got map[string]string) []string {
	var all []string
	for id, v := range want {
		switch w, ok := got[id]; {
		case !ok:
			all = append(all, id+" is missing")
		case v != w:
			all = append(all, id+" differs: "+v+" became "+w)
		}
	}
	for id := range got {
		if _, ok := want[id]; !ok {
			all = append(all, id+" is too many")
		}
	}
	slices.Sort(all)
	return all
}
