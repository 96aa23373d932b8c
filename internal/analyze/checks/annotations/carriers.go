// Package annotations has the checks of Istio's annotations.
package annotations

import (
	"fmt"
	"iter"
	"maps"
	"slices"

	"istio.io/api/annotation"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// carrier is one set of annotations: an object's, or its pod template's.
type carrier struct {
	object      *mesh.Object
	annotations map[string]string
	labels      map[string]string
	path        mesh.Path // of the annotations
	is          annotation.ResourceTypes
	// workload is set for what runs pods; template for the annotations of its pods.
	workload *mesh.Workload
	template bool
}

// at is the value of an annotation.
func (c *carrier) at(name string) mesh.Location { return c.object.At("%s", c.path.Join(name)) }

// key is the name of an annotation.
func (c *carrier) key(name string) mesh.Location { return c.object.AtKey("%s", c.path.Join(name)) }

// label is the path of a label beside the annotations.
func (c *carrier) label(name string) mesh.Path {
	return append(c.path[:len(c.path)-1:len(c.path)-1], "labels", name)
}

// istios are the carrier's annotations of Istio's, by name.
func (c *carrier) istios() []string {
	var names []string
	for name := range c.annotations {
		if Istios(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// carriedBy are the kinds whose annotations Istio reads, besides workloads.
func carriedBy() map[mesh.Kind]annotation.ResourceTypes {
	return map[mesh.Kind]annotation.ResourceTypes{
		mesh.Namespace:           annotation.Namespace,
		mesh.Service:             annotation.Service,
		mesh.ServiceEntry:        annotation.ServiceEntry,
		mesh.WorkloadEntry:       annotation.WorkloadEntry,
		mesh.AuthorizationPolicy: annotation.AuthorizationPolicy,
		mesh.KubernetesGateway:   annotation.Gateway,
		mesh.GatewayClass:        annotation.GatewayClass,
	}
}

// kinds are the kinds that carriers looks at, without Service: nothing can be
// said of a mesh whose Services may not be read.
func kinds() []mesh.Kind {
	all := mesh.WorkloadKinds()
	for kind := range carriedBy() {
		if kind != mesh.Service {
			all = append(all, kind)
		}
	}
	slices.SortFunc(all, mesh.Kind.Compare)
	return all
}

// carriers are all sets of annotations that may matter to Istio. Of pods that
// something outside the snapshot runs, the first of each owner stands for all.
func carriers(p *analyze.Pass) iter.Seq[*carrier] {
	return func(yield func(*carrier) bool) {
		_ = ownCarriers(p, yield) && podCarriers(p, yield)
	}
}

// ownCarriers are the metadata of objects that are no workloads.
func ownCarriers(p *analyze.Pass, yield func(*carrier) bool) bool {
	metadata := mesh.Path{"metadata", "annotations"}
	byKind := carriedBy()
	for _, kind := range slices.SortedFunc(maps.Keys(byKind), mesh.Kind.Compare) {
		for _, o := range p.Objects(kind) {
			if len(o.Annotations)+len(o.Labels) > 0 && !yield(&carrier{object: o, annotations: o.Annotations, labels: o.Labels, path: metadata, is: byKind[kind]}) {
				return false
			}
		}
	}
	return true
}

// podCarriers are the metadata of workloads and of their pods.
func podCarriers(p *analyze.Pass, yield func(*carrier) bool) bool {
	metadata := mesh.Path{"metadata", "annotations"}
	seen := map[string]bool{}
	for _, w := range p.Workloads() {
		if len(w.Object.Owners) > 0 {
			owner := fmt.Sprint(w.Object.Namespace, w.Object.Owners[0].Kind, w.Object.Owners[0].Name)
			if seen[owner] {
				continue
			}
			seen[owner] = true
		}
		if w.Template == "" {
			if !yield(&carrier{object: w.Object, annotations: w.PodAnnotations, labels: w.PodLabels, path: metadata, is: annotation.Pod, workload: w, template: true}) {
				return false
			}
			continue
		}
		// What controllers made carries its owner's annotations.
		if len(w.Object.Owners) == 0 && !yield(&carrier{object: w.Object, annotations: w.Object.Annotations, path: metadata, workload: w}) {
			return false
		}
		path := append(mesh.ParsePath(w.Template), metadata...)
		if !yield(&carrier{object: w.Object, annotations: w.PodAnnotations, labels: w.PodLabels, path: path, is: annotation.Pod, workload: w, template: true}) {
			return false
		}
	}
	return true
}

// counts says whether Istio reads the annotation here.
func (c *carrier) counts(a annotation.Instance) bool { return slices.Contains(a.Resources, c.is) }

// kind is what the annotations are those of.
func (c *carrier) kind() string {
	if c.template {
		return "pod"
	}
	return c.object.Kind.Kind
}

// made says whether Istio's Gateway controller made the object: it copies the
// Gateway's annotations to everything.
func (c *carrier) made() bool {
	const name = "gateway.networking.k8s.io/gateway-name"
	return c.object.Labels[name] != "" || (c.workload != nil && c.workload.PodLabels[name] != "")
}
