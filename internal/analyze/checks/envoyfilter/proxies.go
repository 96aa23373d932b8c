package envoyfilter

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// proxy is a kind of proxy that an EnvoyFilter is for: of one version and role.
type proxy struct {
	version string
	role    role
	example *mesh.Workload
}

// proxies finds the proxies that EnvoyFilters are for.
type proxies struct {
	pass     *analyze.Pass
	injected string // the version that every injector gives; empty when they differ
	by       map[string][]proxy
}

func proxiesOf(p *analyze.Pass) *proxies {
	x := &proxies{pass: p, by: map[string][]proxy{}}
	if versions, _ := injectedVersions(p); len(versions) == 1 {
		x.injected = versions[0]
	}
	return x
}

// of are the proxies that a patch is applied to and of which the version is
// known, by version.
func (x *proxies) of(patch patch) []proxy {
	match := patch.spec.GetMatch()
	if len(patch.filter.Spec.GetTargetRefs()) > 0 || len(match.GetProxy().GetMetadata()) > 0 {
		return nil // which ones those are is not known here
	}
	version, err := regexp.Compile(patch.version())
	if err != nil {
		return nil // istiod's validator tells of it
	}
	var found []proxy
	for _, one := range x.selected(patch.filter) {
		if one.role.in(match.GetContext()) && version.MatchString(one.version) {
			found = append(found, one)
		}
	}
	return found
}

// selected are the proxies of an EnvoyFilter's workloads.
func (x *proxies) selected(ef *mesh.Resource[*networking.EnvoyFilter]) []proxy {
	labels, namespace := ef.Spec.GetWorkloadSelector().GetLabels(), scopeOf(x.pass, ef)
	key := namespace
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		key += "\n" + k + "=" + labels[k]
	}
	if found, done := x.by[key]; done {
		return found
	}
	type kind struct {
		version string
		role    role
	}
	found := map[kind]*mesh.Workload{}
	for _, w := range slices.Concat(x.pass.Select(namespace, labels), x.pass.RunningPods(namespace, labels)) {
		if version := x.version(w); version != "" && found[kind{version, roleOf(w)}] == nil {
			found[kind{version, roleOf(w)}] = w
		}
	}
	var list []proxy
	for k, w := range found {
		list = append(list, proxy{k.version, k.role, w})
	}
	slices.SortFunc(list, func(a, b proxy) int {
		if a.version != b.version {
			return strings.Compare(a.version, b.version)
		}
		return a.example.Object.Compare(b.example.Object.Ref)
	})
	x.by[key] = list
	return list
}

// version is the version of a workload's proxy; empty when there is none, or it
// is not known.
func (x *proxies) version(w *mesh.Workload) string {
	for _, c := range slices.Concat(w.Pod.Containers, w.Pod.InitContainers) {
		if c.Name == mesh.ProxyContainer && c.Image != "auto" {
			if version := mesh.ParseImage(c.Image).Version(); release.MatchString(version) {
				return version
			}
			return ""
		}
	}
	if x.pass.DataPlane(w) == mesh.InSidecar {
		return x.injected
	}
	return ""
}

// scopeOf is the namespace of the workloads that an EnvoyFilter is for; empty
// for all.
func scopeOf(p *analyze.Pass, ef *mesh.Resource[*networking.EnvoyFilter]) string {
	if ef.Namespace == p.RootNamespace() {
		return ""
	}
	return ef.Namespace
}

// minorOf is 31 of 1.31.2.
func minorOf(version string) (minor int, ok bool) {
	text, found := strings.CutPrefix(release.FindString(version), "1.")
	minor, err := strconv.Atoi(text)
	return minor, found && err == nil
}
