package install

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/hint"
)

// waitWave waits until every object of a wave is ready.
func (p *Plan) waitWave(ctx context.Context, c Reader, wave int, o PlanOptions, r *Report) error {
	var open []*Step
	for _, s := range p.Steps {
		if s.wave != wave {
			continue
		}
		if st := readiness(r.live(s)); st.ready {
			r.update(s, func(x *stepState) { x.ready, x.note = true, st.note })
			continue
		}
		open = append(open, s)
	}
	if len(open) == 0 {
		return nil
	}
	w := &waiter{steps: open, report: r, progress: o.Progress, board: newBoard(), told: map[string]Event{}}
	return w.wait(ctx, c)
}

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
	if n, found, _ := unstructured.NestedInt64(obj.Object, "status", "desiredNumberScheduled"); found && n == 0 && obj.GetKind() == "DaemonSet" {
		st.note = ident(obj) + " runs nowhere: no node matches it"
	}
	return st
}

// waitedFor says whether there is something to wait for. A Service is not: a
// load balancer's address may never come, and nothing in a mesh needs it to start.
func waitedFor(obj *unstructured.Unstructured) bool {
	if isWorkload(obj) {
		return true
	}
	return slices.Contains([]string{"CustomResourceDefinition", "Namespace", "Job", "Pod", "PersistentVolumeClaim"}, obj.GetKind())
}

// waiter follows what it waits for, and what says why it has to.
type waiter struct {
	steps    []*Step
	report   *Report
	progress Progress
	board    *board
	told     map[string]Event
}

// wait returns nil when all steps are ready, and otherwise an error that names
// the reasons of those that are not. Nothing outlives it.
func (w *waiter) wait(ctx context.Context, c Reader) error {
	inner, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	broken := make(chan error, 1)
	for _, f := range w.follows() {
		group.Go(func() {
			err := c.Follow(inner, f.kind, f.namespace, w.board.see)
			if err == nil || inner.Err() != nil {
				return
			}
			if !f.needed { // without events or pods the reasons are poorer, no more
				w.board.blind(f.kind.Kind, err)
				return
			}
			select {
			case broken <- failure("watching", f.kind.Kind+"s", "watch", err):
			default:
			}
		})
	}
	for {
		open := w.look()
		if len(open) == 0 {
			return nil
		}
		select {
		case <-w.board.changed:
		case err := <-broken:
			return err
		case <-ctx.Done():
			return w.overdue(ctx, open)
		}
	}
}

// follow is one list of objects to keep an eye on.
type follow struct {
	kind      schema.GroupVersionKind
	namespace string
	needed    bool
}

// follows are the kinds of the steps and, where pods are waited for, what explains them.
func (w *waiter) follows() []follow {
	var all []follow
	add := func(f follow) {
		for _, have := range all {
			if have.kind == f.kind && have.namespace == f.namespace {
				return
			}
		}
		all = append(all, f)
	}
	for _, s := range w.steps {
		add(follow{s.Object.GroupVersionKind(), s.Object.GetNamespace(), true})
	}
	for _, s := range w.steps {
		if ns := s.Object.GetNamespace(); isWorkload(s.Object) {
			add(follow{schema.GroupVersionKind{Version: "v1", Kind: "Pod"}, ns, false})
			add(follow{schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "ReplicaSet"}, ns, false})
			add(follow{schema.GroupVersionKind{Version: "v1", Kind: "Event"}, ns, false})
		}
	}
	return all
}

// look notes who became ready, tells what is new, and returns who is not ready.
func (w *waiter) look() []*Step {
	var open []*Step
	components := map[string][]*Step{}
	for _, s := range w.steps {
		st := readiness(w.live(s))
		if !st.ready {
			open = append(open, s)
			components[s.Component] = append(components[s.Component], s)
			continue
		}
		w.report.update(s, func(x *stepState) { x.ready, x.note = true, st.note })
		w.progress.tell(Event{Component: s.Component, Object: ident(s.Object), Phase: Ready})
	}
	w.steps = open
	for component, steps := range components {
		e := w.standing(steps)
		if e.Component = component; w.told[component] != e {
			w.told[component] = e
			w.progress.tell(e)
		}
	}
	return open
}

// standing is one sentence about what a component waits for: a cause if one is
// to be seen, else what is not ready.
func (w *waiter) standing(steps []*Step) Event {
	for _, s := range steps {
		if reason := w.board.why(w.live(s), s.Object)[0]; reason.Reason != reasonWaiting {
			return Event{Phase: Waiting, Object: reason.Object, Text: reason.Reason + ": " + reason.Message, Cause: true}
		}
	}
	if first := steps[0]; len(steps) == 1 {
		return Event{Phase: Waiting, Object: ident(first.Object), Text: readiness(w.live(first)).text}
	}
	kinds := map[string]int{}
	for _, s := range steps {
		kinds[s.Object.GetKind()]++
	}
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		parts = append(parts, count(kinds[kind], kind))
	}
	return Event{Phase: Waiting, Object: strings.Join(parts, " and ")}
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// live is the latest that is known of a step's object, or nil.
func (w *waiter) live(s *Step) *unstructured.Unstructured {
	if live := w.board.get(s.Object); live != nil {
		return live
	}
	return w.report.live(s)
}

// overdue explains what is not ready when the deadline has passed.
func (w *waiter) overdue(ctx context.Context, open []*Step) error {
	var names, lines []string
	step := ""
	for _, s := range open {
		reasons := w.board.why(w.live(s), s.Object)
		w.report.update(s, func(x *stepState) { x.reasons = reasons })
		if !slices.Contains(names, s.Component) {
			names = append(names, s.Component)
		}
		lines = append(lines, "  "+ident(s.Object))
		for _, reason := range reasons {
			lines = append(lines, "    "+reason.under(s.Object))
			if step == "" {
				step = reason.Next
			}
		}
	}
	lines = append(lines, w.board.blindness()...)
	err := ErrNotReady
	if errors.Is(ctx.Err(), context.Canceled) {
		err = errInterrupted
	}
	return hint.Failf(step, "waiting for %s: %w:\n%s", strings.Join(names, ", "), err, strings.Join(lines, "\n"))
}
