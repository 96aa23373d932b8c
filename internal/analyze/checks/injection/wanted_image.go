package injection

import (
	"cmp"
	"fmt"

	admission "k8s.io/api/admissionregistration/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// wantedImages remembers which image each revision injects.
type wantedImages struct {
	known     bool // all webhooks are known
	injectors map[string]injector
	images    map[injector]mesh.Image
}

// injector is a revision and the namespace of its istiod.
type injector struct{ namespace, revision string }

func newWanted(p *analyze.Pass) *wantedImages {
	return &wantedImages{
		known:     p.KnownEverywhere(mesh.MutatingWebhookConfiguration),
		injectors: map[string]injector{}, images: map[injector]mesh.Image{},
	}
}

// of is the revision that would inject a pod today and the image that it would
// give it; ok is false when nobody would, or the input does not say.
func (x *wantedImages) of(p *analyze.Pass, w *mesh.Workload, injected string) (revision string, image mesh.Image, ok bool) {
	ns := p.Get(mesh.Namespace, "", w.Object.Namespace)
	from := injector{revision: cmp.Or(injected, "default")}
	switch {
	case ns == nil:
	case x.known:
		if from = x.injector(p, w, ns); from.revision == "" {
			return "", mesh.Image{}, false
		}
	default:
		// A label may name a tag, which only the webhooks explain.
		asked := injector{revision: askedRevision(w, ns)}
		if p.InjectorConfig("", asked.revision) != nil {
			from = asked
		}
	}
	image, seen := x.images[from]
	if !seen {
		if config := p.InjectorConfig(from.namespace, from.revision); config != nil {
			image, _ = mesh.ProxyImage(config)
		}
		x.images[from] = image
	}
	if image.Name == "" {
		p.CantTell(mesh.ConfigMap, cmp.Or(from.namespace, p.IstioNamespace()))
		return "", mesh.Image{}, false
	}
	return from.revision, image, true
}

// injector asks the webhooks once for each combination of labels that they look at.
func (x *wantedImages) injector(p *analyze.Pass, w *mesh.Workload, ns *mesh.Object) injector {
	key := fmt.Sprint(ns.Name, w.PodLabels[mesh.InjectLabel], w.PodLabels[mesh.RevisionLabel])
	found, seen := x.injectors[key]
	if seen {
		return found
	}
	if config := mesh.As[*admission.MutatingWebhookConfiguration](p.Injector(ns, w.PodLabels)); config != nil {
		found.revision = cmp.Or(config.Labels[mesh.RevisionLabel], "default")
		for _, hook := range config.Spec.Webhooks {
			if service := hook.ClientConfig.Service; service != nil {
				found.namespace = service.Namespace
			}
		}
	}
	x.injectors[key] = found
	return found
}

// askedRevision is the revision or tag that labels ask for.
func askedRevision(w *mesh.Workload, ns *mesh.Object) string {
	switch {
	case ns.Labels[mesh.InjectionLabel] == "enabled":
		return "default"
	case ns.Labels[mesh.RevisionLabel] != "":
		return ns.Labels[mesh.RevisionLabel]
	}
	return cmp.Or(w.PodLabels[mesh.RevisionLabel], "default")
}
