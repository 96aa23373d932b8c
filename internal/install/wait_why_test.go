package install

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	whyDeployment = `{apiVersion: apps/v1, kind: Deployment, metadata: {name: istiod, namespace: ns, uid: d, generation: 1, annotations: {deployment.kubernetes.io/revision: "2"}}, spec: {replicas: 1}, status: {observedGeneration: 1}}`
	whyReplicaSet = `{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: istiod-2, namespace: ns, uid: r, ownerReferences: [{uid: d}], annotations: {deployment.kubernetes.io/revision: "2"}}}`
	whyOldSet     = `{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: istiod-1, namespace: ns, uid: old, ownerReferences: [{uid: d}], annotations: {deployment.kubernetes.io/revision: "1"}}}`
	whyOldPod     = `{apiVersion: v1, kind: Pod, metadata: {name: istiod-1-a, namespace: ns, ownerReferences: [{uid: old}]}, status: {conditions: [{type: Ready, status: "False"}]}}`
	whyDaemonSet  = `{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: cni, namespace: ns, uid: r, generation: 1}, status: {observedGeneration: 1, desiredNumberScheduled: 1}}`

	onePod  = "Pod ns/istiod-2-a"
	oneCont = "Pod ns/istiod-2-a, container discovery"
)

// whyNow is a minute after the pods of these tests were made.
func whyNow() time.Time { return time.Date(2026, 1, 1, 0, 1, 0, 0, time.UTC) }

func pod(spec, status string) string {
	return `{apiVersion: v1, kind: Pod, metadata: {name: istiod-2-a, namespace: ns, uid: p, creationTimestamp: "2026-01-01T00:00:00Z", ownerReferences: [{uid: r}]}, spec: {` + spec + `}, status: {` + status + `}}`
}

func container(status string) string {
	return pod("nodeName: n1, containers: [{name: discovery, image: x/pilot:1, resources: {limits: {memory: 64Mi}}}]", "containerStatuses: [{name: discovery, "+status+"}]")
}

func unscheduled(spec, message string) string {
	return pod(spec, `conditions: [{type: PodScheduled, status: "False", reason: Unschedulable, lastTransitionTime: "2026-01-01T00:00:30Z", message: "`+message+`"}]`)
}

func event(about, reason, message string) string {
	return `{apiVersion: v1, kind: Event, metadata: {name: e` + about + reason + `, namespace: ns}, involvedObject: {uid: ` + about + `}, reason: ` + reason + `, message: "` + message + `", firstTimestamp: "2026-01-01T00:00:05Z", lastTimestamp: "2026-01-01T00:00:55Z", count: 7}`
}

func node(name, labels, more string) string {
	return `{apiVersion: v1, kind: Node, metadata: {name: ` + name + `, labels: {` + labels + `}}` + more + `}`
}

const (
	readyNode = `, status: {conditions: [{type: Ready, status: "True"}]}`
	noNetwork = `, status: {conditions: [{type: Ready, status: "False", reason: KubeletNotReady, message: "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:x"}]}`
	lostNode  = `, status: {conditions: [{type: Ready, status: Unknown, message: Kubelet stopped posting node status.}]}`
)

func refusedSet(message string) string {
	return `{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: istiod-2, namespace: ns, uid: r, ownerReferences: [{uid: d}], annotations: {deployment.kubernetes.io/revision: "2"}}, status: {conditions: [{type: ReplicaFailure, status: "True", reason: FailedCreate, lastTransitionTime: "2026-01-01T00:00:50Z", message: '` + message + `'}]}}`
}

// hook is a webhook configuration with one webhook, hook.acme.io.
const hookConfig = `{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: acme}, webhooks: [{name: hook.acme.io, clientConfig: {service: {namespace: acme, name: guard}}}]}`

type whyCase struct {
	of     string   // default: the deployment
	seen   []string // what the watches bring
	asked  []string // what is there when asked for
	denied string   // a kind that may not be listed
	log    string

	where, reason string
	says          string // the whole message
	next          string // a part of it
	proof         string // a line of the evidence
	terminal      bool
}

func (c whyCase) run(t *testing.T) Reason {
	t.Helper()
	of := parse(t, orElse(c.of, whyDeployment))
	b := boardOf(t, append([]string{whyReplicaSet, whyOldSet, whyOldPod}, c.seen...)...)
	cluster := &memoryWithLogs{memory: newMemory(), log: c.log}
	cluster.settle = nil
	if c.denied != "" {
		cluster.fail = func(call string) error {
			if call == "list "+c.denied {
				return forbidden("list", c.denied)
			}
			return nil
		}
	}
	for _, o := range c.asked {
		cluster.put(parse(t, o))
	}
	b.why(of, of)
	for range 3 { // an answer may lead to another question
		for len(b.questions) > 0 {
			b.answer(t.Context(), cluster, <-b.questions)
		}
		b.why(of, of)
	}
	got := b.why(of, of)
	if len(got) != 1 {
		t.Fatalf("%d reasons: %+v", len(got), got)
	}
	return got[0]
}

func (c whyCase) check(t *testing.T) {
	t.Helper()
	r := c.run(t)
	if r.where() != c.where || r.Reason != c.reason || r.Message != c.says {
		t.Errorf("got  %s: %s: %s\nwant %s: %s: %s", r.where(), r.Reason, r.Message, c.where, c.reason, c.says)
	}
	if r.Terminal != c.terminal {
		t.Errorf("terminal: %t, want %t", r.Terminal, c.terminal)
	}
	if !strings.Contains(r.Next, c.next) {
		t.Errorf("the next step is %q, without %q", r.Next, c.next)
	}
	if proof := r.proof(whyNow()); c.proof != "" && !slices.Contains(proof, c.proof) {
		t.Errorf("no line %q in\n%s", c.proof, strings.Join(proof, "\n"))
	}
	if r.pending {
		t.Error("it still waits for an answer")
	}
}

// memoryWithLogs is a cluster that also shows logs: of every container the same.
type memoryWithLogs struct {
	*memory
	log string
}

func (m *memoryWithLogs) Logs(_ context.Context, _, _, _ string, _ bool, _ int) (string, error) {
	if m.log == "" {
		return "", errors.New("no log")
	}
	return m.log, nil
}

func TestWhyOthers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]whyCase{
		"no controller": {
			of:    `{apiVersion: apps/v1, kind: Deployment, metadata: {name: istiod, namespace: ns, uid: other}}`,
			where: "Deployment ns/istiod", reason: "Waiting", says: "no controller has looked at it yet", next: "kube-controller-manager",
		},
		"no pods yet": {
			of:    whyDaemonSet,
			where: "DaemonSet ns/cni", reason: "Waiting", says: "Current: 0/1, and it has no pods yet", next: "kubectl describe daemonset cni -n ns",
		},
		"names refused": {
			of:    `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: c}, status: {conditions: [{type: NamesAccepted, status: "False", reason: PluralConflict, message: taken}]}}`,
			where: "CustomResourceDefinition c", reason: "PluralConflict", says: "taken", next: "kubectl describe customresourcedefinition c",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.check(t)
		})
	}
}

func boardOf(t *testing.T, objects ...string) *board {
	t.Helper()
	b := newBoard()
	b.now = whyNow
	for _, o := range objects {
		b.see(parse(t, o), false)
	}
	return b
}

// Whatever part of a status is missing, a reason says which object, what and why.
func TestWhyIsNeverBlank(t *testing.T) {
	t.Parallel()
	statuses := []string{
		"", "phase: Pending", "phase: Failed", `conditions: [{type: PodScheduled, status: "False"}]`, `conditions: [{type: Ready, status: "False"}]`,
		"containerStatuses: [{}]", "containerStatuses: [{state: {waiting: {}}}]", "containerStatuses: [{state: {waiting: {reason: X}}}]",
		"containerStatuses: [{state: {waiting: {reason: CrashLoopBackOff}}}]", "initContainerStatuses: [{state: {terminated: {exitCode: 2}}}]",
		"containerStatuses: [{state: {running: {}}}]", "containerStatuses: [{state: {waiting: {reason: ErrImagePull}}}]",
		"containerStatuses: [{state: {waiting: {reason: CreateContainerConfigError}}}]",
	}
	for _, status := range statuses {
		for _, spec := range []string{"", "nodeName: n1"} {
			for _, of := range []string{whyDeployment, whyDaemonSet} {
				live := parse(t, of)
				for _, r := range boardOf(t, whyReplicaSet, pod(spec, status)).why(live, live) {
					if r.Object == "" || r.Reason == "" || r.Message == "" || r.Evidence == nil {
						t.Errorf("pod {%s} {%s}: %+v", spec, status, r)
					}
				}
			}
		}
	}
	gone := &unstructured.Unstructured{Object: map[string]any{"kind": "DaemonSet"}}
	if r := newBoard().why(nil, gone); len(r) != 1 || r[0].Message == "" {
		t.Errorf("an object that is not there: %+v", r)
	}
}
