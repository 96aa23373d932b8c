// Package status judges the sync states of a mesh's proxies: who is out of
// step with the control plane, who is not connected to it and should be, and why.
package status

import (
	"cmp"
	"slices"
	"time"

	"github.com/meshctl/meshctl/internal/mesh"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

// Mesh is what was read of a mesh.
type Mesh struct {
	// Time is when, by this machine's clock.
	Time    time.Time
	Istiods []proxyconfig.IstiodSync
	Proxies []proxyconfig.ProxySync
	// Clusters are those of which the pods were read, or were to be.
	Clusters []Cluster
}

// Cluster is what was read of a cluster besides its istiods' answers.
type Cluster struct {
	// Name is the kubeconfig context.
	Name string
	// Error is why nothing could be read of it, Hint what to do about it.
	Error, Hint string
	// View has its pods, namespaces and injectors; nil when they were not asked for.
	View *mesh.Snapshot
	// Skipped are the kinds that could not be read.
	Skipped []mesh.Skip
}

// Wish is what the report is to be about.
type Wish struct {
	// Namespace and Revision narrow it; "" is all. Revision is no tag.
	Namespace, Revision string
	// Only are the problems in question, and [InStep]; none is all.
	Only []Problem
	// All shows in tables what has no problem, too.
	All bool
	// NoPods says that the clusters are not known: what needs their pods is not
	// asked for.
	NoPods bool
	// StaleAfter is how long an answer may take, and a new pod's proxy to connect.
	StaleAfter time.Duration
}

// wants says whether the report is about a problem.
func (w *Wish) wants(p Problem) bool {
	if w.NoPods && (p == NotConnected || p == NotInjected || p == NoPod) {
		return false
	}
	return len(w.Only) == 0 || slices.Contains(w.Only, p)
}

// AsksPods says whether the answer needs the clusters' pods.
func (w *Wish) AsksPods() bool {
	return slices.ContainsFunc([]Problem{NotConnected, NotInjected, Old, NoPod}, w.wants)
}

// Report is the result of proxy-status.
type Report struct {
	Time time.Time `json:"time"`
	// InSync is false when something asked for is out of step.
	InSync bool `json:"inSync"`
	// Complete is false when an istiod or a cluster did not answer, or what may
	// not be read leaves something undecided.
	Complete          bool    `json:"complete"`
	StaleAfterSeconds float64 `json:"staleAfterSeconds"`
	Summary           Summary `json:"summary"`
	// Clusters are the clusters that were read, or were to be.
	Clusters []ClusterState           `json:"clusters"`
	Istiods  []proxyconfig.IstiodSync `json:"istiods"`
	// Problems are the gravest first.
	Problems []Finding `json:"problems"`
	// Undecided is what could not be looked at.
	Undecided []Undecided `json:"undecided"`
	// Proxies has those with problems first.
	Proxies []proxyconfig.ProxySync `json:"proxies"`

	wish Wish
	// ambiguous says that clusters of several contexts have the same ID.
	ambiguous bool
	// troubled are the proxies, by name.namespace, whose state is reported.
	troubled map[string]bool
}

// Summary counts.
type Summary struct {
	// Proxies are the connected ones, InStep those of them that are neither stale
	// nor refused anything, and InFlight those of these that have yet to answer.
	Proxies  int `json:"proxies"`
	InStep   int `json:"inStep"`
	InFlight int `json:"inFlight"`
	// Starting are pods whose proxies have had no time yet to connect.
	Starting int `json:"starting"`
	// Kinds are those in step by kind: sidecar, router, waypoint, ztunnel.
	Kinds map[string]int `json:"kinds"`
	// Problems has every problem asked for, by the number of proxies or pods.
	Problems map[Problem]int `json:"problems"`
}

// ClusterState is whether a cluster could be read.
type ClusterState struct {
	// Context is the kubeconfig context.
	Context string `json:"context"`
	Read    bool   `json:"read"`
	Error   string `json:"error,omitempty"`
	Hint    string `json:"hint,omitempty"`
}

// Undecided is what is not known, and why.
type Undecided struct {
	// Problems are those that could be there unseen.
	Problems []Problem `json:"problems"`
	Context  string    `json:"context,omitempty"`
	Reason   string    `json:"reason"`
}

// New judges what was read of a mesh.
func New(m *Mesh, wish Wish) *Report {
	r := &Report{
		Time: m.Time.UTC(), Complete: true, StaleAfterSeconds: wish.StaleAfter.Seconds(), wish: wish,
		Clusters: []ClusterState{}, Istiods: append([]proxyconfig.IstiodSync{}, m.Istiods...),
		Problems: []Finding{}, Undecided: []Undecided{}, Proxies: []proxyconfig.ProxySync{},
	}
	for _, c := range m.Clusters {
		r.Clusters = append(r.Clusters, ClusterState{Context: c.Name, Read: c.Error == "", Error: c.Error, Hint: c.Hint})
		r.Complete = r.Complete && c.Error == ""
	}
	for _, i := range m.Istiods {
		r.Complete = r.Complete && i.Error == ""
	}
	for _, p := range m.Proxies {
		if wish.Namespace == "" || p.Namespace == wish.Namespace {
			p.Types = inFlight(&p, m.Time, wish.StaleAfter)
			r.Proxies = append(r.Proxies, p)
		}
	}
	j := newJoin(m, r)
	r.ambiguous = j.ambiguous
	if wish.AsksPods() {
		j.run()
	}
	r.outOfStep(j)
	r.finish()
	return r
}

// inFlight are the types of a proxy, with what was sent a moment ago marked.
func inFlight(p *proxyconfig.ProxySync, now time.Time, staleAfter time.Duration) []proxyconfig.TypeSync {
	types := p.Types
	for i, t := range types {
		age, known := p.Age(t, now)
		flying := t.State == proxyconfig.Stale && known && age < staleAfter
		if flying == t.InFlight {
			continue
		}
		if &types[0] == &p.Types[0] {
			types = slices.Clone(types) // the mesh may be judged again
		}
		types[i].InFlight = flying
	}
	return types
}

// finish counts, narrows to what was asked for, and sorts.
func (r *Report) finish() {
	r.Summary = Summary{Proxies: len(r.Proxies), Starting: r.Summary.Starting, Kinds: map[string]int{}, Problems: map[Problem]int{}}
	for _, p := range Problems() {
		if r.wish.wants(p) {
			r.Summary.Problems[p] = 0
		}
	}
	for i := range r.Proxies {
		p := &r.Proxies[i]
		if p.Worst() != proxyconfig.Synced {
			continue
		}
		r.Summary.InStep++
		r.Summary.Kinds[p.Kind]++
		if slices.ContainsFunc(p.Types, func(t proxyconfig.TypeSync) bool { return t.InFlight }) {
			r.Summary.InFlight++
		}
	}
	r.Problems = slices.DeleteFunc(r.Problems, func(f Finding) bool { return !r.wish.wants(f.Problem) })
	r.InSync, r.troubled = true, map[string]bool{}
	asked := map[string]bool{}
	for _, f := range r.Problems {
		r.Summary.Problems[f.Problem]++
		asked[f.id()] = true
		if f.Problem == Rejected || f.Problem == Stale {
			r.troubled[f.id()] = true
		}
		if r.counts(f.Problem) {
			r.InSync = false
		}
	}
	if len(r.wish.Only) > 0 {
		r.Proxies = slices.DeleteFunc(r.Proxies, func(p proxyconfig.ProxySync) bool {
			return !asked[p.ID()] && (p.Worst() != proxyconfig.Synced || !r.wish.wants(InStep))
		})
	}
	if len(r.Undecided) > 0 {
		r.Complete = false
	}
	slices.SortStableFunc(r.Problems, Finding.compare)
	order := map[proxyconfig.SyncState]int{proxyconfig.Rejected: 0, proxyconfig.Stale: 1, proxyconfig.Synced: 2}
	slices.SortStableFunc(r.Proxies, func(a, b proxyconfig.ProxySync) int {
		return cmp.Or(order[a.Worst()]-order[b.Worst()], cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name),
			cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Istiod, b.Istiod))
	})
}

// Unsure says whether the istiods should be asked once more: a proxy that moves
// from one to another can be missing in both answers.
func (r *Report) Unsure() bool {
	return slices.ContainsFunc(r.Problems, func(f Finding) bool { return f.unsure })
}

// Keep leaves one proxy or pod, by its name and namespace.
func (r *Report) Keep(name, namespace string) {
	r.Proxies = slices.DeleteFunc(r.Proxies, func(p proxyconfig.ProxySync) bool { return p.Name != name || p.Namespace != namespace })
	r.Problems = slices.DeleteFunc(r.Problems, func(f Finding) bool { return f.Name != name || f.Namespace != namespace })
	r.wish.All = true
	r.finish()
}
