package install

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	whyDeployment = `{apiVersion: apps/v1, kind: Deployment, metadata: {name: istiod, namespace: ns, uid: d, generation: 1, annotations: {deployment.kubernetes.io/revision: "2"}}, spec: {replicas: 1}, status: {observedGeneration: 1}}`
	whyReplicaSet = `{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: istiod-2, namespace: ns, uid: r, ownerReferences: [{uid: d}], annotations: {deployment.kubernetes.io/revision: "2"}}}`
	whyOldSet     = `{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: istiod-1, namespace: ns, uid: old, ownerReferences: [{uid: d}], annotations: {deployment.kubernetes.io/revision: "1"}}}`
	whyOldPod     = `{apiVersion: v1, kind: Pod, metadata: {name: istiod-1-a, namespace: ns, ownerReferences: [{uid: old}]}, status: {conditions: [{type: Ready, status: "False"}]}}`
	whyDaemonSet  = `{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: cni, namespace: ns, uid: r, generation: 1}, status: {observedGeneration: 1, desiredNumberScheduled: 1}}`
)

func pod(spec, status string) string {
	return `{apiVersion: v1, kind: Pod, metadata: {name: istiod-2-a, namespace: ns, uid: p, creationTimestamp: "2026-01-01T00:00:00Z", ownerReferences: [{uid: r}]}, spec: {` + spec + `}, status: {` + status + `}}`
}

func event(about, reason, message string) string {
	return `{apiVersion: v1, kind: Event, metadata: {name: e` + about + reason + `, namespace: ns}, involvedObject: {uid: ` + about + `}, reason: ` + reason + `, message: "` + message + `", lastTimestamp: "2026-01-01T00:00:05Z"}`
}

func TestWhy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		of   string // default: the deployment
		seen []string
		want Reason
	}{
		"unschedulable": {
			seen: []string{pod("", `conditions: [{type: PodScheduled, status: "False", reason: Unschedulable, message: "0/3 nodes are available: 3 node(s) had untolerated taint(s). preemption: 0/3 nodes are available."}]`)},
			want: Reason{Object: "Pod ns/istiod-2-a", Reason: "Unschedulable", Message: "0/3 nodes are available: 3 node(s) had untolerated taint(s).", Next: "kubectl get nodes"},
		},
		"image": {
			seen: []string{pod("nodeName: n1", `containerStatuses: [{name: discovery, image: x/pilot:1, state: {waiting: {reason: ImagePullBackOff, message: "Back-off pulling image x/pilot:1"}}}]`)},
			want: Reason{Object: "Pod ns/istiod-2-a container discovery", Reason: "ImagePullBackOff", Message: "Back-off pulling image x/pilot:1", Next: "can pull x/pilot:1"},
		},
		"image without a message": {
			seen: []string{pod("nodeName: n1", `containerStatuses: [{name: discovery, image: x/pilot:1, state: {waiting: {reason: ErrImagePull}}}]`)},
			want: Reason{Object: "Pod ns/istiod-2-a container discovery", Reason: "ErrImagePull", Message: "image x/pilot:1 cannot be pulled", Next: "--set hub="},
		},
		"image, some time later": {
			seen: []string{
				pod("nodeName: n1", `containerStatuses: [{name: discovery, image: x/pilot:1, state: {waiting: {reason: ErrImagePull, message: "not found: x/pilot:1"}}}]`),
				pod("nodeName: n1", `containerStatuses: [{name: discovery, image: x/pilot:1, state: {waiting: {reason: ImagePullBackOff, message: "Back-off"}}}]`),
			},
			want: Reason{Object: "Pod ns/istiod-2-a container discovery", Reason: "ErrImagePull", Message: "not found: x/pilot:1", Next: "can pull x/pilot:1"},
		},
		"crash loop": {
			seen: []string{pod("nodeName: n1", `containerStatuses: [{name: discovery, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 137, reason: OOMKilled}}}]`)},
			want: Reason{Object: "Pod ns/istiod-2-a container discovery", Reason: "CrashLoopBackOff", Message: "exited with code 137 (OOMKilled), restarted 4 times", Next: "kubectl logs istiod-2-a -n ns -c discovery --previous"},
		},
		"init container": {
			seen: []string{pod("nodeName: n1", `initContainerStatuses: [{name: istio-init, state: {terminated: {exitCode: 1, reason: Error, message: "iptables: permission denied"}}}], containerStatuses: [{name: discovery, state: {waiting: {reason: PodInitializing}}}]`)},
			want: Reason{Object: "Pod ns/istiod-2-a container istio-init", Reason: "Error", Message: "exited with code 1: iptables: permission denied", Next: "-c istio-init --previous"},
		},
		"config": {
			seen: []string{pod("nodeName: n1", `containerStatuses: [{name: discovery, state: {waiting: {reason: CreateContainerConfigError, message: "secret \"cacerts\" not found"}}}]`)},
			want: Reason{Object: "Pod ns/istiod-2-a container discovery", Reason: "CreateContainerConfigError", Message: `secret "cacerts" not found`, Next: "kubectl describe pod istiod-2-a -n ns"},
		},
		"probe": {
			seen: []string{pod("nodeName: n1", `conditions: [{type: Ready, status: "False", reason: ContainersNotReady, message: "containers with unready status"}], containerStatuses: [{name: discovery, ready: false, state: {running: {}}}]`), event("p", "Unhealthy", "Readiness probe failed: 503")},
			want: Reason{Object: "Pod ns/istiod-2-a container discovery", Reason: "Unhealthy", Message: "Readiness probe failed: 503", Next: "kubectl logs istiod-2-a -n ns -c discovery"},
		},
		"mount": {
			seen: []string{pod("nodeName: n1", `containerStatuses: [{name: discovery, state: {waiting: {reason: ContainerCreating}}}]`), event("p", "FailedMount", "configmap istio not found")},
			want: Reason{Object: "Pod ns/istiod-2-a", Reason: "FailedMount", Message: "configmap istio not found", Next: "kubectl describe pod"},
		},
		"quota": {
			seen: []string{`{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: istiod-2, namespace: ns, uid: r, ownerReferences: [{uid: d}], annotations: {deployment.kubernetes.io/revision: "2"}}, status: {conditions: [{type: ReplicaFailure, status: "True", reason: FailedCreate, message: "pods is forbidden: exceeded quota: mem"}]}}`},
			want: Reason{Object: "ReplicaSet ns/istiod-2", Reason: "FailedCreate", Message: "pods is forbidden: exceeded quota: mem", Next: "kubectl describe resourcequota -n ns"},
		},
		"quota, told by the deployment": {
			of:   `{apiVersion: apps/v1, kind: Deployment, metadata: {name: istiod, namespace: ns, uid: d, generation: 1, annotations: {deployment.kubernetes.io/revision: "2"}}, status: {observedGeneration: 1, conditions: [{type: ReplicaFailure, status: "True", reason: FailedCreate, message: "Error creating: exceeded quota: mem"}]}}`,
			want: Reason{Object: "ReplicaSet ns/istiod-2", Reason: "FailedCreate", Message: "exceeded quota: mem", Next: "kubectl describe resourcequota -n ns"},
		},
		"pod security, told by an event": {
			of: whyDaemonSet, seen: []string{event("r", "FailedCreate", "violates PodSecurity: hostPath")},
			want: Reason{Object: "DaemonSet ns/cni", Reason: "FailedCreate", Message: "violates PodSecurity: hostPath", Next: "pod-security.kubernetes.io/enforce"},
		},
		"node that says nothing": {
			of: whyDaemonSet, seen: []string{pod("nodeName: n1", `phase: Pending`)},
			want: Reason{Object: "Pod ns/istiod-2-a", Reason: "NotStarted", Message: "node n1 has not started the pod", Next: "kubectl describe node n1"},
		},
		"no controller": {
			of:   `{apiVersion: apps/v1, kind: Deployment, metadata: {name: istiod, namespace: ns, uid: other}}`,
			want: Reason{Object: "Deployment ns/istiod", Reason: "Waiting", Message: "no controller has looked at it yet", Next: "kube-controller-manager"},
		},
		"no pods yet": {
			of:   whyDaemonSet,
			want: Reason{Object: "DaemonSet ns/cni", Reason: "Waiting", Message: "Current: 0/1, and it has no pods yet", Next: "kubectl describe daemonset cni -n ns"},
		},
		"names refused": {
			of:   `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: c}, status: {conditions: [{type: NamesAccepted, status: "False", reason: PluralConflict, message: taken}]}}`,
			want: Reason{Object: "CustomResourceDefinition c", Reason: "PluralConflict", Message: "taken", Next: "kubectl describe customresourcedefinition c"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			of := parse(t, orElse(c.of, whyDeployment))
			b := boardOf(t, append([]string{whyReplicaSet, whyOldSet, whyOldPod}, c.seen...)...)
			got := b.why(of, of)
			if len(got) != 1 {
				t.Fatalf("%d reasons: %+v", len(got), got)
			}
			if !strings.Contains(got[0].Next, c.want.Next) {
				t.Errorf("the next step is %q, without %q", got[0].Next, c.want.Next)
			}
			c.want.Next = got[0].Next
			if diff := cmp.Diff(c.want, got[0]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func boardOf(t *testing.T, objects ...string) *board {
	t.Helper()
	b := newBoard()
	b.now = func() time.Time { return time.Date(2026, 1, 1, 0, 1, 0, 0, time.UTC) }
	for _, o := range objects {
		b.see(parse(t, o), false)
	}
	return b
}

// Whatever part of a status is missing, a reason says which object, what and why.
func TestWhyIsNeverBlank(t *testing.T) {
	t.Parallel()
	statuses := []string{
		"", "phase: Pending", `conditions: [{type: PodScheduled, status: "False"}]`, `conditions: [{type: Ready, status: "False"}]`,
		"containerStatuses: [{}]", "containerStatuses: [{state: {waiting: {}}}]", "containerStatuses: [{state: {waiting: {reason: X}}}]",
		"containerStatuses: [{state: {waiting: {reason: CrashLoopBackOff}}}]", "initContainerStatuses: [{state: {terminated: {exitCode: 2}}}]",
		"containerStatuses: [{state: {running: {}}}]",
	}
	for _, status := range statuses {
		for _, spec := range []string{"", "nodeName: n1"} {
			for _, of := range []string{whyDeployment, whyDaemonSet} {
				live := parse(t, of)
				for _, r := range boardOf(t, whyReplicaSet, pod(spec, status)).why(live, live) {
					if r.Object == "" || r.Reason == "" || r.Message == "" {
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
