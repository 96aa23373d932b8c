package install

import "testing"

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
