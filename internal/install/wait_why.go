package install

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// why says why an object is not ready, the most telling reason of each of its
// pods, never nothing. live is nil when the cluster has no such object.
func (b *board) why(live, want *unstructured.Unstructured) []Reason {
	reasons := b.reasons(live, want)
	for i := range reasons {
		if reasons[i].Evidence == nil {
			reasons[i].Evidence = []Evidence{}
		}
	}
	return reasons
}

func (b *board) reasons(live, want *unstructured.Unstructured) []Reason {
	if live == nil {
		return []Reason{waitingFor(ident(want), "the cluster does not show it yet", "")}
	}
	if live.GetKind() == "PersistentVolumeClaim" {
		return []Reason{b.whyClaimObject(live)}
	}
	if !isWorkload(live) {
		return []Reason{whyOther(live)}
	}
	if runsNowhere(live) {
		return []Reason{b.whyNowhere(live)}
	}
	owners := []*unstructured.Unstructured{live}
	if live.GetKind() == "Deployment" {
		if rs := b.newestReplicaSet(live); rs != nil {
			owners = append(owners, rs)
		}
	}
	pods := b.podsOf(owners)
	var reasons []Reason
	for _, pod := range pods {
		if r, ok := b.whyPod(pod); ok {
			r.of = ident(live)
			reasons = append(reasons, r)
		}
	}
	reasons = alike(reasons)
	if r, ok := b.whyNoPods(owners, len(pods)); ok {
		reasons = append([]Reason{r}, reasons...)
	}
	if len(reasons) == 0 {
		reasons = append(reasons, whyWorkload(live, len(pods)))
	}
	// What is wrong before what only takes its time.
	slices.SortStableFunc(reasons, func(x, y Reason) int { return weight(x) - weight(y) })
	return reasons
}

func weight(r Reason) int {
	switch {
	case r.Terminal:
		return 0
	case r.cause():
		return 1
	}
	return 2
}

// whyOther is for kinds that explain themselves by their conditions.
func whyOther(live *unstructured.Unstructured) Reason {
	next := "see `kubectl describe " + target(live) + "`"
	for _, c := range conditions(live) {
		if c.status == "False" && c.message != "" && c.reason != "Installing" {
			return Reason{Object: ident(live), Reason: c.reason, Message: c.message, Evidence: c.proves(), Next: next}
		}
	}
	return waitingFor(ident(live), readiness(live).text, next)
}

// whyNoPods is for controllers that the API server does not let make pods. The
// same refusal is told by an event, by the ReplicaSet and by its Deployment, one
// after the other: all of them count as the ReplicaSet's.
func (b *board) whyNoPods(owners []*unstructured.Unstructured, pods int) (Reason, bool) {
	maker := owners[len(owners)-1]
	e := b.lastEvent(maker.GetUID(), nil, "FailedCreate")
	for _, owner := range owners {
		for _, c := range conditions(owner) {
			if c.kind != "ReplicaFailure" || c.status != "True" {
				continue
			}
			evidence := proves(e)
			if e == nil {
				evidence = c.proves()
			}
			return b.whyRefused(maker, c.message, evidence), true
		}
	}
	if e != nil && pods == 0 {
		return b.whyRefused(maker, e.Message, proves(e)), true
	}
	return Reason{}, false
}

// whyWorkload is the reason when no pod tells one.
func whyWorkload(live *unstructured.Unstructured, pods int) Reason {
	if _, found, _ := unstructured.NestedInt64(live.Object, "status", "observedGeneration"); !found {
		return waitingFor(ident(live), "no controller has looked at it yet", "see whether kube-controller-manager runs")
	}
	next := "see `kubectl describe " + target(live) + "`"
	for _, c := range conditions(live) {
		if c.kind == "Progressing" && c.status == "False" {
			return Reason{Object: ident(live), Reason: c.reason, Message: c.message, Evidence: c.proves(), Next: next}
		}
	}
	text := readiness(live).text
	if pods == 0 {
		text += ", and it has no pods yet"
	}
	return waitingFor(ident(live), text, next)
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

func ownedBy(obj, owner *unstructured.Unstructured) bool {
	for _, ref := range obj.GetOwnerReferences() {
		if ref.UID == owner.GetUID() {
			return true
		}
	}
	return false
}

// target is how kubectl names an object.
func target(obj *unstructured.Unstructured) string {
	t := strings.ToLower(obj.GetKind()) + " " + obj.GetName()
	if ns := obj.GetNamespace(); ns != "" {
		t += " -n " + ns
	}
	return t
}

func podIdent(pod *corev1.Pod) string  { return "Pod " + pod.Namespace + "/" + pod.Name }
func podTarget(pod *corev1.Pod) string { return "pod " + pod.Name + " -n " + pod.Namespace }

type condition struct {
	kind, status, reason, message string
	at                            *time.Time
}

// proves is the condition as evidence.
func (c condition) proves() []Evidence {
	return []Evidence{{Kind: evidenceCondition, Source: c.kind + "=" + c.status, Text: c.message, At: c.at}}
}

func conditions(obj *unstructured.Unstructured) []condition {
	raw, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	var list []condition
	for _, r := range raw {
		m, _ := r.(map[string]any)
		c := condition{kind: textAt(m, "type"), status: textAt(m, "status"), reason: textAt(m, "reason"), message: textAt(m, "message")}
		if at, err := time.Parse(time.RFC3339, textAt(m, "lastTransitionTime")); err == nil {
			c.at = &at
		}
		c.reason = orElse(c.reason, c.kind)
		list = append(list, c)
	}
	return list
}

func textAt(m map[string]any, path ...string) string {
	s, _, _ := unstructured.NestedString(m, path...)
	return s
}

func orElse(s, otherwise string) string {
	if s != "" {
		return s
	}
	return otherwise
}

// field is a nested string, or "".
func field(obj *unstructured.Unstructured, path ...string) string {
	s, _, _ := unstructured.NestedString(obj.Object, path...)
	return s
}
