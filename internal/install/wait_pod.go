package install

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// errImagePull is the reason right after an image could not be pulled.
const errImagePull = "ErrImagePull"

// whyPod is the most telling reason why a pod is not ready; false when it is.
func (b *board) whyPod(pod *unstructured.Unstructured) (Reason, bool) {
	is := map[string]condition{}
	for _, c := range conditions(pod) {
		is[c.kind] = c
	}
	if is["Ready"].status == "True" {
		return Reason{}, false
	}
	if c := is["PodScheduled"]; c.status == "False" {
		return Reason{ident(pod), orElse(c.reason, "Unschedulable"), orElse(firstSentence(c.message), "no node takes the pod"), nextForScheduling(pod)}, true
	}
	for _, list := range []string{"initContainerStatuses", "containerStatuses"} {
		for _, c := range containers(pod, list) {
			if r, ok := b.whyContainer(pod, c); ok {
				return r, true
			}
		}
	}
	if e := b.lastEvent(pod, "FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "FailedPostStartHook"); e != nil {
		return Reason{ident(pod), field(e, "reason"), field(e, "message"), "see `kubectl describe " + target(pod) + "`"}, true
	}
	return b.whyStill(pod, is), true
}

// whyContainer is for containers that cannot start or do not stay.
func (b *board) whyContainer(pod *unstructured.Unstructured, c map[string]any) (Reason, bool) {
	name := textAt(c, "name")
	about := ident(pod) + " container " + name
	logs := fmt.Sprintf("see `kubectl logs %s -n %s -c %s --previous`", pod.GetName(), pod.GetNamespace(), name)
	switch waiting := textAt(c, "state", "waiting", "reason"); waiting {
	case "", "PodInitializing", "ContainerCreating":
	case "CrashLoopBackOff":
		return Reason{about, waiting, lastExit(c, "lastState"), logs}, true
	case "ImagePullBackOff", errImagePull, "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable":
		told := textAt(c, "state", "waiting", "message")
		if why := b.pull(pod, name); why != "" {
			waiting, told = errImagePull, why
		}
		return Reason{about, waiting, orElse(told, "image "+textAt(c, "image")+" cannot be pulled"),
			"check that the nodes can pull " + textAt(c, "image") + "; another registry or version goes with --set hub=...,tag=..."}, true
	default:
		return Reason{about, waiting, orElse(textAt(c, "state", "waiting", "message"), "the container cannot start"), "see `kubectl describe " + target(pod) + "`"}, true
	}
	if code, found, _ := unstructured.NestedInt64(c, "state", "terminated", "exitCode"); found && code != 0 {
		return Reason{about, orElse(textAt(c, "state", "terminated", "reason"), "Error"), lastExit(c, "state"), logs}, true
	}
	ready, _, _ := unstructured.NestedBool(c, "ready")
	_, running, _ := unstructured.NestedMap(c, "state", "running")
	if e := b.lastEvent(pod, "Unhealthy"); running && !ready && e != nil {
		return Reason{about, "Unhealthy", field(e, "message"), fmt.Sprintf("see `kubectl logs %s -n %s -c %s`", pod.GetName(), pod.GetNamespace(), name)}, true
	}
	return Reason{}, false
}

// graceForNode is how long a node may take to say anything about a pod.
const graceForNode = 10 * time.Second

// whyStill is for pods with which nothing is wrong as far as one can see.
func (b *board) whyStill(pod *unstructured.Unstructured, is map[string]condition) Reason {
	node := textAt(pod.Object, "spec", "nodeName")
	seen := containers(pod, "containerStatuses")
	next := "see `kubectl describe " + target(pod) + "`"
	switch {
	case pod.GetDeletionTimestamp() != nil:
		return Reason{ident(pod), "Terminating", "the pod is on its way out", next}
	case node == "":
		return Reason{ident(pod), reasonWaiting, "no node has been chosen yet", next}
	case len(seen) == 0 && b.now().Sub(pod.GetCreationTimestamp().Time) < graceForNode:
		return Reason{ident(pod), reasonWaiting, "node " + node + " is about to start it", next}
	case len(seen) == 0:
		return Reason{ident(pod), "NotStarted", "node " + node + " has not started the pod", "see `kubectl describe node " + node + "`: is it ready?"}
	}
	for _, c := range seen {
		if textAt(c, "state", "waiting", "reason") != "" {
			return Reason{ident(pod), reasonWaiting, "container " + textAt(c, "name") + " is being created", next}
		}
	}
	return Reason{ident(pod), orElse(is["Ready"].reason, reasonWaiting), orElse(is["Ready"].message, "the pod is running and not ready yet"), next}
}

// firstSentence drops what the scheduler says of claims and preemption: the
// filters that refused the pod come first, the rest follows from them.
func firstSentence(message string) string {
	for _, tail := range []string{" no new claims to deallocate", " preemption: "} {
		message, _, _ = strings.Cut(message, tail)
	}
	return message
}

func nextForScheduling(pod *unstructured.Unstructured) string {
	return "see `kubectl get nodes` and `kubectl describe " + target(pod) + "`; requests can be lowered with --set"
}

// lastExit says how a container ended.
func lastExit(c map[string]any, state string) string {
	code, found, _ := unstructured.NestedInt64(c, state, "terminated", "exitCode")
	if !found {
		return orElse(textAt(c, "state", "waiting", "message"), "the container ends again and again")
	}
	s := fmt.Sprintf("exited with code %d", code)
	if reason := textAt(c, state, "terminated", "reason"); reason != "" && reason != "Error" {
		s += " (" + reason + ")"
	}
	if message := textAt(c, state, "terminated", "message"); message != "" {
		s += ": " + message
	}
	if restarts, _, _ := unstructured.NestedInt64(c, "restartCount"); restarts > 0 {
		s += fmt.Sprintf(", restarted %d times", restarts)
	}
	return s
}

func containers(pod *unstructured.Unstructured, list string) []map[string]any {
	raw, _, _ := unstructured.NestedSlice(pod.Object, "status", list)
	var all []map[string]any
	for _, r := range raw {
		if m, ok := r.(map[string]any); ok {
			all = append(all, m)
		}
	}
	return all
}

func orElse(s, otherwise string) string {
	if s != "" {
		return s
	}
	return otherwise
}
