package install

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"
)

// whyUnscheduled says which nodes do not take a pod and why, in the words of an operator.
func (b *board) whyUnscheduled(pod *corev1.Pod, c corev1.PodCondition) Reason {
	r := Reason{Object: podIdent(pod), Reason: orElse(c.Reason, "Unschedulable"), Message: orElse(firstSentence(c.Message), "no node takes the pod"),
		Next: "see `kubectl get nodes` and `kubectl describe " + podTarget(pod) + "`"}
	scaling := b.lastEvent(pod.UID, nil, "TriggeredScaleUp", "Nominated", "NominatedNode")
	if c.Message != "" {
		r.Evidence = append(r.Evidence, Evidence{Kind: evidenceCondition, Source: "PodScheduled=False", Text: oneLine(c.Message), At: timeOf(c.LastTransitionTime.Time)})
	}
	r.Evidence = append(r.Evidence, proves(b.lastEvent(pod.UID, nil, "NotTriggerScaleUp"), scaling)...)
	if r.Reason == corev1.PodReasonSchedulingGated {
		r.Message = "the pod is gated: " + r.Message
		r.Next = "whoever put spec.schedulingGates on the pod, such as a queueing controller, has to take them off"
		return r
	}
	if strings.Contains(strings.ToLower(c.Message), "persistentvolumeclaim") {
		if volume, ok := b.whyVolume(pod, r); ok {
			return volume
		}
	}
	a, known := b.ask(question{about: aboutNodes})
	r.pending = !known
	if !known || a.err != nil {
		return r
	}
	n := sortNodes(pod.Spec, a.nodes, false)
	if n.total == 0 {
		r.Message, r.Next = "the cluster has no nodes", "add a node; an autoscaler may be about to do so"
		return r
	}
	n.short(c.Message)
	r.Message = fmt.Sprintf("no node takes the pod; %s: %s", count(n.total, "node"), n.String())
	r.Next = n.next(pod.Spec)
	// Where no node could ever match, only new nodes would help, and nobody is known to bring them.
	r.Terminal = n.elsewhere == n.total && scaling == nil
	return r
}

// whyNowhere is for a DaemonSet without a node to run on.
func (b *board) whyNowhere(live *unstructured.Unstructured) Reason {
	r := waitingFor(ident(live), "it runs nowhere: no node matches it", "see `kubectl describe "+target(live)+"`")
	a, known := b.ask(question{about: aboutNodes})
	if r.pending = !known; !known || a.err != nil || len(a.nodes) == 0 {
		return r
	}
	spec, err := podSpec(live)
	if err != nil {
		return r
	}
	n := sortNodes(spec, a.nodes, true)
	r.Reason = "NoMatchingNode"
	r.Message = fmt.Sprintf("no node matches; %s: %s", count(n.total, "node"), n.String())
	r.Evidence = []Evidence{{Kind: evidenceStatus, Source: "desiredNumberScheduled", Text: "0"}}
	r.Next = n.next(spec)
	r.Terminal = n.elsewhere == n.total
	return r
}

func podSpec(workload *unstructured.Unstructured) (corev1.PodSpec, error) {
	raw, _, _ := unstructured.NestedMap(workload.Object, "spec", "template", "spec")
	spec, err := typed[corev1.PodSpec](&unstructured.Unstructured{Object: raw})
	return *spec, err
}

// sorted are nodes by what keeps a pod off them, each counted once.
type sorted struct {
	total     int
	elsewhere int            // ruled out by the pod's own selector and affinity
	reasons   map[string]int // in plain words
	taints    []string
	free      int // that nothing seen here rules out
}

func (s *sorted) add(reason string) { s.reasons[reason]++ }

// String is such as "2 not ready (network plugin not ready), 1 tainted
// dedicated=batch:NoSchedule": what concerns most nodes first.
func (s *sorted) String() string {
	var parts []string
	order := slices.SortedFunc(maps.Keys(s.reasons), func(a, b string) int {
		return cmp.Or(cmp.Compare(s.reasons[b], s.reasons[a]), strings.Compare(a, b))
	})
	for _, reason := range order {
		parts = append(parts, fmt.Sprintf("%d %s", s.reasons[reason], reason))
	}
	if s.free > 0 {
		parts = append(parts, fmt.Sprintf("%d ready to take pods", s.free))
	}
	return strings.Join(parts, ", ")
}

// sortNodes sorts nodes by what keeps a pod off them. A DaemonSet's pods also
// go where nodes are not ready or cordoned.
func sortNodes(spec corev1.PodSpec, nodes []*corev1.Node, daemon bool) *sorted {
	s := &sorted{total: len(nodes), reasons: map[string]int{}}
	required := nodeaffinity.NewRequiredNodeAffinity(spec.NodeSelector, spec.Affinity)
	for _, n := range nodes {
		taint := untolerated(n, spec.Tolerations)
		why := notReady(n)
		if fits, err := required.Match(n); err == nil && !fits {
			s.elsewhere++
			s.add("without " + wanted(spec))
			continue
		}
		switch {
		case !daemon && why != "":
			s.add(why)
		case !daemon && n.Spec.Unschedulable:
			s.add("cordoned")
		case taint != "":
			s.add("tainted " + taint)
			s.taints = append(s.taints, taint)
		default:
			s.free++
		}
	}
	return s
}

// wanted is what a pod wants of its node.
func wanted(spec corev1.PodSpec) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(spec.NodeSelector)) {
		parts = append(parts, key+"="+spec.NodeSelector[key])
	}
	if a := spec.Affinity; a != nil && a.NodeAffinity != nil && a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution != nil {
		for _, term := range a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms {
			for _, e := range term.MatchExpressions {
				parts = append(parts, strings.TrimSpace(fmt.Sprintf("%s %s %s", e.Key, e.Operator, strings.Join(e.Values, "|"))))
			}
		}
	}
	if len(parts) == 0 {
		return "what the pod's node affinity wants"
	}
	return "the label " + strings.Join(parts, ", ")
}

// notReady is why a node is not ready, in plain words, or "".
func notReady(n *corev1.Node) string {
	for _, c := range n.Status.Conditions {
		if c.Type != corev1.NodeReady || c.Status == corev1.ConditionTrue {
			continue
		}
		switch {
		case c.Status == corev1.ConditionUnknown:
			return "not ready (its kubelet has stopped reporting)"
		case strings.Contains(c.Message, "NetworkPluginNotReady"), strings.Contains(c.Message, "cni plugin not initialized"):
			return "not ready (network plugin not ready)"
		case strings.Contains(c.Message, "container runtime"):
			return "not ready (container runtime down)"
		}
		return "not ready (" + orElse(shortened(c.Message, 80), c.Reason) + ")"
	}
	return ""
}

func shortened(s string, most int) string {
	s = oneLine(s)
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "..."
	}
	return s
}

// untolerated is the first taint that keeps a pod off a node, or "". Those that
// stand for a node's condition are told by the condition.
func untolerated(n *corev1.Node, tolerations []corev1.Toleration) string {
	for _, taint := range n.Spec.Taints {
		if taint.Effect == corev1.TaintEffectPreferNoSchedule || slices.Contains([]string{corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable, corev1.TaintNodeUnschedulable}, taint.Key) {
			continue
		}
		if !slices.ContainsFunc(tolerations, func(t corev1.Toleration) bool { return t.ToleratesTaint(klog.Background(), &taint, true) }) {
			return taint.ToString()
		}
	}
	return ""
}

var tooLittle = regexp.MustCompile(`(\d+) ((?:Insufficient|Too many) [^,.]+|node\(s\) didn't (?:match|satisfy|have) [^,.]+)`)

// short takes from the scheduler's message what nodes lack that nothing else rules out.
func (s *sorted) short(message string) {
	if s.free == 0 {
		return
	}
	for _, m := range tooLittle.FindAllStringSubmatch(message, -1) {
		if strings.Contains(m[2], "node affinity/selector") {
			continue
		}
		n, _ := strconv.Atoi(m[1]) // digits
		s.reasons["with "+strings.ToLower(strings.TrimPrefix(m[2], "node(s) "))] = n
		s.free = max(0, s.free-n)
	}
}

// next is what an operator does about it.
func (s *sorted) next(spec corev1.PodSpec) string {
	all := s.String()
	switch {
	case s.elsewhere == s.total:
		return "label nodes for it (`kubectl label node NAME " + firstLabel(spec) + "`), add such nodes, or change nodeSelector and affinity in the values"
	case strings.Contains(all, "not ready"):
		return "see why the nodes are not ready: `kubectl describe nodes`; it goes on by itself when one is"
	case strings.Contains(all, "insufficient"), strings.Contains(all, "too many"):
		return "add a node, or lower the requests in the values (components.NAME.k8s.resources)"
	case len(s.taints) > 0:
		return "let the pods tolerate " + s.taints[0] + " (components.NAME.k8s.tolerations), or take the taint off: `kubectl taint node NAME " + s.taints[0] + "-`"
	case strings.Contains(all, "cordoned"):
		return "take nodes back into service: `kubectl uncordon NAME`"
	}
	return "see `kubectl get nodes` and `kubectl describe nodes`"
}

func firstLabel(spec corev1.PodSpec) string {
	for _, key := range slices.Sorted(maps.Keys(spec.NodeSelector)) {
		return key + "=" + spec.NodeSelector[key]
	}
	return "KEY=VALUE"
}
