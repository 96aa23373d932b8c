// Package workloadgroup has the checks of WorkloadGroups.
package workloadgroup

import (
	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/selector"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// Checks are the checks of this folder.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		MissingServiceAccount, // MSH0602
		DuplicateLabels,       // MSH0603
	}
}

// MissingServiceAccount finds groups whose machines get no identity.
var MissingServiceAccount = &analyze.Check{
	Code: "MSH0602", Name: "workload-group-missing-service-account", Severity: analyze.Warning, KIA: "KIA1701",
	Reads: []mesh.Kind{mesh.WorkloadGroup, mesh.ServiceAccount},
	Doc: analyze.Doc{
		What: "The service account of a WorkloadGroup's template does not exist in its namespace.",
		Why:  "No token can be made for it: virtual machines of the group cannot prove who they are, get no certificate and do not join the mesh.",
		Fix:  "Create the ServiceAccount, or correct its name.",
	},
	Run: func(p *analyze.Pass) {
		there := map[string][]string{}
		for _, sa := range p.Objects(mesh.ServiceAccount) {
			there[sa.Namespace] = append(there[sa.Namespace], sa.Name)
		}
		for _, wg := range p.WorkloadGroups() {
			name := wg.Spec.GetTemplate().GetServiceAccount()
			if name == "" || name == "default" || p.Get(mesh.ServiceAccount, wg.Namespace, name) != nil {
				continue
			}
			if !p.KnownIn(mesh.ServiceAccount, wg.Namespace) {
				p.CantTell(mesh.ServiceAccount, wg.Namespace)
				continue
			}
			f := p.Report(wg.At("spec.template.serviceAccount"), "there is no ServiceAccount %q in namespace %q", name, wg.Namespace)
			f.Suggest("create the ServiceAccount %q", name)
			p.Advise(func() {
				if best := hint.Closest(name, there[wg.Namespace]); best != "" {
					f.Suggest("change it to %q", best)
				}
			})
		}
	},
}

// DuplicateLabels finds groups that selectors cannot tell apart.
var DuplicateLabels = &analyze.Check{
	Code: "MSH0603", Name: "workload-groups-with-same-labels", Severity: analyze.Info, KIA: "KIA1702",
	Reads: []mesh.Kind{mesh.WorkloadGroup},
	Doc: analyze.Doc{
		What: "Several WorkloadGroups of a namespace give their machines the same labels.",
		Why:  "Services and policies select the machines of all of them alike. That is fine for groups that differ in network or locality only, and wrong if they are different applications.",
		Fix:  "Give each group a label of its own, such as app or version.",
	},
	Run: func(p *analyze.Pass) {
		first := map[string]*mesh.Object{}
		for _, wg := range p.WorkloadGroups() {
			labels := wg.Spec.GetMetadata().GetLabels()
			if len(labels) == 0 {
				continue
			}
			key := wg.Namespace + " " + selector.Text(labels)
			if other := first[key]; other != nil {
				p.Report(wg.At("spec.metadata.labels"), "%s gives its machines the same labels", other.Ref).
					Evidence(other.At("spec.metadata.labels"), "has the same labels")
				continue
			}
			first[key] = wg.Object
		}
	},
}
