package install

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// Phase is where a component or an object is on its way.
type Phase string

// The phases, in the order in which they are passed.
const (
	Planning Phase = "planning"
	Applying Phase = "applying"
	Applied  Phase = "applied"
	Waiting  Phase = "waiting"
	GivingUp Phase = "giving up"
	Ready    Phase = "ready"
	Removing Phase = "removing"
	Gone     Phase = "gone"
	Failing  Phase = "failed"
)

// Event is news while work is under way. Without an Object it is about the
// whole component, without a Component about the whole run.
type Event struct {
	Component string
	Object    string
	Phase     Phase
	Text      string
	// Cause says that Text names what is wrong with Object, not just that it is slow.
	Cause bool
	// Detail is what proves a cause and what to do next, a line each.
	Detail []string
	// Standing says that the event is only for who shows how things stand:
	// every cause in it is, or will be, told by an event of its own.
	Standing bool
}

// Progress takes events; it is called from several goroutines and must not block for long.
type Progress func(Event)

func (p Progress) tell(e Event) {
	if p != nil {
		p(e)
	}
}

// ident names an object as people do: Kind namespace/name.
func ident(obj *unstructured.Unstructured) string {
	if ns := obj.GetNamespace(); ns != "" {
		return obj.GetKind() + " " + ns + "/" + obj.GetName()
	}
	return obj.GetKind() + " " + obj.GetName()
}
