package install

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// whyPod is the most telling reason why a pod is not ready; false when it is.
func (b *board) whyPod(pod *corev1.Pod) (Reason, bool) {
	if c := podCondition(pod, corev1.PodReady); c.Status == corev1.ConditionTrue {
		return Reason{}, false
	}
	if pod.Status.Phase == corev1.PodFailed {
		return b.whyFailed(pod)
	}
	if c := podCondition(pod, corev1.PodScheduled); c.Status == corev1.ConditionFalse {
		return b.whyUnscheduled(pod, c), true
	}
	for _, c := range pod.Status.InitContainerStatuses {
		if r, ok := b.whyContainer(pod, c, !restarts(pod, c.Name)); ok {
			return r, true
		}
	}
	for _, c := range pod.Status.ContainerStatuses {
		if r, ok := b.whyContainer(pod, c, false); ok {
			return r, true
		}
	}
	if r, ok := b.whyPrepared(pod); ok {
		return r, true
	}
	return b.whyStill(pod), true
}

// restarts says whether an init container is a sidecar, which stays.
func restarts(pod *corev1.Pod, name string) bool {
	return slices.ContainsFunc(pod.Spec.InitContainers, func(c corev1.Container) bool {
		return c.Name == name && c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
	})
}

// whyFailed is for pods that ended for good; their controller makes others.
func (b *board) whyFailed(pod *corev1.Pod) (Reason, bool) {
	r := Reason{Object: podIdent(pod), Reason: orElse(pod.Status.Reason, "Failed"), Message: orElse(pod.Status.Message, "the pod has failed"),
		Evidence: proves(b.lastEvent(pod.UID, nil, "Evicted", "Preempting", "Preempted", "OutOfcpu", "OutOfmemory", "NodeAffinity", "UnexpectedAdmissionError")),
		Next:     "see `kubectl describe " + podTarget(pod) + "`"}
	if r.Reason == "Evicted" {
		node := orElse(pod.Spec.NodeName, "its node")
		r.Message = "its node threw the pod out: " + strings.TrimSuffix(firstSentence(r.Message), ". ")
		r.Next = fmt.Sprintf("give node %s room, or the cluster another node: see `kubectl describe node %s` and its conditions", node, node)
	}
	return r, true
}

// whyPrepared is for what keeps a node from starting any container of a pod.
func (b *board) whyPrepared(pod *corev1.Pod) (Reason, bool) {
	e := b.lastEvent(pod.UID, nil, "FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "FailedPostStartHook", "FailedMapVolume", "NetworkNotReady")
	if e == nil || podCondition(pod, corev1.PodInitialized).Status == corev1.ConditionTrue && anyStarted(pod) {
		return Reason{}, false
	}
	r := Reason{Object: podIdent(pod), Reason: e.Reason, Message: oneLine(e.Message), Evidence: proves(e), Next: "see `kubectl describe " + podTarget(pod) + "`"}
	switch {
	case e.Reason == "FailedMount" && strings.Contains(e.Message, "istio-ca-root-cert"):
		r.Next = "istiod writes this ConfigMap into every namespace: see `kubectl logs -n istio-system deploy/istiod` if it does not come"
	case e.Reason == "FailedMount":
		if kind, name := missing(e.Message); kind != "" {
			r.Message = fmt.Sprintf("a volume needs %s %s/%s, which is not there", kind, pod.Namespace, name)
			r.Next, r.Terminal = nextForMissing(kind, name, pod), true
		}
	case e.Reason == "FailedCreatePodSandBox" && strings.Contains(e.Message, "network"), e.Reason == "NetworkNotReady":
		r.Next = fmt.Sprintf("the network plugin of node %s does not set up pods: see its pods, `kubectl get pods -A -o wide --field-selector spec.nodeName=%s`",
			pod.Spec.NodeName, pod.Spec.NodeName)
	}
	return r, true
}

func anyStarted(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.ContainerStatuses, func(c corev1.ContainerStatus) bool { return c.State.Running != nil })
}

// graceForNode is how long a node may take to say anything about a pod.
const graceForNode = 10 * time.Second

// whyStill is for pods with which nothing is wrong as far as one can see.
func (b *board) whyStill(pod *corev1.Pod) Reason {
	node, seen := pod.Spec.NodeName, pod.Status.ContainerStatuses
	next := "see `kubectl describe " + podTarget(pod) + "`"
	still := func(text string) Reason { return waitingFor(podIdent(pod), text, next) }
	switch {
	case pod.DeletionTimestamp != nil && b.now().Sub(pod.DeletionTimestamp.Time) > graceForNode:
		return Reason{Object: podIdent(pod), Reason: "Terminating", Message: "the pod should be gone since " + age(b.now().Sub(pod.DeletionTimestamp.Time)), Next: next}
	case pod.DeletionTimestamp != nil:
		return still("the pod is on its way out")
	case node == "":
		return still("no node has been chosen yet")
	case len(seen) == 0 && b.now().Sub(pod.CreationTimestamp.Time) < graceForNode:
		return still("node " + node + " is about to start it")
	case len(seen) == 0:
		return b.whyNotStarted(pod)
	}
	for _, c := range pod.Status.InitContainerStatuses {
		if c.State.Running != nil && !restarts(pod, c.Name) {
			return still("init container " + c.Name + " is running")
		}
	}
	for _, c := range seen {
		if c.State.Waiting != nil {
			return still("container " + c.Name + " is being created")
		}
	}
	for _, c := range seen {
		if !c.Ready {
			return still("container " + c.Name + " is running and not ready yet")
		}
	}
	c := podCondition(pod, corev1.PodReady)
	return still(orElse(c.Message, "the pod is running and not ready yet"))
}

func (b *board) whyNotStarted(pod *corev1.Pod) Reason {
	node := pod.Spec.NodeName
	r := Reason{Object: podIdent(pod), Reason: "NotStarted", Message: "node " + node + " has not started the pod",
		Next: "see `kubectl describe node " + node + "`: is it ready?"}
	a, known := b.ask(question{about: aboutNodes})
	r.pending = !known
	for _, n := range a.nodes {
		if n.Name == node {
			if why := notReady(n); why != "" {
				r.Message += ": it is " + why
			}
		}
	}
	return r
}

// firstSentence drops what the scheduler says of claims and preemption: the
// filters that refused the pod come first, the rest follows from them.
func firstSentence(message string) string {
	for _, tail := range []string{" no new claims to deallocate", " preemption: ", " Threshold quantity: "} {
		message, _, _ = strings.Cut(message, tail)
	}
	return message
}

func podCondition(pod *corev1.Pod, kind corev1.PodConditionType) corev1.PodCondition {
	for _, c := range pod.Status.Conditions {
		if c.Type == kind {
			return c
		}
	}
	return corev1.PodCondition{}
}
