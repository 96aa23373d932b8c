package envoyfilter

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// NoSuchVersion finds patches for proxies of a version that the mesh has not.
var NoSuchVersion = &analyze.Check{
	Code: "MSH0722", Name: "patch-for-no-proxy-version", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.EnvoyFilter, mesh.ConfigMap, mesh.Pod},
	Uses:  slices.DeleteFunc(append(mesh.WorkloadKinds(), mesh.WorkloadEntry, mesh.WorkloadGroup), func(k mesh.Kind) bool { return k == mesh.Pod }),
	Doc: analyze.Doc{
		What: "The proxyVersion of a patch's match fits no proxy of the mesh: neither those that run, nor those that the injectors give to new pods.",
		Why:  "istiod leaves the patch out for every proxy. It is mostly an EnvoyFilter that an upgrade of Istio went past.",
		Fix:  "Widen the expression to the version that runs, once the patch was tried there, or remove the patch. Dots are written \\. in it.",
	},
	Run: func(p *analyze.Pass) {
		var versions []string // of the mesh's proxies, found when needed
		known := false
		for _, x := range patches(p) {
			expression := x.version()
			re, err := regexp.Compile(expression)
			if expression == "" || err != nil {
				continue // istiod's validator tells of the latter
			}
			if versions == nil {
				versions, known = proxyVersions(p)
			}
			if slices.ContainsFunc(versions, re.MatchString) {
				continue
			}
			if !known {
				p.CantTell(mesh.ConfigMap, p.IstioNamespace())
				continue
			}
			p.Report(x.filter.At("spec.configPatches[%d].match.proxy.proxyVersion", x.index),
				`no proxy of the mesh has a version that fits "%s": there are %s`, expression, strings.Join(versions, ", ")).
				Suggest("write ^%s.*, or remove the patch", strings.ReplaceAll(minor(versions[len(versions)-1]), ".", `\.`))
		}
	},
}

// proxyVersions are the versions of the mesh's proxies, sorted: of those that
// run, and of those that injectors give. known is false when there may be others.
func proxyVersions(p *analyze.Pass) (versions []string, known bool) {
	versions, known = injectedVersions(p)
	found := map[string]bool{}
	for _, version := range versions {
		found[version] = true
	}
	machines := len(p.Objects(mesh.WorkloadEntry)) + len(p.Objects(mesh.WorkloadGroup))
	known = known && machines == 0 && p.KnownEverywhere(mesh.ConfigMap) && p.KnownEverywhere(mesh.Pod)
	for _, w := range slices.Concat(p.Workloads(), p.RunningPods("", nil)) {
		for _, c := range slices.Concat(w.Pod.Containers, w.Pod.InitContainers) {
			if c.Name == mesh.ProxyContainer && c.Image != "auto" {
				known = addVersion(found, mesh.ParseImage(c.Image)) && known
			}
		}
	}
	return slices.Sorted(maps.Keys(found)), known && len(found) > 0
}

// injectedVersions are the versions of the proxies that injectors give, sorted;
// known is false when one does not say.
func injectedVersions(p *analyze.Pass) (versions []string, known bool) {
	known = true
	found := map[string]bool{}
	for _, config := range p.Objects(mesh.ConfigMap) {
		if config.Name != "istio-sidecar-injector" && !strings.HasPrefix(config.Name, "istio-sidecar-injector-") {
			continue
		}
		if image, ok := mesh.ProxyImage(p.ConfigMap(config.Namespace, config.Name)); ok {
			known = addVersion(found, image) && known
		}
	}
	return slices.Sorted(maps.Keys(found)), known
}

// addVersion adds the version of an image; ok is false when it has none: who
// knows what "latest" is.
func addVersion(found map[string]bool, image mesh.Image) (ok bool) {
	version := image.Version()
	if ok = release.MatchString(version); ok {
		found[version] = true
	}
	return ok
}

var release = regexp.MustCompile(`^\d+\.\d+`)

// minor is 1.31 of 1.31.2.
func minor(version string) string { return release.FindString(version) }
