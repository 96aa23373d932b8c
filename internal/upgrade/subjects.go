package upgrade

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/mesh"
	"sigs.k8s.io/yaml"
)

// The kinds that rules match beside those of a cluster.
const (
	// workloadSubject is a workload: object is its pod template, or the Pod.
	workloadSubject = "Workload"
	// istiodSubject is the istiod that is to be upgraded: object is its pod
	// template, mesh.env its environment.
	istiodSubject = "Istiod"
	// configSubject is the mesh config of that istiod.
	configSubject = "MeshConfig"
	// valuesSubject is the values that the injector knows.
	valuesSubject = "Values"
	// proxySubject is settings of proxies, wherever they are written: the mesh
	// config's defaultConfig, a ProxyConfig, a pod's annotation.
	proxySubject = "ProxySettings"
)

const proxyConfigAnnotation = "proxy.istio.io/config"

// subject is one thing that a rule looks at.
type subject struct {
	at                  *mesh.Object
	prefix              string // where object stands in at, such as spec.template
	part                bool   // object is but a part of at, and prefix the place to show
	object              map[string]any
	labels, annotations map[string]string
}

// place is the location of a field of the subject.
func (s subject) place(field string) mesh.Location {
	switch {
	case field == "" && s.part:
		return mesh.Location{Object: s.at, Path: s.prefix}
	case field == "":
		return mesh.Location{Object: s.at}
	case s.prefix != "":
		field = s.prefix + "." + field
	}
	return mesh.Location{Object: s.at, Path: field}
}

func (s subject) variables(f *facts) map[string]any {
	v := f.variables()
	v["object"], v["ns"] = s.object, s.at.Namespace
	if s.labels != nil {
		v["labels"] = s.labels
	}
	if s.annotations != nil {
		v["annotations"] = s.annotations
	}
	return v
}

// kindsOf are the kinds of a cluster that a rule's kind stands for.
func kindsOf(name string) ([]mesh.Kind, error) {
	switch name {
	case workloadSubject:
		return workloadKinds(), nil
	case istiodSubject:
		return []mesh.Kind{mesh.Deployment}, nil
	case configSubject, valuesSubject:
		return []mesh.Kind{mesh.ConfigMap}, nil
	case proxySubject:
		return append([]mesh.Kind{mesh.ConfigMap, mesh.ProxyConfig}, workloadKinds()...), nil
	}
	for _, k := range mesh.Kinds() {
		if k.String() == name {
			return []mesh.Kind{k}, nil
		}
	}
	kind, group, found := strings.Cut(name, ".")
	if !found {
		return nil, fmt.Errorf("there is no kind %s; a kind that mesh does not know is written with its group", name)
	}
	foreign := mesh.ForeignKind(group+"/v1", kind)
	foreign.Resource = strings.ToLower(kind) + "s"
	if stem, found := strings.CutSuffix(foreign.Resource, "ys"); found {
		foreign.Resource = stem + "ies"
	}
	foreign.Namespaced = !strings.HasPrefix(kind, "Cluster")
	return []mesh.Kind{foreign}, nil
}

// workloadKinds are the kinds of workloads that are read; Pods and Deployments
// stand for their ReplicaSets.
func workloadKinds() []mesh.Kind {
	return []mesh.Kind{mesh.Pod, mesh.Deployment, mesh.StatefulSet, mesh.DaemonSet}
}

// subjects are all things of a rule's kind.
func (f *facts) subjects(name string) []subject {
	switch name {
	case workloadSubject:
		return f.workloads()
	case istiodSubject:
		if f.plane == nil || f.plane.workload == nil {
			return nil
		}
		return []subject{ofWorkload(f.plane.workload)}
	case configSubject:
		return document(f.configObject, f.config)
	case valuesSubject:
		return document(f.valuesObject, f.values)
	case proxySubject:
		return f.proxySettings()
	}
	kinds, err := kindsOf(name)
	if err != nil {
		return nil
	}
	var all []subject
	for _, o := range objectsOf(f.snapshot, kinds[0]) {
		all = append(all, subject{at: o, object: o.Raw(), labels: o.Labels, annotations: o.Annotations})
	}
	return all
}

// objectsOf are the objects of a kind, in whichever version they are written.
func objectsOf(s *mesh.Snapshot, kind mesh.Kind) []*mesh.Object {
	all := slices.Clone(s.Objects(kind))
	for _, k := range s.PresentKinds() {
		if k != kind && k.Group == kind.Group && k.Kind == kind.Kind {
			all = append(all, s.Objects(k)...)
		}
	}
	return all
}

func document(at *mesh.Object, content map[string]any) []subject {
	if at == nil {
		return nil
	}
	return []subject{{at: at, prefix: "data", object: content}}
}

func (f *facts) workloads() []subject {
	var all []subject
	for _, w := range f.snapshot.Workloads() {
		all = append(all, ofWorkload(w))
	}
	return all
}

func ofWorkload(w *mesh.Workload) subject {
	object := w.Object.Raw()
	if w.Template != "" {
		object, _ = w.Object.Field(strings.Split(w.Template, ".")...).(map[string]any)
	}
	return subject{at: w.Object, prefix: w.Template, object: object, labels: w.PodLabels, annotations: w.PodAnnotations}
}

func (f *facts) proxySettings() []subject {
	var all []subject
	if settings, ok := f.config["defaultConfig"].(map[string]any); ok {
		all = append(all, subject{at: f.configObject, prefix: "data.mesh", part: true, object: settings})
	}
	for _, o := range f.snapshot.Objects(mesh.ProxyConfig) {
		if spec, ok := o.Field("spec").(map[string]any); ok {
			all = append(all, subject{at: o, prefix: "spec", part: true, object: spec})
		}
	}
	for _, w := range f.snapshot.Workloads() {
		settings := map[string]any{}
		if text := w.PodAnnotations[proxyConfigAnnotation]; text == "" || yaml.Unmarshal([]byte(text), &settings) != nil {
			continue
		}
		s := ofWorkload(w)
		s.object, s.part = settings, true
		s.prefix = strings.TrimPrefix(w.Template+".metadata", ".") + `.annotations["` + proxyConfigAnnotation + `"]`
		all = append(all, s)
	}
	return all
}
