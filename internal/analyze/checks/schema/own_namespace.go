package schema

import (
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// meansOwnNamespace says whether a warning tells of an egress host that a Sidecar
// has twice, but it is the default of the whole mesh and has it only once: there
// "." is not the root namespace, as the warning takes it, but each workload's own.
func meansOwnNamespace(p *analyze.Pass, o *mesh.Object, warning error) bool {
	if o.Kind != mesh.Sidecar || o.Namespace != p.RootNamespace() {
		return false
	}
	repeated, ok := strings.CutPrefix(warning.Error(), "duplicated egress host: ")
	spec := mesh.As[*networking.Sidecar](o).Spec
	if !ok || spec.GetWorkloadSelector() != nil {
		return false
	}
	for _, egress := range spec.GetEgress() {
		if repeats(egress.GetHosts(), repeated) {
			return false
		}
	}
	return true
}

// repeats says whether an entry stands in the list again, or after one for all
// hosts of the namespace, or is for all and after another, taking each namespace
// as it is written.
func repeats(entries []string, entry string) bool {
	namespace, host, _ := strings.Cut(entry, "/")
	before := map[string]bool{} // hosts of the namespace
	for _, other := range entries {
		ns, h, _ := strings.Cut(other, "/")
		if ns != namespace {
			continue
		}
		if h == host && (before[h] || before["*"] || h == "*" && len(before) > 0) {
			return true
		}
		before[h] = true
	}
	return false
}
