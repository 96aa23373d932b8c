package status

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

// DocumentKind is the kind of the JSON and YAML document.
func (r *Report) DocumentKind() string { return "ProxyStatus" }

// Tables has the proxies out of step and what they refused, then the other
// problems, then the rest summed up.
func (r *Report) Tables(wide bool) []output.Table {
	var tables []output.Table
	if t := r.states(wide); len(t.Rows) > 0 {
		tables = append(tables, t)
	}
	if t := r.problems(); len(t.Rows) > 0 {
		tables = append(tables, t)
	}
	return append(tables, output.Table{After: r.summary()})
}

// states has one row per proxy: those out of step or, when all are wanted, all.
func (r *Report) states(wide bool) output.Table {
	types := r.columns(wide)
	t := output.Table{Columns: slices.Concat([]string{"NAME", "CLUSTER"}, types, []string{"ISTIOD", "VERSION"}), Tone: tone, After: append(r.refusals(), r.silences()...)}
	if wide {
		t.Columns = append(t.Columns, "KIND")
	}
	for i := range r.Proxies {
		p := &r.Proxies[i]
		if !r.shown(p) {
			continue
		}
		row := []string{p.ID(), r.cluster(p.Cluster, p.Context)}
		for _, name := range types {
			row = append(row, r.cell(p, name))
		}
		row = append(row, p.Istiod, orDash(p.Version))
		if wide {
			row = append(row, orDash(p.Kind))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// shown says whether a proxy has a row of its own.
func (r *Report) shown(p *proxyconfig.ProxySync) bool {
	switch {
	case r.wish.All:
		return true
	case p.Worst() == proxyconfig.Synced:
		return slices.Contains(r.wish.Only, InStep)
	}
	return r.troubled[p.ID()]
}

// columns are the types shown: the five of every Envoy, those of ztunnel when
// one is shown, and any that has a problem; wide adds all others seen.
func (r *Report) columns(wide bool) []string {
	types := proxyconfig.SyncTypes()
	for i := range r.Proxies {
		if !r.shown(&r.Proxies[i]) {
			continue
		}
		for _, t := range r.Proxies[i].Types {
			telling := wide || t.Type == "WDS" || t.Type == "WADS" || t.State == proxyconfig.Rejected || t.State == proxyconfig.Stale
			if telling && !slices.Contains(types, t.Type) {
				types = append(types, t.Type)
			}
		}
	}
	slices.SortFunc(types, proxyconfig.CompareSyncTypes)
	return types
}

// The state of a push that may be answered any moment, in tables.
const inFlightCell = "IN FLIGHT"

func (r *Report) cell(p *proxyconfig.ProxySync, name string) string {
	t, ok := p.Type(name)
	if !ok {
		return "-"
	}
	text := strings.ReplaceAll(string(t.State), "_", " ")
	if t.InFlight {
		text = inFlightCell
	}
	if age, known := p.Age(t, r.Time); known && t.State != proxyconfig.NotSent {
		text += " (" + duration.HumanDuration(age) + ")"
	}
	return text
}

func tone(_ int, cell string) output.Tone {
	switch word, _, _ := strings.Cut(cell, " ("); proxyconfig.SyncState(word) {
	case proxyconfig.Rejected, "NOT CONNECTED", "NOT INJECTED":
		return output.Bad
	case proxyconfig.Stale, "OLD", "NO POD":
		return output.Warn
	case proxyconfig.Synced:
		return output.Good
	case "NOT SENT", "-", inFlightCell:
		return output.Faint
	}
	return output.Plain
}

// refusals are the errors that proxies answered with; one that many proxies
// share is told once.
func (r *Report) refusals() []string {
	type refusal struct{ kind, text string }
	var order []refusal
	who := map[refusal][]string{}
	for i := range r.Proxies {
		if !r.shown(&r.Proxies[i]) {
			continue
		}
		for _, t := range r.Proxies[i].Types {
			if t.Error == "" {
				continue
			}
			k := refusal{t.Type, oneLine(t.Error)}
			if who[k] == nil {
				order = append(order, k)
			}
			who[k] = append(who[k], r.Proxies[i].ID())
		}
	}
	var lines []string
	for _, k := range order {
		lines = append(lines, "", fmt.Sprintf("%s refused by %s:", k.kind, someOf(who[k], "proxy")), "  "+k.text)
	}
	return lines
}

// silences say why proxies may not answer.
func (r *Report) silences() []string {
	var order []string
	who, next := map[string][]string{}, map[string]string{}
	for _, f := range r.Problems {
		if f.Problem != Stale {
			continue
		}
		if who[f.Cause] == nil {
			order, next[f.Cause] = append(order, f.Cause), f.Hint
		}
		who[f.Cause] = append(who[f.Cause], f.id())
	}
	var lines []string
	for _, cause := range order {
		lines = append(lines, "", "Stale: "+someOf(who[cause], "proxy")+":", "  "+cause)
		if next[cause] != "" {
			lines[len(lines)-1] += "; " + next[cause]
		}
	}
	return lines
}

// summary sums up what is in step.
func (r *Report) summary() []string {
	s := r.Summary
	if s.Proxies == 0 {
		return []string{"No proxies are connected."}
	}
	line := count(s.Proxies, "proxy") + " in step"
	if s.InStep < s.Proxies {
		line = fmt.Sprintf("%d of %s in step", s.InStep, count(s.Proxies, "proxy"))
	}
	var kinds, istiods []string
	for _, kind := range slices.Sorted(maps.Keys(s.Kinds)) {
		if kind != "" {
			kinds = append(kinds, count(s.Kinds[kind], kindName(kind)))
		}
	}
	for _, i := range r.Istiods {
		if i.Error == "" {
			istiods = append(istiods, fmt.Sprintf("%s (%d)", i.Name, i.Proxies))
		}
	}
	if len(kinds) > 0 {
		line += ": " + strings.Join(kinds, ", ")
	}
	if r.wish.Namespace == "" && len(istiods) > 0 {
		line += "; connected to " + strings.Join(istiods, ", ")
	}
	if s.InFlight > 0 {
		line += fmt.Sprintf("; %d with a push in flight", s.InFlight)
	}
	return []string{line}
}

// kindName is what people call a kind of proxy.
func kindName(kind string) string {
	if kind == "router" {
		return "gateway"
	}
	return kind
}

// cluster is a cluster's ID, with its context where several have that ID.
func (r *Report) cluster(id, context string) string {
	if r.ambiguous && context != id {
		return orDash(id) + " (" + context + ")"
	}
	return orDash(id)
}

// namedFew is how many things a sentence names before it only counts.
const namedFew = 3

// someOf names all of a few things, and some of many.
func someOf(names []string, what string) string {
	if len(names) <= namedFew+1 {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:namedFew], ", ") + " and " + strings.Replace(count(len(names)-namedFew, what), " ", " more ", 1)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func age(seconds int64) string {
	if seconds == 0 {
		return "-"
	}
	return duration.HumanDuration(time.Duration(seconds) * time.Second)
}
