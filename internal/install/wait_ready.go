package install

import (
	"slices"
	"strings"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// ready is what can be said of one object.
type ready struct {
	ready bool
	// text says how far it is, such as "Ready: 0/1".
	text string
	// note is what is worth knowing of a ready object.
	note string
}

// readiness is computed from the live object alone; nil is not seen yet.
func readiness(obj *unstructured.Unstructured) ready {
	if obj == nil {
		return ready{text: "not seen yet"}
	}
	if !waitedFor(obj) {
		return ready{ready: true}
	}
	res, err := status.Compute(obj)
	if err != nil {
		return ready{text: "its status makes no sense: " + err.Error()}
	}
	if res.Status != status.CurrentStatus {
		if strings.Contains(res.Message, "observedGeneration not found") {
			return ready{text: "no controller has looked at it yet"}
		}
		return ready{text: orElse(res.Message, string(res.Status))}
	}
	st := ready{ready: true}
	if runsNowhere(obj) {
		st.note = ident(obj) + " runs nowhere: no node matches it"
	}
	return st
}

// runsNowhere says whether a DaemonSet has no node to run on. To Kubernetes it
// is ready then; to its installer it is not, as long as there are nodes.
func runsNowhere(obj *unstructured.Unstructured) bool {
	if obj == nil || obj.GetKind() != "DaemonSet" {
		return false
	}
	n, found, _ := unstructured.NestedInt64(obj.Object, "status", "desiredNumberScheduled")
	seen, _, _ := unstructured.NestedInt64(obj.Object, "status", "observedGeneration")
	return found && n == 0 && seen == obj.GetGeneration()
}

// waitedFor says whether there is something to wait for. A Service is not: a
// load balancer's address may never come, and nothing in a mesh needs it to start.
func waitedFor(obj *unstructured.Unstructured) bool {
	if isWorkload(obj) {
		return true
	}
	return slices.Contains([]string{"CustomResourceDefinition", "Namespace", "Job", "Pod", "PersistentVolumeClaim"}, obj.GetKind())
}
