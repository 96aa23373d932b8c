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

func TestWhyContainers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]whyCase{
		"crash loop": {
			seen:  []string{container(`restartCount: 4, state: {waiting: {reason: CrashLoopBackOff, message: back-off 40s}}, lastState: {terminated: {exitCode: 1, reason: Error, finishedAt: "2026-01-01T00:00:48Z"}}`), event("p", "BackOff", "Back-off restarting failed container")},
			log:   "info\tstarting\nerror\tfailed to create discovery service: bad mesh config\n",
			where: oneCont, reason: "CrashLoopBackOff", says: "exited with code 1; restarts: 4", next: "kubectl logs istiod-2-a -n ns -c discovery --previous",
			proof: "  | error\tfailed to create discovery service: bad mesh config", terminal: true,
		},
		"first crash": {
			seen:  []string{container(`restartCount: 0, state: {terminated: {exitCode: 2, reason: Error, finishedAt: "2026-01-01T00:00:59Z"}}`)},
			log:   "panic: x",
			where: oneCont, reason: "CrashLoopBackOff", says: "exited with code 2", next: "kubectl logs istiod-2-a -n ns -c discovery`",
			proof: "status terminated (1s ago): exit code 2, reason Error",
		},
		"started again a moment ago": {
			seen:  []string{container(`restartCount: 3, ready: false, state: {running: {startedAt: "2026-01-01T00:00:58Z"}}, lastState: {terminated: {exitCode: 1}}`)},
			log:   "x",
			where: oneCont, reason: "CrashLoopBackOff", says: "exited with code 1; restarts: 3", terminal: true,
		},
		"started again and stays": {
			seen:  []string{container(`restartCount: 3, ready: false, state: {running: {startedAt: "2026-01-01T00:00:45Z"}}, lastState: {terminated: {exitCode: 1}}`)},
			where: onePod, reason: "Waiting", says: "container discovery is running and not ready yet",
		},
		"ended by itself": {
			seen:  []string{container(`restartCount: 1, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 0, reason: Completed}}`)},
			log:   "bye",
			where: oneCont, reason: "CrashLoopBackOff", says: "ended by itself (exit code 0), though it should stay; restarts: 1",
		},
		"logs that may not be read": {
			seen:  []string{container(`restartCount: 1, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 1}}`)},
			where: oneCont, reason: "CrashLoopBackOff", says: "exited with code 1; restarts: 1", proof: "  | (not readable: no log)",
		},
		"out of memory": {
			seen:  []string{container(`restartCount: 5, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 137, reason: OOMKilled}}`)},
			log:   "x",
			where: oneCont, reason: "OOMKilled", says: "killed for using more memory than its limit of 64Mi; restarts: 5", next: "resources.limits.memory", terminal: true,
		},
		"init container": {
			seen:  []string{pod("nodeName: n1, initContainers: [{name: istio-init}]", `initContainerStatuses: [{name: istio-init, restartCount: 3, state: {terminated: {exitCode: 1, reason: Error, message: "iptables: permission denied"}}}], containerStatuses: [{name: discovery, state: {waiting: {reason: PodInitializing}}}]`)},
			log:   "iptables-restore: unable to initialize table 'nat'",
			where: "Pod ns/istiod-2-a, container istio-init", reason: "CrashLoopBackOff", says: "init container istio-init: exited with code 1: iptables: permission denied; restarts: 3",
			next: "-c istio-init", proof: "  | iptables-restore: unable to initialize table 'nat'", terminal: true,
		},
		"init container that works": {
			seen:  []string{pod("nodeName: n1, initContainers: [{name: istio-init}]", `initContainerStatuses: [{name: istio-init, ready: false, state: {running: {}}}], containerStatuses: [{name: discovery, state: {waiting: {reason: PodInitializing}}}]`)},
			where: onePod, reason: "Waiting", says: "init container istio-init is running",
		},
		"readiness probe": {
			seen:  []string{container(`ready: false, state: {running: {}}`), event("p", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")},
			log:   "warn\tnot yet synced",
			where: oneCont, reason: "Unhealthy", says: "Readiness probe failed: HTTP probe failed with statuscode: 503", next: "kubectl logs istiod-2-a -n ns -c discovery",
			proof: "event Unhealthy (5s ago, 7 times): Readiness probe failed: HTTP probe failed with statuscode: 503",
		},
		"probe that fails while it starts": {
			seen:  []string{container(`ready: false, state: {running: {}}`), strings.Replace(event("p", "Unhealthy", "Readiness probe failed: refused"), "00:00:05Z", "00:00:57Z", 1)},
			where: onePod, reason: "Waiting", says: "container discovery is running and not ready yet",
		},
		"liveness probe": {
			seen: []string{container(`restartCount: 3, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 143}}`), event("p", "Killing", "Container discovery failed liveness probe, will be restarted")},
			log:  "x", where: oneCont, reason: "CrashLoopBackOff", says: "exited with code 143; restarts: 3", terminal: true,
			proof: "event Killing (5s ago, 7 times): Container discovery failed liveness probe, will be restarted",
		},
		"missing secret": {
			seen:  []string{container(`state: {waiting: {reason: CreateContainerConfigError, message: 'secret "cacerts" not found'}}`)},
			where: oneCont, reason: "CreateContainerConfigError", says: "it needs Secret ns/cacerts, which is not there", next: "kubectl create secret generic cacerts -n ns",
			proof: `status CreateContainerConfigError: secret "cacerts" not found`, terminal: true,
		},
		"missing key": {
			seen:  []string{container(`state: {waiting: {reason: CreateContainerConfigError, message: "couldn't find key root.pem in Secret ns/cacerts"}}`)},
			where: oneCont, reason: "CreateContainerConfigError", says: "couldn't find key root.pem in Secret ns/cacerts", next: "kubectl describe pod istiod-2-a -n ns", terminal: true,
		},
		"mount": {
			seen:  []string{container(`state: {waiting: {reason: ContainerCreating}}`), event("p", "FailedMount", `MountVolume.SetUp failed for volume x : configmap \"mine\" not found`)},
			where: onePod, reason: "FailedMount", says: "a volume needs ConfigMap ns/mine, which is not there", next: "kubectl create configmap mine -n ns", terminal: true,
		},
		"mount of what istiod brings": {
			seen:  []string{container(`state: {waiting: {reason: ContainerCreating}}`), event("p", "FailedMount", `configmap \"istio-ca-root-cert\" not found`)},
			where: onePod, reason: "FailedMount", says: `configmap "istio-ca-root-cert" not found`, next: "istiod writes this ConfigMap",
		},
		"network plugin": {
			seen:  []string{container(`state: {waiting: {reason: ContainerCreating}}`), event("p", "FailedCreatePodSandBox", `failed to setup network for sandbox: plugin type=istio-cni failed`)},
			where: onePod, reason: "FailedCreatePodSandBox", says: "failed to setup network for sandbox: plugin type=istio-cni failed", next: "network plugin of node n1",
		},
		"evicted": {
			seen:  []string{pod("nodeName: n1", `phase: Failed, reason: Evicted, message: "The node was low on resource: memory. Threshold quantity: 100Mi, available: 20Mi. "`)},
			where: onePod, reason: "Evicted", says: "its node threw the pod out: The node was low on resource: memory.", next: "kubectl describe node n1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.check(t)
		})
	}
}

func TestWhyImages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		told     string
		says     string
		next     string
		terminal bool
	}{
		"not found": {
			`failed to pull and unpack image "x/pilot:1": failed to resolve reference "x/pilot:1": x/pilot:1: not found`,
			"image x/pilot:1 cannot be pulled: not found", "no such image", true,
		},
		"manifest unknown": {
			"rpc error: code = Unknown desc = reading manifest 1 in x/pilot: manifest unknown",
			"image x/pilot:1 cannot be pulled: reading manifest 1 in x/pilot: manifest unknown", "no such image", true,
		},
		"denied": {
			`failed to resolve reference "x/pilot:1": pull access denied, repository does not exist or may require authorization`,
			"image x/pilot:1 cannot be pulled: pull access denied, repository does not exist or may require authorization", "imagePullSecrets", true,
		},
		"rate limit": {
			`failed to copy: httpReadSeeker: unexpected status code https://x/v2/pilot/manifests/sha256: 429 Too Many Requests - toomanyrequests: manifest not found for you`,
			"image x/pilot:1 cannot be pulled: failed to copy: httpReadSeeker: unexpected status code https://x/v2/pilot/manifests/sha256: 429 Too Many Requests - toomanyrequests: manifest not found for you", "limits pulls", false,
		},
		"timeout": {
			`failed to resolve reference "x/pilot:1": failed to do request: Head "https://x/v2/pilot/manifests/1": dial tcp 10.0.0.1:443: i/o timeout`,
			`image x/pilot:1 cannot be pulled: failed to do request: Head "https://x/v2/pilot/manifests/1": dial tcp 10.0.0.1:443: i/o timeout`, "DNS, firewall and proxy", false,
		},
		"no answer yet": {
			`Back-off pulling image "x/pilot:1"`, "image x/pilot:1 cannot be pulled", "can pull x/pilot:1", false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			quoted := strings.ReplaceAll(c.told, `'`, `''`)
			case1 := whyCase{where: oneCont, reason: "ErrImagePull", says: c.says, next: c.next, terminal: c.terminal,
				seen: []string{
					container(`state: {waiting: {reason: ErrImagePull, message: '` + quoted + `'}}`),
					container(`state: {waiting: {reason: ImagePullBackOff, message: Back-off}}`), // its reason is remembered
				}}
			case1.check(t)
		})
	}
	whyCase{
		seen:  []string{container(`state: {waiting: {reason: InvalidImageName, message: couldn't parse image}}`)},
		where: oneCont, reason: "InvalidImageName", says: "x/pilot:1 is no image name: couldn't parse image", terminal: true,
	}.check(t)
}

func TestWhyScheduling(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]whyCase{
		"nodes not ready and tainted": {
			seen:  []string{unscheduled("", "0/3 nodes are available: 3 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/3 nodes are available.")},
			asked: []string{node("a", "", noNetwork), node("b", "", noNetwork), node("c", "", `, spec: {taints: [{key: dedicated, value: batch, effect: NoSchedule}]}`+readyNode)},
			where: onePod, reason: "Unschedulable", says: "no node takes the pod; 3 nodes: 2 not ready (network plugin not ready), 1 tainted dedicated=batch:NoSchedule",
			next:  "kubectl describe nodes",
			proof: "condition PodScheduled=False (30s ago): 0/3 nodes are available: 3 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/3 nodes are available.",
		},
		"tainted": {
			seen:  []string{unscheduled("", "0/1 nodes are available: 1 node(s) had untolerated taint(s).")},
			asked: []string{node("c", "", `, spec: {taints: [{key: dedicated, value: batch, effect: NoSchedule}]}`+readyNode)},
			where: onePod, reason: "Unschedulable", says: "no node takes the pod; 1 node: 1 tainted dedicated=batch:NoSchedule", next: "components.NAME.k8s.tolerations",
		},
		"tolerated, and no room": {
			seen:  []string{unscheduled("tolerations: [{key: dedicated, operator: Exists}]", "0/2 nodes are available: 1 node(s) were unschedulable, 1 Insufficient cpu. preemption: x")},
			asked: []string{node("c", "", `, spec: {taints: [{key: dedicated, value: batch, effect: NoSchedule}]}`+readyNode), node("d", "", `, spec: {unschedulable: true}`+readyNode)},
			where: onePod, reason: "Unschedulable", says: "no node takes the pod; 2 nodes: 1 cordoned, 1 with insufficient cpu", next: "lower the requests",
		},
		"silent kubelet": {
			seen:  []string{unscheduled("", "0/1 nodes are available: 1 node(s) had untolerated taint(s).")},
			asked: []string{node("c", "", lostNode)},
			where: onePod, reason: "Unschedulable", says: "no node takes the pod; 1 node: 1 not ready (its kubelet has stopped reporting)",
		},
		"no node has the label": {
			seen:  []string{unscheduled("nodeSelector: {pool: mesh}", "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.")},
			asked: []string{node("c", "pool: other", readyNode)},
			where: onePod, reason: "Unschedulable", says: "no node takes the pod; 1 node: 1 without the label pool=mesh", next: "kubectl label node NAME pool=mesh", terminal: true,
		},
		"no node has the label, and more are on their way": {
			seen:  []string{unscheduled("nodeSelector: {pool: mesh}", "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."), event("p", "TriggeredScaleUp", "pod triggered scale-up: mesh 0->1")},
			asked: []string{node("c", "pool: other", readyNode)},
			where: onePod, reason: "Unschedulable", says: "no node takes the pod; 1 node: 1 without the label pool=mesh", proof: "event TriggeredScaleUp (5s ago, 7 times): pod triggered scale-up: mesh 0->1",
		},
		"no nodes": {
			seen:  []string{unscheduled("", "no nodes available to schedule pods")},
			where: onePod, reason: "Unschedulable", says: "the cluster has no nodes", next: "add a node",
		},
		"nodes that may not be read": {
			seen:   []string{unscheduled("", "0/3 nodes are available: 3 node(s) had untolerated taint(s). preemption: 0/3 nodes are available.")},
			denied: "Node", where: onePod, reason: "Unschedulable", says: "0/3 nodes are available: 3 node(s) had untolerated taint(s).", next: "kubectl get nodes",
		},
		"claim without its class": {
			seen:  []string{unscheduled("volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]", "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.")},
			asked: []string{`{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data, namespace: ns}, spec: {storageClassName: fast}, status: {phase: Pending}}`},
			where: onePod, reason: "VolumePending", says: `PersistentVolumeClaim ns/data wants storage class "fast", which is not there`, next: "kubectl get storageclasses", terminal: true,
		},
		"claim without a default class": {
			seen: []string{unscheduled("volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]", "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.")},
			asked: []string{`{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data, namespace: ns}, status: {phase: Pending}}`,
				`{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: slow}, provisioner: p}`},
			where: onePod, reason: "VolumePending", says: "PersistentVolumeClaim ns/data names no storage class, and the cluster has no default one", next: "is-default-class=true", terminal: true,
		},
		"provisioner at work": {
			seen: []string{unscheduled("volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]", "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."), event("c", "ProvisioningFailed", "disk quota reached")},
			asked: []string{`{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data, namespace: ns, uid: c}, spec: {storageClassName: slow}, status: {phase: Pending}}`,
				`{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: slow}, provisioner: disks.acme.io}`},
			where: onePod, reason: "VolumePending", says: "PersistentVolumeClaim ns/data waits for a volume from disks.acme.io (storage class slow)",
			proof: "event ProvisioningFailed (5s ago, 7 times): disk quota reached",
		},
		"claim that is not there": {
			seen:  []string{unscheduled("volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]", `0/1 nodes are available: persistentvolumeclaim data not found.`)},
			where: onePod, reason: "VolumeMissing", says: "PersistentVolumeClaim ns/data is not there", terminal: true,
		},
		"claim that waits for its pod": {
			of:    `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data, namespace: ns}, spec: {storageClassName: slow}, status: {phase: Pending}}`,
			asked: []string{`{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: slow}, provisioner: p, volumeBindingMode: WaitForFirstConsumer}`},
			where: "PersistentVolumeClaim ns/data", reason: "Waiting", says: "PVC is not Bound. phase: Pending",
		},
		"node that says nothing": {
			of: whyDaemonSet, seen: []string{pod("nodeName: n1", `phase: Pending`)}, asked: []string{node("n1", "", lostNode)},
			where: onePod, reason: "NotStarted", says: "node n1 has not started the pod: it is not ready (its kubelet has stopped reporting)", next: "kubectl describe node n1",
		},
		"daemon set without a node": {
			of:    `{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: cni, namespace: ns, uid: r, generation: 1}, spec: {template: {spec: {nodeSelector: {kubernetes.io/os: linux}}}}, status: {observedGeneration: 1, desiredNumberScheduled: 0}}`,
			asked: []string{node("a", "kubernetes.io/os: windows", readyNode), node("b", "kubernetes.io/os: windows", noNetwork)},
			where: "DaemonSet ns/cni", reason: "NoMatchingNode", says: "no node matches; 2 nodes: 2 without the label kubernetes.io/os=linux", next: "kubectl label node NAME kubernetes.io/os=linux", terminal: true,
		},
		"daemon set and tainted nodes": {
			of:    `{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: cni, namespace: ns, uid: r, generation: 1}, status: {observedGeneration: 1, desiredNumberScheduled: 0}}`,
			asked: []string{node("a", "", `, spec: {taints: [{key: node.cilium.io/agent-not-ready, effect: NoSchedule}]}`+readyNode)},
			where: "DaemonSet ns/cni", reason: "NoMatchingNode", says: "no node matches; 1 node: 1 tainted node.cilium.io/agent-not-ready:NoSchedule", next: "tolerat",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.check(t)
		})
	}
}

func TestWhyRefused(t *testing.T) {
	t.Parallel()
	const set = "ReplicaSet ns/istiod-2"
	for name, c := range map[string]whyCase{
		"quota": {
			seen:  []string{refusedSet(`pods "istiod-2-a" is forbidden: exceeded quota: mem, requested: limits.memory=2Gi, used: limits.memory=0, limited: limits.memory=1Gi`)},
			where: set, reason: "QuotaExceeded", says: "exceeded quota: mem, requested: limits.memory=2Gi, used: limits.memory=0, limited: limits.memory=1Gi",
			next: "kubectl describe resourcequota -n ns", terminal: true,
			proof: `condition ReplicaFailure=True (10s ago): pods "istiod-2-a" is forbidden: exceeded quota: mem, requested: limits.memory=2Gi, used: limits.memory=0, limited: limits.memory=1Gi`,
		},
		"quota, told by the deployment": {
			of:    `{apiVersion: apps/v1, kind: Deployment, metadata: {name: istiod, namespace: ns, uid: d, generation: 1, annotations: {deployment.kubernetes.io/revision: "2"}}, status: {observedGeneration: 1, conditions: [{type: ReplicaFailure, status: "True", reason: FailedCreate, message: "Error creating: exceeded quota: mem"}]}}`,
			where: set, reason: "QuotaExceeded", says: "exceeded quota: mem", next: "raise the quota", terminal: true,
		},
		"quota of a priority class": {
			seen:  []string{refusedSet(`pods "cni-a" is forbidden: insufficient quota to match these scopes: [{PriorityClass In [system-node-critical]}]`)},
			where: set, reason: "QuotaExceeded", says: "insufficient quota to match these scopes: [{PriorityClass In [system-node-critical]}]", next: "kube-system", terminal: true,
		},
		"pod security, told by an event": {
			of: whyDaemonSet, seen: []string{event("r", "FailedCreate", `Error creating: pods \"cni-x\" is forbidden: violates PodSecurity \"restricted:latest\": hostPath volumes`)},
			where: "DaemonSet ns/cni", reason: "PodSecurity", says: `violates PodSecurity "restricted:latest": hostPath volumes`, next: "kubectl label namespace ns pod-security.kubernetes.io/enforce=privileged", terminal: true,
		},
		"pod security that a setting meets": {
			seen:  []string{refusedSet(`pods "x" is forbidden: violates PodSecurity "restricted:latest": seccompProfile (pod or container "discovery" must set it)`)},
			where: set, reason: "PodSecurity", says: `violates PodSecurity "restricted:latest": seccompProfile (pod or container "discovery" must set it)`, next: "--set values.pilot.seccompProfile.type=RuntimeDefault", terminal: true,
		},
		"policy": {
			seen:  []string{refusedSet(`pods "x" is forbidden: ValidatingAdmissionPolicy "no-latest" with binding "all" denied request: no`)},
			where: set, reason: "PolicyDenied", says: `ValidatingAdmissionPolicy "no-latest" with binding "all" denied request: no`, next: "validatingadmissionpolicies", terminal: true,
		},
		"webhook that refuses": {
			seen:  []string{refusedSet(`admission webhook "hook.acme.io" denied the request: not on a Friday`)},
			asked: []string{hookConfig, `{apiVersion: v1, kind: Service, metadata: {name: guard, namespace: acme}}`, `{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: g, namespace: acme, labels: {kubernetes.io/service-name: guard}}, endpoints: [{addresses: [10.0.0.1], conditions: {ready: true}}]}`},
			where: set, reason: "WebhookDenied", terminal: true, next: "kubectl describe validatingwebhookconfiguration acme",
			says: `admission webhook "hook.acme.io" denied the request: not on a Friday; it is in ValidatingWebhookConfiguration acme, served by Service acme/guard, which has 1 ready endpoint`,
		},
		"webhook without its service": {
			seen:  []string{refusedSet(`Internal error occurred: failed calling webhook "hook.acme.io": failed to call webhook: Post "https://guard.acme.svc:443/?timeout=10s": service "guard" not found`)},
			asked: []string{hookConfig},
			where: set, reason: "WebhookUnavailable", next: "kubectl delete validatingwebhookconfiguration acme",
			says: `webhook "hook.acme.io" does not answer: Post "https://guard.acme.svc:443/?timeout=10s": service "guard" not found; it is in ValidatingWebhookConfiguration acme, served by Service acme/guard, which is not there`,
		},
		"webhook without endpoints": {
			seen:  []string{refusedSet(`Internal error occurred: failed calling webhook "hook.acme.io": failed to call webhook: Post "https://guard.acme.svc:443/": no endpoints available for service "guard"`)},
			asked: []string{hookConfig, `{apiVersion: v1, kind: Service, metadata: {name: guard, namespace: acme}}`},
			where: set, reason: "WebhookUnavailable", next: "kubectl get pods -n acme",
			says: `webhook "hook.acme.io" does not answer: Post "https://guard.acme.svc:443/": no endpoints available for service "guard"; it is in ValidatingWebhookConfiguration acme, served by Service acme/guard, which has no ready endpoints`,
		},
		"service account to come": {
			seen:  []string{refusedSet(`pods "x" is forbidden: error looking up service account ns/istiod: serviceaccount "istiod" not found`)},
			where: set, reason: "FailedCreate", says: `error looking up service account ns/istiod: serviceaccount "istiod" not found`, next: "kubectl get serviceaccounts -n ns",
		},
		"limit range": {
			seen:  []string{refusedSet(`pods "x" is forbidden: minimum cpu usage per Container is 1, but request is 500m`)},
			where: set, reason: "FailedCreate", says: "minimum cpu usage per Container is 1, but request is 500m", terminal: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.check(t)
		})
	}
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
