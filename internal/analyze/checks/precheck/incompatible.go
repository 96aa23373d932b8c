package precheck

import (
	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// Change is something that an upgrade changes for the mesh.
type Change struct {
	// Kind is the object's kind as [mesh.Kind.String] has it; empty for what
	// concerns the mesh as a whole.
	Kind, Namespace, Name string
	// Path is the field; may be empty.
	Path     string
	Severity analyze.Severity
	Message  string
	Fix      string
}

// Incompatible is the check of what an upgrade changes for a mesh, which
// changes says; nil for the check as it is listed.
func Incompatible(changes func() []Change) *analyze.Check {
	return &analyze.Check{
		Code: "IST0169", Name: "update-incompatibility", Severity: analyze.Warning,
		Doc: analyze.Doc{
			What: "Something in the mesh behaves differently after the upgrade from the version that --from-version names. Only precheck looks for it; meshctl upgrade plan tells more.",
			Why:  "Each version of Istio removes fields and changes defaults. What relied on the old ones changes with the upgrade, without an error.",
			Fix:  "Change the configuration before the upgrade, or keep the old behaviour where a setting for it exists.",
		},
		Run: func(p *analyze.Pass) {
			if changes == nil {
				return
			}
			kinds := map[string]mesh.Kind{}
			for _, k := range p.PresentKinds() {
				kinds[k.String()] = k
			}
			for _, c := range changes() {
				at := mesh.Location{}
				if o := p.Get(kinds[c.Kind], c.Namespace, c.Name); o != nil {
					at = o.At("%s", c.Path)
				}
				f := p.Report(at, "%s", c.Message).As(c.Severity)
				if c.Fix != "" {
					f.Suggest("%s", c.Fix)
				}
			}
		},
	}
}
