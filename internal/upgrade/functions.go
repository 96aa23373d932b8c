package upgrade

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/mesh"
	networking "istio.io/api/networking/v1alpha3"
)

// functions are what rules name in func, where an expression over one object
// is not enough.
func functions() map[string]func(*facts) []Hit {
	return map[string]func(*facts) []Hit{
		"hosts-in-several-namespaces": hostsInSeveralNamespaces,
		"large-ambient-mesh":          largeAmbientMesh,
		"gateways-across-namespaces":  gatewaysAcrossNamespaces,
		"excluded-ambient-namespaces": excludedAmbientNamespaces,
	}
}

// hostsInSeveralNamespaces finds ServiceEntries whose host another namespace
// has, too, as a Service or a ServiceEntry.
func hostsInSeveralNamespaces(f *facts) []Hit {
	owners := map[string]map[string]bool{}
	own := func(host, namespace string) {
		if owners[host] == nil {
			owners[host] = map[string]bool{}
		}
		owners[host][namespace] = true
	}
	entries := f.snapshot.ServiceEntries()
	for _, e := range entries {
		for _, host := range hostsOf(e) {
			own(host, e.Namespace)
		}
	}
	for _, s := range f.snapshot.Objects(mesh.Service) {
		own(s.Name+"."+s.Namespace+".svc.cluster.local", s.Namespace)
	}
	var hits []Hit
	for _, e := range entries {
		for i, host := range hostsOf(e) {
			others := slices.DeleteFunc(slices.Sorted(maps.Keys(owners[host])), func(ns string) bool { return ns == e.Namespace })
			if len(others) > 0 {
				hits = append(hits, hit(e.At("spec.hosts[%d]", i), "%s is in namespace %s, too", host, strings.Join(others, ", ")))
			}
		}
	}
	return hits
}

func hostsOf(e *mesh.Resource[*networking.ServiceEntry]) []string {
	if e.Spec == nil {
		return nil
	}
	return e.Spec.GetHosts()
}

// largeAmbientMesh is from where ztunnel's request nears the default limit.
const largeMesh = 30_000

func largeAmbientMesh(f *facts) []Hit {
	n := len(f.snapshot.Objects(mesh.Pod)) + len(f.snapshot.Objects(mesh.Service)) + len(f.snapshot.Objects(mesh.ServiceEntry)) +
		len(f.snapshot.Objects(mesh.WorkloadEntry))
	if !f.ambient || n < largeMesh || f.plane == nil || f.env["ISTIO_GPRC_MAXRECVMSGSIZE"] != "" {
		return nil
	}
	return []Hit{{Object: f.plane.Object, Message: fmt.Sprintf("%d pods and services, ISTIO_GPRC_MAXRECVMSGSIZE is not set", n)}}
}

// gatewaysAcrossNamespaces finds Istio's Gateways that select the proxies of a
// Kubernetes Gateway which istiod deployed in another namespace.
func gatewaysAcrossNamespaces(f *facts) []Hit {
	var hits []Hit
	for _, g := range f.snapshot.Gateways() {
		if g.Spec == nil || len(g.Spec.GetSelector()) == 0 {
			continue
		}
		for _, w := range f.snapshot.Select("", g.Spec.GetSelector()) {
			managed := w.PodLabels["gateway.istio.io/managed"] != ""
			if managed && w.Object.Namespace != g.Namespace {
				hits = append(hits, hit(g.At("spec.selector"), "selects %s", w.Object.Ref))
				break
			}
		}
	}
	return hits
}

// cniConfig is where the istio-cni chart writes its settings.
const cniConfig = "istio-cni-config"

// excludedAmbientNamespaces finds namespaces that are in ambient mode and
// excluded from istio-cni at once.
func excludedAmbientNamespaces(f *facts) []Hit {
	var hits []Hit
	for _, config := range f.snapshot.Objects(mesh.ConfigMap) {
		list, _ := config.Field("data", "EXCLUDE_NAMESPACES").(string)
		if config.Name != cniConfig || list == "" {
			continue
		}
		for _, name := range strings.Split(list, ",") {
			ns := f.snapshot.Get(mesh.Namespace, "", strings.TrimSpace(name))
			if ns != nil && ns.Labels[mesh.DataPlaneLabel] == "ambient" {
				hits = append(hits, hit(ns.At("metadata.labels[%q]", mesh.DataPlaneLabel), "is in EXCLUDE_NAMESPACES of %s", config.Ref))
			}
		}
	}
	return hits
}
