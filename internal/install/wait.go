package install

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// waitWave waits until every object of a wave is ready.
func (p *Plan) waitWave(ctx context.Context, c Reader, wave int, o PlanOptions, r *Report) error {
	var open []*Step
	for _, s := range p.Steps {
		if s.wave != wave {
			continue
		}
		if st := readiness(r.live(s)); st.ready && !runsNowhere(r.live(s)) {
			r.update(s, func(x *stepState) { x.ready, x.note = true, st.note })
			continue
		}
		open = append(open, s)
	}
	if len(open) == 0 {
		return nil
	}
	return newWaiter(open, r, o).wait(ctx, c)
}

// waiter follows what it waits for, and what says why it has to.
type waiter struct {
	steps    []*Step
	report   *Report
	progress Progress
	board    *board
	patience patience
	// reasons are the latest of every step that is not ready.
	reasons map[*Step][]Reason
	teller  teller
}

func newWaiter(steps []*Step, r *Report, o PlanOptions) *waiter {
	b := newBoard()
	return &waiter{steps: steps, report: r, progress: o.Progress, board: b, reasons: map[*Step][]Reason{},
		patience: patience{endless: o.KeepWaiting, grace: o.Grace, now: b.now}, teller: newTeller(o.Progress, b.now)}
}

// tick is how often a waiter looks though nothing has changed: some causes are
// that nothing changes.
const tick = time.Second

// wait returns nil when all steps are ready, and otherwise an error that names
// the reasons of those that are not. Nothing outlives it.
func (w *waiter) wait(ctx context.Context, c Reader) error {
	inner, stop := context.WithCancel(ctx)
	// What is asked about causes is also wanted when ctx has ended.
	asking, stopAsking := context.WithCancel(context.WithoutCancel(ctx))
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	defer stopAsking()
	broken := make(chan error, 1)
	group.Go(func() { w.board.answerAll(asking, c) })
	if l, ok := c.(Linked); ok {
		group.Go(func() { l.Link(inner, w.board.link) })
	}
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
	again := time.NewTicker(tick)
	defer again.Stop()
	for {
		open := w.look()
		if len(open) == 0 {
			return nil
		}
		if w.patience.over() {
			return w.explain(ErrGivenUp, open)
		}
		select {
		case <-w.board.changed:
		case <-again.C:
		case err := <-broken:
			return err
		case <-ctx.Done():
			return w.overdue(ctx)
		}
	}
}

// Linked is a cluster that can tell when it does not answer.
type Linked interface {
	// Link calls told with an error when the API server cannot be reached, and
	// with nil when it can again, until ctx ends.
	Link(ctx context.Context, told func(error))
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
	outage, _ := w.board.unreachable()
	w.teller.link(outage)
	var open []*Step
	components := map[string][]*Step{}
	var causes []told
	for _, s := range w.steps {
		if note, ready := w.ready(s); ready {
			delete(w.reasons, s)
			w.report.update(s, func(x *stepState) { x.ready, x.note = true, note })
			w.progress.tell(Event{Component: s.Component, Object: ident(s.Object), Phase: Ready})
			continue
		}
		w.reasons[s] = w.board.why(w.live(s), s.Object)
		open = append(open, s)
		components[s.Component] = append(components[s.Component], s)
		for _, r := range w.reasons[s] {
			if r.cause() {
				causes = append(causes, told{s.Component, r})
			}
		}
	}
	w.steps = open
	w.teller.causes(causes)
	for component, steps := range components {
		w.teller.standing(component, w.standing(steps))
	}
	causes = slices.DeleteFunc(causes, func(c told) bool {
		return outage != nil || !w.teller.hasTold(c) // what is seen is old, or not wholly known
	})
	w.teller.verdict(w.patience.judge(causes))
	return open
}

// ready says whether a step is, and what is worth knowing of it.
func (w *waiter) ready(s *Step) (note string, ready bool) {
	live := w.live(s)
	st := readiness(live)
	if !st.ready || !runsNowhere(live) {
		return st.note, st.ready
	}
	a, known := w.board.ask(question{about: aboutNodes})
	if !known {
		return "", false
	}
	spec, err := podSpec(live)
	if a.err != nil || err != nil || len(a.nodes) == 0 {
		return st.note, true // it may be as it should; nobody can say
	}
	n := sortNodes(spec, a.nodes, true)
	return st.note, n.free > 0
}

// standing is one sentence about what a component waits for: a cause if one is
// to be seen, else what is not ready.
func (w *waiter) standing(steps []*Step) Event {
	for _, s := range steps {
		if r := w.reasons[s][0]; r.cause() {
			return Event{Phase: Waiting, Object: r.where(), Text: r.what(), Cause: true}
		}
	}
	if first := steps[0]; len(steps) == 1 {
		return Event{Phase: Waiting, Object: ident(first.Object), Text: readiness(w.live(first)).text}
	}
	return Event{Phase: Waiting, Object: kindsOf(steps)}
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

// answersAtLast is how long the last answers may take once the deadline has passed.
const answersAtLast = 3 * time.Second

// overdue explains what is not ready when the deadline has passed.
func (w *waiter) overdue(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return w.explain(errInterrupted, w.look())
	}
	last := time.After(answersAtLast)
	for {
		open := w.look()
		if !w.board.answering() {
			return w.explain(ErrNotReady, open)
		}
		select {
		case <-w.board.changed:
		case <-last:
			return w.explain(ErrNotReady, open)
		}
	}
}

// explain is the error that shows a tree for each component that is not ready.
func (w *waiter) explain(err error, open []*Step) error {
	now := w.board.now()
	var names, lines []string
	for _, s := range open {
		w.report.update(s, func(x *stepState) { x.reasons = w.reasons[s] })
		if !slices.Contains(names, s.Component) {
			names = append(names, s.Component)
		}
	}
	for _, name := range names {
		var below []string
		for _, s := range open {
			if s.Component == name {
				below = append(below, tree(s.Object, readiness(w.live(s)).text, w.reasons[s], now)...)
			}
		}
		if len(names) > 1 {
			lines = append(lines, name)
			below = indented(below)
		}
		lines = append(lines, below...)
	}
	if outage, since := w.board.unreachable(); outage != nil {
		lines = append(lines, fmt.Sprintf("the API server has not answered for %s (what is above is what it said before): %s", age(now.Sub(since)), oneLine(outage.Error())))
	}
	lines = append(lines, w.board.blindness()...)
	return fmt.Errorf("waiting for %s: %w:\n%s", strings.Join(names, ", "), err, strings.Join(indented(lines), "\n"))
}
