package telemetry

import (
	"strings"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// Conflicting finds Telemetries that select the same workload.
var Conflicting = &analyze.Check{
	Code: "IST0159", Name: "conflicting-telemetries", Severity: analyze.Error,
	Reads: []mesh.Kind{mesh.Telemetry, mesh.Pod},
	Uses:  append(mesh.WorkloadKinds()[1:], mesh.Namespace),
	Doc: analyze.Doc{
		What: "The selectors of several Telemetries of a namespace pick the same workload. When they are about different things, one about traces and another about logs, it is only worth knowing.",
		Why:  "For what both configure the younger one's settings go on top of the older one's: creating one of them anew changes what is logged, measured or traced.",
		Fix:  "Merge the Telemetries, or make their selectors exclusive.",
	},
	Run: func(p *analyze.Pass) {
		chosenBy := map[*mesh.Workload][]resource{}
		for _, t := range p.Telemetries() {
			if labels := selects(t); len(labels) > 0 {
				for _, w := range p.Select(t.Namespace, labels) {
					chosenBy[w] = append(chosenBy[w], t)
				}
			}
		}
		for _, t := range p.Telemetries() {
			conflict(p, t, chosenBy)
		}
	},
}

// conflict reports a Telemetry once, with the first workload that others select too.
func conflict(p *analyze.Pass, t resource, chosenBy map[*mesh.Workload][]resource) {
	labels := selects(t)
	if len(labels) == 0 {
		return
	}
	for _, w := range p.Select(t.Namespace, labels) {
		if len(chosenBy[w]) < 2 {
			continue
		}
		if in := p.DataPlane(w); in != mesh.InSidecar && in != mesh.Undecided {
			continue // Telemetries reach ambient workloads by targetRefs only
		}
		var rivals []resource
		about := ""
		for _, other := range chosenBy[w] {
			if other.Object == t.Object {
				continue
			}
			if both := shared(t, other); both != "" && about == "" {
				about = both
				rivals = append([]resource{other}, rivals...)
			} else {
				rivals = append(rivals, other)
			}
		}
		at := t.At("spec.selector.matchLabels")
		var f *analyze.Finding
		if about != "" {
			f = p.Report(at, "%s %s is selected by %d Telemetries, and another one configures %s too", w.Object.Kind.Kind, w.Object.Name, len(rivals)+1, about)
		} else {
			f = p.Report(at, "%s %s is selected by %d Telemetries, which are about different things", w.Object.Kind.Kind, w.Object.Name, len(rivals)+1).As(analyze.Info)
		}
		for _, other := range rivals[:min(3, len(rivals))] {
			f.Evidence(other.At("spec.selector.matchLabels"), "selects it too")
		}
		f.Suggest("merge them into one Telemetry")
		return
	}
}

// shared names what both Telemetries configure; empty for nothing.
func shared(a, b resource) string {
	var both []string
	if len(a.Spec.GetAccessLogging()) > 0 && len(b.Spec.GetAccessLogging()) > 0 {
		both = append(both, "accessLogging")
	}
	if len(a.Spec.GetMetrics()) > 0 && len(b.Spec.GetMetrics()) > 0 {
		both = append(both, "metrics")
	}
	if len(a.Spec.GetTracing()) > 0 && len(b.Spec.GetTracing()) > 0 {
		both = append(both, "tracing")
	}
	return strings.Join(both, " and ")
}

// MultipleDefault finds namespaces with several Telemetries for everything in them.
var MultipleDefault = &analyze.Check{
	Code: "IST0160", Name: "multiple-default-telemetries", Severity: analyze.Error,
	Reads: []mesh.Kind{mesh.Telemetry},
	Doc: analyze.Doc{
		What: "A namespace has several Telemetries without selector and targetRefs: each wants to be for the whole namespace, or in the root namespace for the whole mesh.",
		Why:  "Only the oldest applies, the others are ignored as a whole and without a word: logs, metrics or traces that were asked for are missing.",
		Fix:  "Merge them into one, or give all but one a selector or targetRefs.",
	},
	Run: func(p *analyze.Pass) {
		defaults := map[string][]resource{}
		for _, t := range p.Telemetries() {
			if isDefault(t) {
				defaults[t.Namespace] = append(defaults[t.Namespace], t)
			}
		}
		for _, t := range p.Telemetries() {
			rivals := defaults[t.Namespace]
			if len(rivals) < 2 || !isDefault(t) {
				continue
			}
			f := p.Report(t.At(""), "%d Telemetries of namespace %q have no selector and no targetRefs: only the oldest applies", len(rivals), t.Namespace)
			evidence := 0
			for _, other := range rivals[:min(4, len(rivals))] {
				if other.Object != t.Object && evidence < 3 {
					f.Evidence(other.At(""), "has none either")
					evidence++
				}
			}
			f.Suggest("merge them into one Telemetry")
		}
	},
}

func isDefault(t resource) bool { return len(selects(t)) == 0 && !targeted(t) }
