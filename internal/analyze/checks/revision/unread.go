// Package revision has the check of configuration that is labelled for a revision.
package revision

import (
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// Checks are the checks of this folder.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		Unread, // MSH0606
	}
}

// Unread finds configuration labelled for a revision that no control plane has.
var Unread = &analyze.Check{
	Code: "MSH0606", Name: "unread-revision", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.MutatingWebhookConfiguration},
	Uses:  append(labelled(), mesh.ConfigMap),
	Doc: analyze.Doc{
		What: "An object of Istio's is labelled istio.io/rev with what is no revision of the mesh: a name that no control plane has, or a revision tag.",
		Why:  "istiod passes over objects that are labelled for another revision than its own, and compares the label with its revision's name, not with tags, whatever tags mean to namespaces and pods. No control plane reads the object, so it is in force nowhere.",
		Fix:  "Name the revision itself, or remove the label: then every control plane reads the object.",
	},
	Run: func(p *analyze.Pass) {
		// Objects labelled for a revision are judged in a view of their own.
		rev, revisions := p.Revision(), p.Revisions()
		if len(revisions) == 0 || slices.Contains(revisions, rev) || !p.KnownEverywhere(mesh.MutatingWebhookConfiguration) {
			return
		}
		meant, tag := p.Tags()[rev]
		for _, kind := range labelled() {
			for _, o := range p.Objects(kind) {
				if o.Labels[mesh.RevisionLabel] != rev || !p.Owns(o) {
					continue
				}
				at := o.At("metadata.labels[%q]", mesh.RevisionLabel)
				if tag {
					p.Report(at, "%q is a tag of the revision %q, and istiod compares this label with its revision only: no control plane reads the object", rev, meant).
						Suggest("change it to %q, or remove the label", meant)
					continue
				}
				f := p.Report(at, "there is no revision %q: no control plane reads the object", rev).
					Suggest("change it to one of the revisions there are (%s), or remove the label", strings.Join(revisions, ", "))
				if best := hint.Closest(rev, revisions); best != "" {
					f.Suggest("change it to %q, or remove the label", best)
				}
			}
		}
	},
}

// labelled are the kinds whose objects istiod sorts by revision.
func labelled() []mesh.Kind {
	return slices.DeleteFunc(mesh.Kinds(), func(k mesh.Kind) bool { return !k.IsIstio() })
}
