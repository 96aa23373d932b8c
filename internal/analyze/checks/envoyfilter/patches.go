// Package envoyfilter has the checks of EnvoyFilters.
package envoyfilter

import (
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// Short names for what is long in the API.
const (
	opAdd          = networking.EnvoyFilter_Patch_ADD
	opRemove       = networking.EnvoyFilter_Patch_REMOVE
	opReplace      = networking.EnvoyFilter_Patch_REPLACE
	opInsertFirst  = networking.EnvoyFilter_Patch_INSERT_FIRST
	opInsertBefore = networking.EnvoyFilter_Patch_INSERT_BEFORE
	opInsertAfter  = networking.EnvoyFilter_Patch_INSERT_AFTER
)

// patch is one of an EnvoyFilter's patches.
type patch struct {
	filter *mesh.Resource[*networking.EnvoyFilter]
	index  int
	spec   *networking.EnvoyFilter_EnvoyConfigObjectPatch
}

// patches are all patches of all EnvoyFilters.
func patches(p *analyze.Pass) []patch {
	var all []patch
	for _, ef := range p.EnvoyFilters() {
		for i, spec := range ef.Spec.GetConfigPatches() {
			all = append(all, patch{ef, i, spec})
		}
	}
	return all
}

func (x patch) op() networking.EnvoyFilter_Patch_Operation { return x.spec.GetPatch().GetOperation() }

func (x patch) atOperation() mesh.Location {
	return x.filter.At("spec.configPatches[%d].patch.operation", x.index)
}

// anchor is the name of the filter, virtual host or route that a patch is about.
func (x patch) anchor() string {
	match := x.spec.GetMatch()
	chain := match.GetListener().GetFilterChain()
	switch x.spec.GetApplyTo() {
	case networking.EnvoyFilter_LISTENER_FILTER:
		return match.GetListener().GetListenerFilter()
	case networking.EnvoyFilter_NETWORK_FILTER:
		return chain.GetFilter().GetName()
	case networking.EnvoyFilter_HTTP_FILTER:
		return chain.GetFilter().GetSubFilter().GetName()
	case networking.EnvoyFilter_VIRTUAL_HOST:
		return match.GetRouteConfiguration().GetVhost().GetName()
	case networking.EnvoyFilter_HTTP_ROUTE:
		return match.GetRouteConfiguration().GetVhost().GetRoute().GetName()
	}
	return ""
}

// makes is the name of what a patch puts into the configuration; empty when
// it adds nothing.
func (x patch) makes() string {
	switch x.op() {
	case opAdd, opInsertFirst, opInsertBefore, opInsertAfter, opReplace:
		return x.spec.GetPatch().GetValue().GetFields()["name"].GetStringValue()
	}
	return ""
}

// relative says whether what a patch does depends on what is there already.
func (x patch) relative() bool {
	switch x.op() {
	case opInsertBefore, opInsertAfter:
		return true
	case opReplace:
		return replaceable(x.spec.GetApplyTo())
	case opRemove:
		return x.spec.GetApplyTo() != networking.EnvoyFilter_ROUTE_CONFIGURATION
	}
	return false
}

// version is the proxyVersion that a patch is limited to.
func (x patch) version() string { return x.spec.GetMatch().GetProxy().GetProxyVersion() }

// meets says whether both patches can come to one proxy's same configuration.
func (x patch) meets(p *analyze.Pass, other patch) bool {
	a, b := x.spec.GetMatch().GetContext(), other.spec.GetMatch().GetContext()
	if a != b && a != networking.EnvoyFilter_ANY && b != networking.EnvoyFilter_ANY {
		return false
	}
	if x.filter.Object == other.filter.Object {
		return true
	}
	root := p.RootNamespace()
	if x.filter.Namespace != other.filter.Namespace && x.filter.Namespace != root && other.filter.Namespace != root {
		return false
	}
	if len(x.filter.Spec.GetTargetRefs()) > 0 || len(other.filter.Spec.GetTargetRefs()) > 0 {
		return false // which workloads those are is not known here
	}
	_, ok := mesh.Merge(x.filter.Spec.GetWorkloadSelector().GetLabels(), other.filter.Spec.GetWorkloadSelector().GetLabels())
	return ok
}
