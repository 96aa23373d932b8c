package proxyconfig

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/output"
)

// namedFew is how many things a sentence names before it only counts.
const namedFew = 3

// DocumentKind is the kind of the JSON and YAML document.
func (r *SyncReport) DocumentKind() string { return "ProxyStatus" }

// Tables is one row per proxy, and below it what the proxies refused and why.
func (r *SyncReport) Tables(wide bool) []output.Table {
	types := r.columns(wide)
	t := output.Table{
		Columns: slices.Concat([]string{"NAME", "CLUSTER"}, types, []string{"ISTIOD", "VERSION"}),
		Empty:   "No proxies are connected.",
		Tone:    syncTone,
		After:   r.refusals(),
	}
	if wide {
		t.Columns = append(t.Columns, "KIND")
	}
	for i := range r.Proxies {
		p := &r.Proxies[i]
		row := []string{p.ID(), orDash(p.Cluster)}
		for _, name := range types {
			row = append(row, r.cell(p, name))
		}
		row = append(row, p.Istiod, orDash(p.Version))
		if wide {
			row = append(row, orDash(p.Kind))
		}
		t.Rows = append(t.Rows, row)
	}
	return []output.Table{t}
}

// columns are the types shown: the five of every Envoy, those of ztunnel when
// one is connected, and any that has a problem; wide adds all others seen.
func (r *SyncReport) columns(wide bool) []string {
	types := tableTypes()
	for i := range r.Proxies {
		for _, t := range r.Proxies[i].Types {
			ambient := t.Type == "WDS" || t.Type == "WADS"
			if (wide || ambient || t.State.problem()) && !slices.Contains(types, t.Type) {
				types = append(types, t.Type)
			}
		}
	}
	slices.SortFunc(types, compareTypes)
	return types
}

func (r *SyncReport) cell(p *ProxySync, name string) string {
	t, ok := p.state(name)
	if !ok {
		return "-"
	}
	text := strings.ReplaceAll(string(t.State), "_", " ")
	if t.SentAt != nil && t.State != NotSent {
		text += " (" + age(r.now.Sub(*t.SentAt)) + ")"
	}
	return text
}

func syncTone(_ int, cell string) output.Tone {
	switch word, _, _ := strings.Cut(cell, " ("); SyncState(word) {
	case Rejected:
		return output.Bad
	case Stale:
		return output.Warn
	case Synced:
		return output.Good
	}
	if cell == "NOT SENT" || cell == "-" {
		return output.Faint
	}
	return output.Plain
}

// refusals are the errors that proxies answered with; one that many proxies
// share is told once.
func (r *SyncReport) refusals() []string {
	type refusal struct{ kind, text string }
	var order []refusal
	who := map[refusal][]string{}
	for i := range r.Proxies {
		for _, t := range r.Proxies[i].Types {
			if t.Error == "" {
				continue
			}
			k := refusal{t.Type, strings.Join(strings.Fields(t.Error), " ")}
			if who[k] == nil {
				order = append(order, k)
			}
			who[k] = append(who[k], r.Proxies[i].ID())
		}
	}
	var lines []string
	for _, k := range order {
		lines = append(lines, "", fmt.Sprintf("%s refused by %s:", k.kind, someOf(who[k], "proxies")), "  "+k.text)
	}
	return lines
}

// someOf names all of a few things, and some of many.
func someOf(names []string, things string) string {
	if len(names) <= namedFew+1 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more %s", strings.Join(names[:namedFew], ", "), len(names)-namedFew, things)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
