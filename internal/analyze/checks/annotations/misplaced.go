package annotations

import (
	"maps"
	"slices"
	"strings"

	"istio.io/api/annotation"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// Misplaced finds annotations on objects where Istio does not look for them.
var Misplaced = &analyze.Check{
	Code: "IST0107", Name: "misplaced-annotation", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.Service},
	Uses:  kinds(),
	Doc: analyze.Doc{
		What: "An annotation of Istio's stands on a kind of object where Istio does not read it: mostly one for pods that stands on a Deployment instead of its pod template.",
		Why:  "It does nothing there. The proxy keeps its default resources, the port is still redirected, the Service is still visible everywhere.",
		Fix:  "Move it to where it belongs: spec.template.metadata.annotations for what concerns pods and their proxies.",
	},
	Run: func(p *analyze.Pass) {
		known := NewRegistry()
		for c := range carriers(p) {
			if c.made() {
				continue
			}
			for _, name := range c.istios() {
				if a, ok := known.Annotation(name); ok {
					misplaced(p, c, a)
				}
			}
			asLabels(p, known, c)
			ingressClass(p, c)
		}
	},
}

func misplaced(p *analyze.Pass, c *carrier, a annotation.Instance) {
	forPods := slices.Contains(a.Resources, annotation.Pod)
	switch {
	case slices.Contains(a.Resources, annotation.Any), c.counts(a):
		return
	case c.is == annotation.Gateway && (forPods || slices.Contains(a.Resources, annotation.Service)):
		return // goes to the Deployment, its pods and the Service that are made for the Gateway
	case c.is == annotation.WorkloadEntry && forPods:
		return // came from the template of a WorkloadGroup
	case a.Name == annotation.SidecarStatus.Name, a.Name == annotation.IoIstioRev.Name && c.is != annotation.Namespace:
		return // what Istio's tools leave behind
	case forPods && c.workload != nil:
		if c.workload.PodAnnotations[a.Name] == "" && c.workload.PodLabels[a.Name] == "" {
			p.Report(c.key(a.Name), "%s concerns pods: on the %s itself it does nothing", a.Name, c.object.Kind.Kind).
				Suggest("move it to %s.metadata.annotations", c.workload.Template)
		}
		return
	}
	f := p.Report(c.key(a.Name), "%s does nothing on a %s: it belongs on %s", a.Name, c.kind(), places(a))
	value := c.annotations[a.Name]
	switch {
	case c.is == annotation.Namespace && a.Name == annotation.IoIstioRev.Name:
		f.Suggest("make it a label: kubectl label namespace %s istio.io/rev=%s", c.object.Name, value)
	case c.is == annotation.Namespace && a.Name == annotation.SidecarInject.Name:
		f.Suggest("label the namespace instead: kubectl label namespace %s istio-injection=%s", c.object.Name, enabled(value))
	case forPods:
		f.Suggest("move it to the pod templates of the workloads, or remove it")
	default:
		f.Suggest("move it there, or remove it")
	}
}

// asLabels reports annotations that were written as labels.
func asLabels(p *analyze.Pass, known *Registry, c *carrier) {
	for _, name := range slices.Sorted(maps.Keys(c.labels)) {
		a, ok := known.Annotation(name)
		if !ok || !Istios(name) || a.Hidden || known.IsLabel(name) || c.annotations[name] != "" {
			continue
		}
		p.Report(c.object.AtKey("%s", c.label(name)), "%s is an annotation: as a label it does nothing", name).
			Suggest("write %s: %q under annotations", name, c.labels[name])
	}
}

func enabled(inject string) string {
	if inject == "false" {
		return "disabled"
	}
	return "enabled"
}

// places are the kinds where an annotation belongs: "a Pod", "a Namespace or Service".
func places(a annotation.Instance) string {
	var names []string
	for _, r := range a.Resources {
		names = append(names, r.String())
	}
	last := len(names) - 1
	if last == 0 {
		return "a " + names[0]
	}
	return "a " + strings.Join(names[:last], ", ") + " or " + names[last]
}

// ingressClass reports the class of an Ingress on something else. Other ingress
// controllers read it on Services, so there it must name Istio's class.
func ingressClass(p *analyze.Pass, c *carrier) {
	name := annotation.IoKubernetesIngressClass.Name
	class, there := c.annotations[name]
	if !there || (c.workload == nil && c.is != annotation.Namespace && class != istioClass(p)) {
		return
	}
	p.Report(c.key(name), "%s does nothing on a %s: it belongs on an Ingress", name, c.kind()).
		Suggest("move it to the Ingress, or remove it")
}

// istioClass is the class of Ingresses that Istio serves.
func istioClass(p *analyze.Pass) string {
	if class := p.MeshConfig().GetIngressClass(); class != "" {
		return class
	}
	return "istio"
}
