package install

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// State is how far a component came.
type State string

// The states of a component in a report.
const (
	StateReady      State = "Ready"
	StateNotReady   State = "NotReady"
	StateFailed     State = "Failed"
	StateNotStarted State = "NotStarted"
	StatePlanned    State = "Planned"
	// StateRemoved is that of a component of which nothing is wanted any more.
	StateRemoved State = "Removed"
)

// Report is the result of an install: what was done to each component, and
// where something is not as it should be, why.
type Report struct {
	Profile    string            `json:"profile,omitempty"`
	Revision   string            `json:"revision,omitempty"`
	Namespace  string            `json:"namespace,omitempty"`
	Version    string            `json:"version,omitempty"`
	Context    string            `json:"context,omitempty"`
	Server     string            `json:"server,omitempty"`
	DryRun     string            `json:"dryRun,omitempty"`
	Components []ComponentReport `json:"components"`
	// Left are objects that earlier installs brought, that this one has no use
	// for, and that are not deleted.
	Left []Left `json:"left"`

	planned bool // not carried out: what is counted is what would be done
	mu      sync.Mutex
	steps   map[*Step]*stepState
}

// ComponentReport is what was done to one component.
type ComponentReport struct {
	Name      string         `json:"name"`
	State     State          `json:"state"`
	Created   int            `json:"created"`
	Changed   int            `json:"changed"`
	Unchanged int            `json:"unchanged"`
	TakenOver int            `json:"takenOver"`
	Pruned    int            `json:"pruned"`
	Conflicts int            `json:"conflicts"`
	Objects   []ObjectReport `json:"objects"`
	// Reasons say why the component is not ready; empty when it is.
	Reasons []Reason `json:"reasons"`
	// Notes are what is worth knowing though nothing is wrong.
	Notes []string `json:"notes"`
}

// ObjectReport is what was done to one object.
type ObjectReport struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
	// Action is create, change, unchanged, take over, prune or conflict.
	Action Action `json:"action"`
	// Fields are what is changed, Conflicts what keeps it from being changed.
	Fields    []FieldChange `json:"fields"`
	Conflicts []Conflict    `json:"conflicts"`
	// From is the installer that an object is taken over from.
	From string `json:"from,omitempty"`
	// Done says whether the cluster has the object as planned.
	Done  bool   `json:"done"`
	Error string `json:"error,omitempty"`
}

type stepState struct {
	done    bool
	action  Action
	live    *unstructured.Unstructured
	err     error
	ready   bool
	reasons []Reason
	note    string
}

func newReport(p *Plan) *Report {
	r := &Report{Components: []ComponentReport{}, steps: map[*Step]*stepState{}}
	for _, s := range p.Steps {
		r.steps[s] = &stepState{action: s.Action}
	}
	return r
}

// Planned is the report of a plan that is not carried out.
func (p *Plan) Planned() *Report {
	r := newReport(p)
	r.planned = true
	r.finish(p)
	for i := range r.Components {
		r.Components[i].State = StatePlanned
	}
	return r
}

// Unchecked is the report of what was rendered, when no cluster was asked.
func Unchecked(m *Manifest) *Report {
	p := &Plan{}
	for _, c := range m.Components {
		p.Components = append(p.Components, c.Title())
		for _, obj := range c.Objects {
			p.add(c.Title(), c.Name, obj)
			p.Steps[len(p.Steps)-1].Action = Unknown
		}
	}
	return p.Planned()
}

func (r *Report) update(s *Step, change func(*stepState)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(r.steps[s])
}

func (r *Report) kept(s *Step) {
	r.update(s, func(x *stepState) { x.done, x.live = true, s.Live })
}

// applied notes what came back. What the API server left as it was counts as unchanged.
func (r *Report) applied(s *Step, got *unstructured.Unstructured) {
	r.update(s, func(x *stepState) {
		x.done, x.live = true, got
		if s.Action != TakeOver && s.Live != nil && s.Live.GetResourceVersion() == got.GetResourceVersion() {
			x.action = Keep
		}
	})
}

func (r *Report) failed(s *Step, err error) {
	r.update(s, func(x *stepState) { x.err = err })
}

func (r *Report) outcome(s *Step) Action {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.steps[s].action
}

func (r *Report) isDone(s *Step) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.steps[s].done
}

func (r *Report) live(s *Step) *unstructured.Unstructured {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.steps[s].live
}

// standing says what is in place and what is not: components that were not
// started by name, of the others the single objects.
func (r *Report) standing() string {
	done, total := 0, 0
	var missing, untouched []string
	for _, c := range r.Components {
		var open []string
		for _, o := range c.Objects {
			if o.Done {
				done++
			} else {
				open = append(open, o.Ident())
			}
		}
		total += len(c.Objects)
		if c.State == StateNotStarted {
			untouched = append(untouched, c.Name)
		} else {
			missing = append(missing, open...)
		}
	}
	text := fmt.Sprintf("in place: %d of %d objects", done, total)
	if len(missing) > 0 {
		text += "; missing: " + fewOf(missing, 10)
	}
	if len(untouched) > 0 {
		text += "; not started: " + strings.Join(untouched, ", ")
	}
	return text
}

// Ident names the object: Kind namespace/name.
func (o ObjectReport) Ident() string {
	obj := &unstructured.Unstructured{}
	obj.SetKind(o.Kind)
	obj.SetNamespace(o.Namespace)
	obj.SetName(o.Name)
	return ident(obj)
}

// finish sums the steps up by component.
func (r *Report) finish(p *Plan) {
	r.Components, r.Left = []ComponentReport{}, append([]Left{}, p.Left...)
	for _, name := range p.Components {
		c := ComponentReport{Name: name, Objects: []ObjectReport{}, Reasons: []Reason{}, Notes: []string{}}
		for _, s := range p.Steps {
			if s.Component == name {
				c.add(s, r.steps[s], r.planned)
			}
		}
		c.State = r.stateOf(name, p)
		r.Components = append(r.Components, c)
	}
}

func (c *ComponentReport) add(s *Step, x *stepState, planned bool) {
	o := ObjectReport{
		APIVersion: s.Object.GetAPIVersion(), Kind: s.Object.GetKind(), Namespace: s.Object.GetNamespace(), Name: s.Object.GetName(),
		Action: x.action, Done: x.done, Fields: append([]FieldChange{}, s.Fields...), Conflicts: append([]Conflict{}, s.Conflicts...),
	}
	if x.action == TakeOver {
		o.From = s.From
	}
	if x.err != nil {
		o.Error = x.err.Error()
	}
	c.Objects = append(c.Objects, o)
	switch {
	case !x.done && !planned: // neither, as far as we know
	case x.action == Create:
		c.Created++
	case x.action == Change:
		c.Changed++
	case x.action == Keep:
		c.Unchanged++
	case x.action == TakeOver:
		c.TakenOver++
	case x.action == Prune:
		c.Pruned++
	case x.action == Refused:
		c.Conflicts++
	}
	c.Reasons = append(c.Reasons, x.reasons...)
	if x.note != "" {
		c.Notes = append(c.Notes, x.note)
	}
}

func (r *Report) stateOf(component string, p *Plan) State {
	total, done, ready, pruned := 0, 0, 0, 0
	for _, s := range p.Steps {
		if s.Component != component {
			continue
		}
		x := r.steps[s]
		if x.err != nil {
			return StateFailed
		}
		total++
		if x.done {
			done++
		}
		if x.ready {
			ready++
		}
		if s.Action == Prune {
			pruned++
		}
	}
	switch {
	case ready == total && pruned == total:
		return StateRemoved
	case ready == total:
		return StateReady
	case done == 0:
		return StateNotStarted
	}
	return StateNotReady
}

func (c *ComponentReport) summary() string {
	n := len(c.Objects)
	switch n {
	case c.Unchanged:
		return count(n, "object") + " unchanged"
	case c.Created:
		return count(n, "object") + " created"
	case c.Pruned:
		return count(n, "object") + " pruned"
	}
	var parts []string
	for _, part := range []struct {
		n    int
		done string
	}{{c.Created, "created"}, {c.Changed, "changed"}, {c.TakenOver, "taken over"}, {c.Pruned, "pruned"}, {c.Unchanged, "unchanged"}} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.done))
		}
	}
	return count(n, "object") + ": " + strings.Join(parts, ", ")
}

// ErrNotReady is in the error of an install whose deadline passed before all was ready.
var ErrNotReady = errors.New("not ready before the deadline")
