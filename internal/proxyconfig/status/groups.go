package status

import (
	"fmt"
	"strings"

	"github.com/meshctl/meshctl/internal/output"
)

// mostRows is how many workloads with one problem have a row of their own; of
// more, those with the same cause share one.
const mostRows = 10

// group is what shares a row of the table of problems.
type group struct {
	Finding
	names, workloads, namespaces []string
	// seen are the workloads and namespaces.
	seen map[string]bool
}

// once appends a name the first time.
func (g *group) once(to *[]string, name string) {
	if !g.seen[name] {
		g.seen[name] = true
		*to = append(*to, name)
	}
}

// problems has a row per workload with a problem. What is stale or was refused
// is in the table of states, and why below it.
func (r *Report) problems() output.Table {
	t := output.Table{Columns: []string{"PROBLEM", "NAME", "CLUSTER", "AGE", "CAUSE"}, Tone: tone}
	for _, p := range Problems() {
		var of []Finding
		for _, f := range r.Problems {
			if f.Problem == p && p != Rejected && p != Stale {
				of = append(of, f)
			}
		}
		for _, g := range r.grouped(of) {
			cause := g.Cause
			if g.Hint != "" && (len(g.workloads) == 1 || g.Problem == NoPod) {
				cause += "; " + g.Hint
			}
			t.Rows = append(t.Rows, []string{p.title(), g.name(), r.cluster(g.Cluster, g.Context), age(g.AgeSeconds), cause})
		}
	}
	return t
}

// grouped puts together what has the same cause: pod by pod when all is to be
// shown, by workload, or where these are many altogether.
func (r *Report) grouped(of []Finding) []*group {
	if r.wish.All {
		return groupBy(of, func(f *Finding) string { return f.id() + f.Cluster + f.Context + f.Istiod })
	}
	groups := groupBy(of, func(f *Finding) string {
		return f.Namespace + "/" + f.Workload + f.Cluster + f.Context
	})
	if len(groups) > mostRows {
		groups = groupBy(of, func(f *Finding) string { return f.Cluster + f.Context })
	}
	return groups
}

func groupBy(of []Finding, key func(*Finding) string) []*group {
	index := map[string]*group{}
	var groups []*group
	for i := range of {
		f := &of[i]
		k := key(f) + "\x00" + f.Cause
		g := index[k]
		if g == nil {
			g = &group{Finding: *f, seen: map[string]bool{}}
			index[k] = g
			groups = append(groups, g)
		}
		g.names = append(g.names, f.id())
		g.AgeSeconds = max(g.AgeSeconds, f.AgeSeconds)
		if f.Workload != "" {
			g.once(&g.workloads, f.Workload+"."+f.Namespace)
		}
		g.once(&g.namespaces, f.Namespace)
	}
	return groups
}

// name is the pod, the workload with the number of its pods, or the number of
// pods and where they are.
func (g *group) name() string {
	switch {
	case len(g.names) == 1:
		return g.names[0]
	case g.Workload == "" && len(g.namespaces) == 1 && len(g.names) <= namedFew:
		return strings.Join(g.names, ", ")
	case len(g.workloads) == 1:
		return fmt.Sprintf("%s (%s)", g.workloads[0], count(len(g.names), "pod"))
	case len(g.workloads) > 0 && len(g.workloads) <= namedFew:
		return strings.Join(g.workloads, ", ")
	}
	what := "pod"
	if g.Workload == "" {
		what = "proxy"
	}
	return count(len(g.names), what) + " in " + someOf(g.namespaces, "namespace")
}
