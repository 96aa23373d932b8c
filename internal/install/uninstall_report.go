package install

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/output"
)

// RemovalReport is what an uninstall removed or, in a dry run, would remove.
type RemovalReport struct {
	Revision string          `json:"revision,omitempty"`
	Purge    bool            `json:"purge"`
	Context  string          `json:"context,omitempty"`
	Server   string          `json:"server,omitempty"`
	DryRun   string          `json:"dryRun,omitempty"`
	Objects  []RemovedObject `json:"objects"`
	// CustomResources are how many custom resources go with the CRDs, by kind.
	CustomResources map[string]int `json:"customResources"`
	// Skipped are the kinds that could not be looked for.
	Skipped []string `json:"skipped"`
	// Kept is what stays, and why.
	Kept []string `json:"kept"`
	// Concerned is what used what goes; nil when that was not asked.
	Concerned *Concerned `json:"concerned,omitempty"`
}

// Concerned is who uses what an uninstall removes.
type Concerned struct {
	// Proxies are connected to an istiod that goes, as name.namespace; Gateways
	// are those of them that are gateways.
	Proxies  []string `json:"proxies"`
	Gateways []string `json:"gateways"`
	// Unanswered are the istiods that did not say which proxies they have.
	Unanswered []string `json:"unanswered"`
	// Names are the revisions and tags that go, with the namespaces that name them.
	Names []NameUsers `json:"names"`
}

// NameUsers are the users of a revision or a tag.
type NameUsers struct {
	Name string `json:"name"`
	// Tag says that it is a tag, of the revision Revision.
	Tag        bool     `json:"tag"`
	Revision   string   `json:"revision"`
	Namespaces []string `json:"namespaces"`
	Pods       int      `json:"pods"`
}

// RemovedObject is one object of a removal report.
type RemovedObject struct {
	Component  string `json:"component"`
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
	// State is Planned, Removed or Failed.
	State string `json:"state"`
	Error string `json:"error,omitempty"`
}

// Report is how the removal stands.
func (r *Removal) Report() *RemovalReport {
	report := &RemovalReport{Objects: []RemovedObject{}, CustomResources: r.Resources, Skipped: append([]string{}, r.Skipped...), Kept: append([]string{}, r.Kept...)}
	for _, x := range r.Objects {
		o := RemovedObject{
			Component: x.title(), APIVersion: x.Object.GetAPIVersion(), Kind: x.Object.GetKind(),
			Namespace: x.Object.GetNamespace(), Name: x.Object.GetName(), State: string(StatePlanned),
		}
		switch {
		case x.Gone:
			o.State = "Removed"
		case x.Err != nil:
			o.State, o.Error = string(StateFailed), x.Err.Error()
		}
		report.Objects = append(report.Objects, o)
	}
	return report
}

// title is what people call the component of a removed object.
func (x *Removed) title() string {
	return Component{Name: x.Component, Instance: orElse(x.Object.GetLabels()["app"], strings.ToLower(x.Component))}.Title()
}

// ResourcesText says how many custom resources go with the CRDs, or "".
func (r *Removal) ResourcesText() string {
	var parts []string
	total := 0
	for _, kind := range slices.Sorted(maps.Keys(r.Resources)) {
		total += r.Resources[kind]
		parts = append(parts, fmt.Sprintf("%d %s", r.Resources[kind], kind))
	}
	if total == 0 {
		return ""
	}
	return fmt.Sprintf("%s: %s", count(total, "custom resource"), strings.Join(parts, ", "))
}

// DocumentKind names the JSON and YAML form.
func (r *RemovalReport) DocumentKind() string { return "UninstallReport" }

// Tables has a line per object.
func (r *RemovalReport) Tables(bool) []output.Table {
	t := output.Table{Columns: []string{"COMPONENT", "KIND", "NAMESPACE", "NAME", "STATE"}, Empty: "nothing to uninstall", Tone: stateTone(4)}
	for _, o := range r.Objects {
		t.Rows = append(t.Rows, []string{o.Component, o.Kind, o.Namespace, o.Name, o.State})
	}
	return []output.Table{t}
}
