package upgrade

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/output"
)

// How much the text shows; JSON and YAML show all.
const (
	hitsShown     = 6
	commandsShown = 8
	width         = 100
)

// DocumentKind is the kind of the plan's JSON and YAML.
func (p *Plan) DocumentKind() string { return "UpgradePlan" }

// Tables is the plan with one row per object concerned.
func (p *Plan) Tables(bool) []output.Table {
	t := output.Table{Columns: []string{"SEVERITY", "SINCE", "ID", "OBJECT", "PATH", "MESSAGE"}, Empty: "nothing to do"}
	for _, f := range p.Findings {
		hits := f.Hits
		if len(hits) == 0 {
			hits = []Hit{{}}
		}
		for _, h := range hits {
			t.Rows = append(t.Rows, []string{string(f.Severity), f.Since, f.ID, h.where(), h.Path, cmp.Or(h.Message, f.Title)})
		}
	}
	return []output.Table{t}
}

// Text is the plan for people: what runs, what has to be done, the steps.
func (p *Plan) Text(paint func(output.Tone, string) string) []string {
	w := &writer{paint: paint}
	w.head(p)
	for _, f := range p.Findings {
		if f.Severity != Note {
			w.finding(f)
		}
	}
	w.notes(p.Findings)
	w.undecided(p.Undecided)
	w.steps(p.Steps)
	return w.lines
}

// writer collects lines.
type writer struct {
	paint func(output.Tone, string) string
	lines []string
}

func (w *writer) line(format string, args ...any) {
	w.lines = append(w.lines, fmt.Sprintf(format, args...))
}

// wrapped writes a paragraph behind a first indent, further lines below it.
func (w *writer) wrapped(indent, text string) {
	line := indent
	for _, word := range strings.Fields(text) {
		if len(line) > len(indent) && len(line)+1+len(word) > width {
			w.line("%s", line)
			line, indent = strings.Repeat(" ", len(indent)), strings.Repeat(" ", len(indent))
		}
		if len(line) > len(indent) {
			line += " "
		}
		line += word
	}
	w.line("%s", line)
}

func (w *writer) head(p *Plan) {
	w.line("Istio %s -> %s, %s", p.From, p.To, p.Summary.text())
	for _, c := range p.ControlPlanes {
		tags := ""
		if len(c.Tags) > 0 {
			tags = ", tags: " + strings.Join(c.Tags, ", ")
		}
		w.line("  control plane  %s, revision %s (%s/%s)%s", cmp.Or(c.Version.String(), "of unknown version"), c.Revision, c.Object.Namespace, c.Object.Name, tags)
	}
	if line := proxyLine(p.Proxies); line != "" {
		w.line("  proxies        %s", line)
	}
	if p.Kubernetes != "" {
		w.line("  Kubernetes     %s", p.Kubernetes)
	}
	if len(p.Way.Minors) > 2 && !p.Way.Down {
		w.line("  way            %s with revisions, or %s in place", p.Way, strings.Join(p.Way.Minors, " -> "))
	}
}

// proxyLine is how many proxies run each version.
func proxyLine(groups []ProxyGroup) string {
	counts := map[string]int{}
	namespaces := map[string]map[string]bool{}
	versions := map[string]Version{}
	for _, g := range groups {
		name := cmp.Or(g.Version.String(), "unknown version")
		versions[name] = g.Version
		counts[name] += g.Pods
		if namespaces[name] == nil {
			namespaces[name] = map[string]bool{}
		}
		namespaces[name][g.Namespace] = true
	}
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return versions[a].Compare(versions[b]) })
	var parts []string
	for _, name := range names {
		parts = append(parts, fmt.Sprintf("%d of %s in %s", counts[name], name, some(slices.Sorted(maps.Keys(namespaces[name])))))
	}
	return strings.Join(parts, "; ")
}

func (s Summary) text() string {
	if s.Blockers+s.Actions+s.Notes == 0 {
		return fmt.Sprintf("nothing to do (%s on the way)", plural(s.Rules, "rule", "rules"))
	}
	return fmt.Sprintf("%s, %s, %s", plural(s.Blockers, "blocker", "blockers"), plural(s.Actions, "action", "actions"), plural(s.Notes, "note", "notes"))
}

func (w *writer) finding(f *Finding) {
	tone := output.Warn
	if f.Severity == Blocker {
		tone = output.Bad
	}
	since := ""
	if f.Since != "" {
		since = " since " + f.Since
	}
	w.line("")
	w.line("%s  %s (%s%s)", w.paint(tone, strings.ToUpper(string(f.Severity))), f.Title, f.ID, since)
	w.wrapped("  ", strings.TrimSpace(f.What+" "+f.Why))
	w.hits(f.Hits)
	if f.Todo != "" {
		w.wrapped("  do    ", f.Todo)
	}
	if keep := f.Keep.text(); keep != "" {
		w.wrapped("  keep  ", "the old behaviour with "+keep)
	}
	if f.Link != "" {
		w.line("  see   %s", f.Link)
	}
}

func (w *writer) hits(hits []Hit) {
	for i, h := range hits {
		if i == hitsShown && len(hits) > hitsShown+1 {
			w.line("  - and %d more; -o wide or json has them all", len(hits)-i)
			return
		}
		w.line("  - %s", h)
	}
}

// where is the object, and its place in a file.
func (h Hit) where() string {
	if h.Object.Name == "" {
		return ""
	}
	name := h.Object.Name
	if h.Object.Namespace != "" {
		name = h.Object.Namespace + "/" + name
	}
	place := h.Object.Kind + " " + name
	if at := h.Position.String(); at != "" {
		place = at + " " + place
	}
	return place
}

// String is the hit on one line.
func (h Hit) String() string {
	text := h.where()
	if h.Message != "" {
		text += ": " + h.Message
	}
	return text
}

// text is the switches that keep the old behaviour.
func (k *Keep) text() string {
	if k == nil {
		return ""
	}
	var ways, set []string
	if k.CompatibilityVersion != "" {
		ways = append(ways, "--set compatibilityVersion="+k.CompatibilityVersion)
	}
	for _, name := range slices.Sorted(maps.Keys(k.Env)) {
		set = append(set, "values.pilot.env."+name+"="+k.Env[name])
	}
	for _, name := range slices.Sorted(maps.Keys(k.Values)) {
		set = append(set, "values."+name+"="+k.Values[name])
	}
	if len(set) > 0 {
		ways = append(ways, "--set "+strings.Join(set, " --set "))
	}
	return strings.Join(ways, ", or ")
}

func (w *writer) notes(findings []*Finding) {
	first := true
	for _, f := range findings {
		if f.Severity != Note {
			continue
		}
		if first {
			w.line("")
			w.line("%s", w.paint(output.Faint, "NOTES"))
			first = false
		}
		w.line("  %-4s  %s (%s)", f.Since, f.Title, f.ID)
		if len(f.Hits) > 0 {
			w.line("        - %s%s", f.Hits[0], andMore(len(f.Hits)-1))
		}
	}
	if !first {
		w.line("  `meshctl upgrade rules -o wide` and -o json say what to do about each")
	}
}

func andMore(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf(", and %d more", n)
}

func (w *writer) steps(steps []Step) {
	if len(steps) == 0 {
		return
	}
	w.line("")
	w.line("STEPS")
	next := true
	for i, s := range steps {
		tone, mark := output.Plain, "    "
		switch {
		case s.Done:
			tone, mark = output.Faint, "done"
		case next:
			tone, mark, next = output.Good, "next", false
		}
		w.line("  %s  %d. %s", w.paint(tone, mark), i+1, s.What)
		for j, c := range s.Commands {
			if j == commandsShown && len(s.Commands) > commandsShown+1 {
				w.line("           and %d more like it; -o json has them all", len(s.Commands)-j)
				break
			}
			w.line("           %s", c)
		}
		if s.InPlace != "" && !s.Done {
			w.line("           or in place: %s", s.InPlace)
		}
	}
}
