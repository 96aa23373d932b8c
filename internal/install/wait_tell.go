package install

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// teller makes events of what a waiter sees, each piece of news once.
type teller struct {
	progress  Progress
	now       func() time.Time
	seen      map[string]time.Time // causes that still wait for an answer
	told      map[string]bool      // causes told in full
	standings map[string]Event
	down      bool
}

func newTeller(p Progress, now func() time.Time) teller {
	return teller{progress: p, now: now, seen: map[string]time.Time{}, told: map[string]bool{}, standings: map[string]Event{}}
}

// worthWaiting is how long a cause is held back for what is being asked about it.
const worthWaiting = 2 * time.Second

// causes tells each cause once in full, with what proves it.
func (t *teller) causes(all []told) {
	for _, c := range all {
		key := c.component + c.reason.key()
		if t.told[key] {
			continue
		}
		if _, waiting := t.seen[key]; !waiting {
			t.seen[key] = t.now()
		}
		if c.reason.pending && t.now().Sub(t.seen[key]) < worthWaiting {
			continue
		}
		t.told[key] = true
		t.progress.tell(Event{Component: c.component, Object: c.reason.where(), Phase: Waiting, Text: c.reason.what(), Cause: true, Detail: c.reason.proof(t.now())})
	}
}

func (t *teller) hasTold(c told) bool { return t.told[c.component+c.reason.key()] }

// standing tells how a component stands when that has changed; it is for the
// live line, as causes are told in full besides.
func (t *teller) standing(component string, e Event) {
	e.Component, e.Standing = component, true
	last := t.standings[component]
	if last.Object == e.Object && last.Text == e.Text && last.Cause == e.Cause {
		return
	}
	t.standings[component] = e
	t.progress.tell(e)
}

func (t *teller) verdict(news []verdict) {
	for _, v := range news {
		t.progress.tell(Event{Component: v.component, Object: v.reason.where(), Phase: GivingUp, Text: v.String()})
	}
}

// link tells when the API server stops to answer, and when it does again.
func (t *teller) link(outage error) {
	switch {
	case outage != nil && !t.down:
		t.progress.tell(Event{Phase: Waiting, Text: "the API server does not answer, trying again: " + oneLine(outage.Error()), Cause: true})
	case outage == nil && t.down:
		t.progress.tell(Event{Phase: Waiting, Text: "the API server answers again"})
	}
	t.down = outage != nil
}

// kindsOf counts steps by kind, such as "2 Deployments and 1 DaemonSet".
func kindsOf(steps []*Step) string {
	kinds := map[string]int{}
	for _, s := range steps {
		kinds[s.Object.GetKind()]++
	}
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		parts = append(parts, count(kinds[kind], kind))
	}
	return strings.Join(parts, " and ")
}
