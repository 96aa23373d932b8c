package upgrade

import (
	"cmp"

	"github.com/meshctl/meshctl/internal/mesh"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// facts is what the expressions of rules know of the mesh besides the object:
//
//	mesh.ambient       whether any namespace or workload is in ambient mode
//	mesh.sidecars      whether any pod carries a proxy of Istio
//	mesh.istioNamespace
//	mesh.env           the environment of the istiod that is to be upgraded
//	mesh.config        its mesh config
//	mesh.values        the values it was installed with, as far as the injector knows them
type facts struct {
	snapshot     *mesh.Snapshot
	plane        *ControlPlane
	env          map[string]string
	config       map[string]any
	configObject *mesh.Object
	values       map[string]any
	valuesObject *mesh.Object
	ambient      bool
	sidecars     bool
	// live says that the snapshot is of a cluster, where a kind counts only
	// when it was read in all namespaces. Files are judged by what they hold.
	live bool
}

func newFacts(s *mesh.Snapshot, plane *ControlPlane, live bool) *facts {
	f := &facts{snapshot: s, live: live, plane: plane, env: map[string]string{}, config: map[string]any{}, values: map[string]any{}}
	if plane != nil && plane.workload != nil {
		f.env = environment(plane.workload)
	}
	revision := ""
	if plane != nil {
		revision = plane.Revision
	}
	f.configObject, f.config = f.control("istio", revision, "mesh")
	f.valuesObject, f.values = f.control("istio-sidecar-injector", revision, "values")
	f.ambient = isAmbient(s)
	f.sidecars = hasProxies(s)
	return f
}

// hasProxies says whether any pod carries Istio's proxy. Injected ones are
// not in the template of their workload, so the pods themselves are asked.
func hasProxies(s *mesh.Snapshot) bool {
	for _, pod := range s.Pods() {
		if pod.Spec != nil && proxyContainer(pod.Spec) != nil && !isZtunnel(pod.Labels) {
			return true
		}
	}
	for _, w := range s.Workloads() {
		if w.HasProxy() && !isZtunnel(w.PodLabels) {
			return true
		}
	}
	return false
}

// control is a document in a ConfigMap of the control plane.
func (f *facts) control(name, revision, key string) (*mesh.Object, map[string]any) {
	document := map[string]any{}
	if revision != "" && revision != defaultRevision {
		name += "-" + revision
	}
	config := f.snapshot.ConfigMap(f.snapshot.IstioNamespace(), name)
	if config == nil || config.Spec == nil {
		return nil, document
	}
	if err := yaml.Unmarshal([]byte(config.Spec.Data[key]), &document); err != nil || document == nil {
		return config.Object, map[string]any{}
	}
	return config.Object, document
}

// variables are those of an expression over the mesh alone.
func (f *facts) variables() map[string]any {
	return map[string]any{
		"object": map[string]any{}, "ns": "", "labels": map[string]string{}, "annotations": map[string]string{},
		"mesh": map[string]any{
			"ambient": f.ambient, "sidecars": f.sidecars, "istioNamespace": f.snapshot.IstioNamespace(),
			"env": f.env, "config": f.config, "values": f.values,
		},
	}
}

func environment(w *mesh.Workload) map[string]string {
	env := map[string]string{}
	for _, c := range w.Pod.Containers {
		for _, e := range c.Env {
			env[e.Name] = cmp.Or(e.Value, env[e.Name])
		}
	}
	return env
}

func isAmbient(s *mesh.Snapshot) bool {
	for _, ns := range s.Namespaces() {
		if ns.Labels[mesh.DataPlaneLabel] == "ambient" {
			return true
		}
	}
	for _, w := range s.Workloads() {
		if isZtunnel(w.PodLabels) || w.PodLabels[mesh.DataPlaneLabel] == "ambient" {
			return true
		}
	}
	return false
}

func isZtunnel(labels map[string]string) bool {
	return labels["app"] == "ztunnel" || labels["app.kubernetes.io/name"] == "ztunnel"
}

// proxyContainer is the container that is Istio's proxy, nil when there is none.
func proxyContainer(pod *core.PodSpec) *core.Container {
	for i := range pod.Containers {
		if pod.Containers[i].Name == mesh.ProxyContainer {
			return &pod.Containers[i]
		}
	}
	for i := range pod.InitContainers {
		if pod.InitContainers[i].Name == mesh.ProxyContainer {
			return &pod.InitContainers[i]
		}
	}
	return nil
}
