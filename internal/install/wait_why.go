package install

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Reason is why an object is not ready: what was seen on which object, and
// what to do next. No field but Next is ever empty.
type Reason struct {
	Object  string `json:"object"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
	Next    string `json:"next,omitempty"`
}

// String is the reason on one line.
func (r Reason) String() string { return fmt.Sprintf("%s: %s: %s", r.Object, r.Reason, r.Message) }

// under is the reason below a heading that names want.
func (r Reason) under(want *unstructured.Unstructured) string {
	if r.Object == ident(want) {
		return r.Reason + ": " + r.Message
	}
	return r.String()
}

// reasonWaiting is the reason of an object with which nothing is wrong yet.
const reasonWaiting = "Waiting"

// why says why an object is not ready, the most telling reason of each of its
// pods, never nothing. live is nil when the cluster has no such object.
func (b *board) why(live, want *unstructured.Unstructured) []Reason {
	if live == nil {
		return []Reason{{ident(want), reasonWaiting, "the cluster does not show it yet", ""}}
	}
	if !isWorkload(live) {
		return []Reason{b.whyOther(live)}
	}
	owners := []*unstructured.Unstructured{live}
	if live.GetKind() == "Deployment" {
		if rs := b.newestReplicaSet(live); rs != nil {
			owners = append(owners, rs)
		}
	}
	var reasons []Reason
	for _, pod := range b.podsOf(owners) {
		if r, ok := b.whyPod(pod); ok && !slices.Contains(reasons, r) {
			reasons = append(reasons, r)
		}
	}
	if r, ok := b.whyNoPods(owners); ok {
		reasons = append([]Reason{r}, reasons...)
	}
	if len(reasons) == 0 {
		reasons = append(reasons, b.whyWorkload(live, len(b.podsOf(owners))))
	}
	return reasons
}

// whyOther is for kinds that explain themselves by their conditions.
func (b *board) whyOther(live *unstructured.Unstructured) Reason {
	for _, c := range conditions(live) {
		if c.status == "False" && c.message != "" && c.reason != "Installing" {
			return Reason{ident(live), c.reason, c.message, "see `kubectl describe " + target(live) + "`"}
		}
	}
	return Reason{ident(live), reasonWaiting, readiness(live).text, "see `kubectl describe " + target(live) + "`"}
}

// whyNoPods is for controllers that the API server does not let make pods. The
// same refusal is told by an event, by the ReplicaSet and by its Deployment, one
// after the other: all of them count as the ReplicaSet's.
func (b *board) whyNoPods(owners []*unstructured.Unstructured) (Reason, bool) {
	maker := owners[len(owners)-1]
	refused := func(text string) (Reason, bool) {
		text = strings.TrimPrefix(text, "Error creating: ")
		return Reason{ident(maker), "FailedCreate", text, nextForRefusal(text, maker.GetNamespace())}, true
	}
	for _, owner := range owners {
		for _, c := range conditions(owner) {
			if c.kind == "ReplicaFailure" && c.status == "True" {
				return refused(c.message)
			}
		}
	}
	if e := b.lastEvent(maker, "FailedCreate"); e != nil && len(b.podsOf(owners)) == 0 {
		return refused(field(e, "message"))
	}
	return Reason{}, false
}

// whyWorkload is the reason when no pod tells one.
func (b *board) whyWorkload(live *unstructured.Unstructured, pods int) Reason {
	if _, found, _ := unstructured.NestedInt64(live.Object, "status", "observedGeneration"); !found {
		return Reason{ident(live), reasonWaiting, "no controller has looked at it yet", "see whether kube-controller-manager runs"}
	}
	for _, c := range conditions(live) {
		if c.kind == "Progressing" && c.status == "False" {
			return Reason{ident(live), c.reason, c.message, "see `kubectl describe " + target(live) + "`"}
		}
	}
	text := readiness(live).text
	if pods == 0 {
		text += ", and it has no pods yet"
	}
	return Reason{ident(live), reasonWaiting, text, "see `kubectl describe " + target(live) + "`"}
}

// newestReplicaSet is the one that a deployment rolls out.
func (b *board) newestReplicaSet(deployment *unstructured.Unstructured) *unstructured.Unstructured {
	revision := deployment.GetAnnotations()[revisionAnnotation]
	var newest *unstructured.Unstructured
	for _, rs := range b.all("ReplicaSet", deployment.GetNamespace()) {
		if !ownedBy(rs, deployment) {
			continue
		}
		if rs.GetAnnotations()[revisionAnnotation] == revision && revision != "" {
			return rs
		}
		created, best := rs.GetCreationTimestamp(), newest
		if best == nil || best.GetCreationTimestamp().Time.Before(created.Time) {
			newest = rs
		}
	}
	return newest
}

const revisionAnnotation = "deployment.kubernetes.io/revision"

func (b *board) podsOf(owners []*unstructured.Unstructured) []*unstructured.Unstructured {
	var pods []*unstructured.Unstructured
	for _, pod := range b.all("Pod", owners[0].GetNamespace()) {
		if slices.ContainsFunc(owners, func(o *unstructured.Unstructured) bool { return ownedBy(pod, o) }) {
			pods = append(pods, pod)
		}
	}
	return pods
}

// lastEvent is the latest event about an object with one of these reasons, or nil.
func (b *board) lastEvent(about *unstructured.Unstructured, reasons ...string) *unstructured.Unstructured {
	var last *unstructured.Unstructured
	for _, e := range b.all("Event", about.GetNamespace()) {
		if field(e, "involvedObject", "uid") != string(about.GetUID()) || !slices.Contains(reasons, field(e, "reason")) {
			continue
		}
		if last == nil || eventTime(last) <= eventTime(e) {
			last = e
		}
	}
	return last
}

// eventTime sorts as text: the API server writes RFC 3339 in UTC.
func eventTime(e *unstructured.Unstructured) string {
	return max(field(e, "lastTimestamp"), field(e, "eventTime"), field(e, "firstTimestamp"))
}

func ownedBy(obj, owner *unstructured.Unstructured) bool {
	for _, ref := range obj.GetOwnerReferences() {
		if ref.UID == owner.GetUID() {
			return true
		}
	}
	return false
}

// nextForRefusal is the next step after the API server refused to make a pod.
func nextForRefusal(text, namespace string) string {
	switch {
	case strings.Contains(text, "exceeded quota"):
		return "see `kubectl describe resourcequota -n " + namespace + "`; raise the quota or lower the requests with --set"
	case strings.Contains(text, "must specify"):
		return "the quota of " + namespace + " wants requests and limits on every container: see `kubectl describe resourcequota,limitrange -n " + namespace + "`"
	case strings.Contains(text, "violates PodSecurity"):
		return "allow these pods with `kubectl label namespace " + namespace + " pod-security.kubernetes.io/enforce=privileged --overwrite`, or for gateways and sidecars use the CNI"
	case strings.Contains(text, "failed calling webhook"), strings.Contains(text, "denied the request"):
		return "a webhook refuses the pod: see `kubectl get mutatingwebhookconfigurations,validatingwebhookconfigurations`"
	case strings.Contains(text, "serviceaccount"):
		return "the pod's service account is missing: see `kubectl get serviceaccounts -n " + namespace + "`"
	}
	return "see `kubectl get events -n " + namespace + "`"
}

// target is how kubectl names an object.
func target(obj *unstructured.Unstructured) string {
	t := strings.ToLower(obj.GetKind()) + " " + obj.GetName()
	if ns := obj.GetNamespace(); ns != "" {
		t += " -n " + ns
	}
	return t
}

// field is a nested string, or "".
func field(obj *unstructured.Unstructured, path ...string) string {
	s, _, _ := unstructured.NestedString(obj.Object, path...)
	return s
}

type condition struct{ kind, status, reason, message string }

func conditions(obj *unstructured.Unstructured) []condition {
	raw, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	var list []condition
	for _, r := range raw {
		m, _ := r.(map[string]any)
		c := condition{textAt(m, "type"), textAt(m, "status"), textAt(m, "reason"), textAt(m, "message")}
		if c.reason == "" {
			c.reason = c.kind
		}
		list = append(list, c)
	}
	return list
}

func textAt(m map[string]any, path ...string) string {
	s, _, _ := unstructured.NestedString(m, path...)
	return s
}
