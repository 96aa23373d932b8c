package diff

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/output"
)

// Candidate is a pod of one of two revisions.
type Candidate struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	// Workload is what runs it, such as deployment/frontend.
	Workload string            `json:"workload"`
	Account  string            `json:"-"`
	Labels   map[string]string `json:"-"`
	// Open opens its configuration.
	Side Side `json:"-"`
}

// Pair are two pods that do the same work under two revisions.
type Pair struct {
	Namespace string `json:"namespace"`
	Workload  string `json:"workload"`
	Old       string `json:"old"`
	New       string `json:"new"`
	Same      bool   `json:"same"`
	// Sections count the elements that differ; empty when Error says why they
	// could not be compared.
	Sections []Section `json:"sections"`
	Error    string    `json:"error,omitempty"`

	a, b   Side
	report *Report
}

// Unpaired is a workload that runs under one revision only.
type Unpaired struct {
	Namespace string `json:"namespace"`
	Workload  string `json:"workload"`
	Revision  string `json:"revision"`
}

// Common is a difference that several pairs have.
type Common struct {
	Section string `json:"section"`
	Text    string `json:"text"`
	Pairs   int    `json:"pairs"`
	action  Action
}

// Revisions is how the proxies of two revisions differ, workload by workload.
type Revisions struct {
	Old string `json:"old"`
	New string `json:"new"`
	// Same says that no pair differs, Complete that all could be compared.
	Same       bool         `json:"same"`
	Complete   bool         `json:"complete"`
	Normalised []Normalised `json:"normalised"`
	Pairs      []*Pair      `json:"pairs"`
	Unpaired   []Unpaired   `json:"unpaired"`
	// Common are the differences that more than one pair has, most frequent first.
	Common []Common `json:"common"`
}

// PairUp pairs the workloads of two revisions: one pod of each. Workloads are
// the same by namespace and name, else by namespace, account and labels.
func PairUp(old, new string, olds, news []Candidate) *Revisions {
	r := &Revisions{Old: old, New: new, Same: true, Complete: true, Normalised: []Normalised{}, Pairs: []*Pair{}, Unpaired: []Unpaired{}, Common: []Common{}}
	a, b := workloads(olds), workloads(news)
	for _, same := range []func(Candidate) string{
		func(c Candidate) string { return c.Namespace + "/" + c.Workload },
		func(c Candidate) string { return c.Namespace + "/" + c.Account + "/" + labelsOf(c.Labels, true) },
		func(c Candidate) string { return c.Namespace + "/" + c.Account + "/" + labelsOf(c.Labels, false) },
	} {
		a, b = r.pair(a, b, same)
	}
	for _, left := range []struct {
		revision string
		all      []Candidate
	}{{old, a}, {new, b}} {
		for _, c := range left.all {
			r.Unpaired = append(r.Unpaired, Unpaired{c.Namespace, c.Workload, left.revision})
		}
	}
	slices.SortFunc(r.Pairs, func(a, b *Pair) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Workload, b.Workload))
	})
	return r
}

// workloads are one pod of each workload, in order.
func workloads(all []Candidate) []Candidate {
	seen := map[string]bool{}
	var out []Candidate
	for _, c := range all {
		if key := c.Namespace + "/" + c.Workload; !seen[key] {
			seen[key] = true
			out = append(out, c)
		}
	}
	return out
}

// pair pairs those that only one of each side has the key of, and returns the others.
func (r *Revisions) pair(a, b []Candidate, key func(Candidate) string) (leftA, leftB []Candidate) {
	as, bs := map[string][]Candidate{}, map[string][]Candidate{}
	for _, c := range a {
		as[key(c)] = append(as[key(c)], c)
	}
	for _, c := range b {
		bs[key(c)] = append(bs[key(c)], c)
	}
	for _, c := range a {
		k := key(c)
		if len(as[k]) != 1 || len(bs[k]) != 1 {
			leftA = append(leftA, c)
			continue
		}
		other := bs[k][0]
		r.Pairs = append(r.Pairs, &Pair{Namespace: c.Namespace, Workload: c.Workload, Old: c.Name, New: other.Name, Sections: []Section{}, a: c.Side, b: other.Side})
	}
	for _, c := range b {
		if k := key(c); len(as[k]) != 1 || len(bs[k]) != 1 {
			leftB = append(leftB, c)
		}
	}
	return leftA, leftB
}

// labelsOf are the labels that say what a pod does; with version or without.
func labelsOf(labels map[string]string, version bool) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		if hashLabel(k) || k == "istio.io/rev" || !version && (k == "version" || k == "service.istio.io/canonical-revision" || k == "app.kubernetes.io/version") {
			continue
		}
		parts = append(parts, k+"="+labels[k])
	}
	return strings.Join(parts, ",")
}

// Compare compares a pair. It is safe for several pairs at once.
func (p *Pair) Compare(o Options) {
	o.Revisions = true
	report, err := Compare(p.a, p.b, o)
	if err != nil {
		p.Error = err.Error()
		return
	}
	p.report, p.Same, p.Sections = report, report.Same, report.Sections
}

// Finish sums up the pairs once all are compared.
func (r *Revisions) Finish() {
	counts := map[Common]int{}
	seen := map[string]bool{}
	for _, p := range r.Pairs {
		switch {
		case p.Error != "":
			r.Complete = false
			continue
		case !p.Same:
			r.Same = false
		}
		r.Complete = r.Complete && p.report.Complete
		for _, n := range p.report.Normalised {
			if !seen[n.What] {
				seen[n.What] = true
				r.Normalised = append(r.Normalised, n)
			}
		}
		own := map[Common]bool{}
		for _, o := range p.report.Owners {
			for _, c := range o.Changes {
				own[Common{Section: c.Section, Text: c.Text, action: c.Action}] = true
			}
		}
		for c := range own {
			counts[c]++
		}
	}
	for c, n := range counts {
		if c.Pairs = n; n > 1 {
			r.Common = append(r.Common, c)
		}
	}
	slices.SortFunc(r.Common, func(a, b Common) int {
		return cmp.Or(b.Pairs-a.Pairs, slices.Index(Sections(), a.Section)-slices.Index(Sections(), b.Section), strings.Compare(a.Text, b.Text), strings.Compare(string(a.action), string(b.action)))
	})
}

// DocumentKind is the kind of the JSON and YAML document.
func (*Revisions) DocumentKind() string { return "ProxyRevisionDiff" }

// mostCommon is how many common differences are told in a table.
const mostCommon = 10

// Tables are the pairs with how many elements differ, and what most have in common.
func (r *Revisions) Tables(wide bool) []output.Table {
	t := output.Table{Columns: []string{"NAMESPACE", "WORKLOAD", "STATE"}, Empty: fmt.Sprintf("No workload runs under both revisions, %s and %s.", r.Old, r.New)}
	var names []string
	for _, s := range Sections() {
		if slices.ContainsFunc(r.Pairs, func(p *Pair) bool {
			return slices.ContainsFunc(p.Sections, func(x Section) bool { return x.Name == s && x.A+x.B > 0 })
		}) {
			names = append(names, s)
			t.Columns = append(t.Columns, strings.ToUpper(s))
		}
	}
	if wide {
		t.Columns = append(t.Columns, strings.ToUpper(r.Old), strings.ToUpper(r.New))
	}
	totals, differ := make([]int, len(names)), 0
	for _, p := range r.Pairs {
		row := []string{p.Namespace, p.Workload, p.state()}
		if !p.Same && p.Error == "" {
			differ++
		}
		for i, name := range names {
			n := p.differing(name)
			totals[i] += n
			row = append(row, strconv.Itoa(n))
		}
		if wide {
			row = append(row, p.Old, p.New)
		}
		t.Rows = append(t.Rows, row)
	}
	if len(r.Pairs) > 1 {
		row := []string{"TOTAL", fmt.Sprintf("%d workloads", len(r.Pairs)), fmt.Sprintf("%d differ", differ)}
		for _, n := range totals {
			row = append(row, strconv.Itoa(n))
		}
		t.Rows = append(t.Rows, row)
	}
	t.After = r.after()
	return []output.Table{t}
}

func (p *Pair) state() string {
	switch {
	case p.Error != "":
		return "UNKNOWN"
	case p.Same:
		return "SAME"
	}
	return "DIFFERENT"
}

func (p *Pair) differing(section string) int {
	for _, s := range p.Sections {
		if s.Name == section {
			return s.Added + s.Removed + s.Changed
		}
	}
	return 0
}

// after are the lines below the table.
func (r *Revisions) after() []string {
	var lines []string
	for i, c := range r.Common {
		if i == 0 {
			lines = append(lines, "", "What several workloads have in common:")
		}
		if i == mostCommon {
			lines = append(lines, fmt.Sprintf("  and %d more (-o json has all)", len(r.Common)-i))
			break
		}
		mark := map[Action]string{Added: "+", Removed: "-"}[c.action]
		lines = append(lines, fmt.Sprintf("  %d of %d  %s: %s %s", c.Pairs, len(r.Pairs), c.Section, cmp.Or(mark, "~"), c.Text))
	}
	if len(r.Unpaired) > 0 {
		lines = append(lines, "")
	}
	for _, u := range r.Unpaired {
		lines = append(lines, fmt.Sprintf("Not compared: %s in %s runs under %s only.", u.Workload, u.Namespace, u.Revision))
	}
	for _, p := range r.Pairs {
		if p.Error != "" {
			lines = append(lines, fmt.Sprintf("Not compared: %s in %s: %s", p.Workload, p.Namespace, p.Error))
		}
	}
	if len(r.Normalised) > 0 {
		var what []string
		for _, n := range r.Normalised {
			what = append(what, n.What)
		}
		lines = append(lines, "", "Taken for equal: "+strings.Join(what, ", ")+" (--raw compares it).")
	}
	for _, p := range r.Pairs {
		if !p.Same && p.Error == "" {
			lines = append(lines, fmt.Sprintf("See one: meshctl proxy-config diff %s.%s %s.%s", p.Old, p.Namespace, p.New, p.Namespace))
			break
		}
	}
	return lines
}
