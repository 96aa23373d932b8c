package annotations

import (
	"slices"
	"strings"

	"istio.io/api/annotation"
	"istio.io/api/label"
)

// Registry is what is known of Istio's annotations and labels.
type Registry struct {
	annotations map[string]annotation.Instance
	labels      map[string]label.Instance
	names       []string // of annotations that people write, sorted
}

// NewRegistry is Istio's own list, and the annotations that Istio reads or
// writes without listing them.
func NewRegistry() *Registry {
	r := &Registry{annotations: map[string]annotation.Instance{}, labels: map[string]label.Instance{}}
	for _, a := range append(annotation.AllResourceAnnotations(), unlisted()...) {
		r.annotations[a.Name] = *a
		if !a.Hidden && !a.Deprecated {
			r.names = append(r.names, a.Name)
		}
	}
	slices.Sort(r.names)
	for _, l := range append(label.AllResourceLabels(), unlistedLabels()...) {
		r.labels[l.Name] = *l
	}
	return r
}

// unlisted are annotations that Istio's code reads or writes, and that its list
// does not have.
func unlisted() []*annotation.Instance {
	named := func(name string, on ...annotation.ResourceTypes) *annotation.Instance {
		return &annotation.Instance{Name: name, Resources: on}
	}
	own := func(name string, on ...annotation.ResourceTypes) *annotation.Instance {
		return &annotation.Instance{Name: name, Resources: on, Hidden: true}
	}
	return []*annotation.Instance{
		named("sidecar.istio.io/capNetBindService", annotation.Pod),
		named("networking.istio.io/address-type", annotation.Gateway),
		named("gateway.istio.io/agentgatewayImage", annotation.Pod, annotation.Gateway),
		named("istio.io/connect-strategy", annotation.Service, annotation.ServiceEntry),
		named("istio.io/ignore-policy-attachment", annotation.Any),
		named("ambient.istio.io/xfcc-include-client-identity", annotation.Any),
		named("envoyfilter.istio.io/referenced-services", annotation.Any),
		own("prometheus.istio.io/secure-port", annotation.Pod),
		own("proxy.istio.io/health-checks-enabled", annotation.WorkloadEntry),
		own("leader.istio.io/holder-key", annotation.Any),
	}
}

// unlistedLabels are labels that Istio reads and its list does not have.
func unlistedLabels() []*label.Instance {
	return []*label.Instance{
		{Name: "istio.io/persistent-session"},
		{Name: "istio.io/persistent-session-header"},
		{Name: "networking.istio.io/tunnel"},
		{Name: "experimental.istio.io/disable-gateway-port-translation"},
		{Name: "gateway.istio.io/defaults-for-class"},
	}
}

// Istios says whether a name is in a domain of Istio's, apart from the groups that
// its installers and its own code keep to themselves.
func Istios(name string) bool {
	domain, _, found := strings.Cut(name, "/")
	if !found || (domain != "istio.io" && !strings.HasSuffix(domain, ".istio.io")) {
		return false
	}
	switch domain {
	case "internal.istio.io", "install.operator.istio.io", "operator.istio.io", "cni.istio.io", "test.istio.io":
		return false
	}
	return true
}

// Annotation is what is known of an annotation.
func (r *Registry) Annotation(name string) (annotation.Instance, bool) {
	a, ok := r.annotations[name]
	return a, ok
}

// IsLabel says whether Istio has a label of the name.
func (r *Registry) IsLabel(name string) bool {
	_, ok := r.labels[name]
	return ok
}

// Names are the annotations that people write, sorted.
func (r *Registry) Names() []string { return r.names }

// SameWord is the annotation that has the same word in another domain, such as
// traffic.sidecar.istio.io/excludeOutboundPorts for sidecar.istio.io/excludeOutboundPorts.
func (r *Registry) SameWord(name string) string {
	_, word, _ := strings.Cut(name, "/")
	for _, known := range r.names {
		if _, other, _ := strings.Cut(known, "/"); strings.EqualFold(word, other) {
			return known
		}
	}
	return ""
}
