package install

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// Labels that say who an object belongs to.
const (
	// LabelComponent names the component of an object, on every object.
	LabelComponent = "meshctl.io/component"
	// LabelManagedBy is ManagedBy on every object that meshctl installed.
	LabelManagedBy = "meshctl.io/managed-by"
	// LabelRevision is Istio's own: the revision that an object belongs to. It
	// is on every object but those of Base, which all revisions share.
	LabelRevision = "istio.io/rev"
	// LabelIstioComponent is istioctl's name for LabelComponent; its queries find our objects.
	LabelIstioComponent = "operator.istio.io/component"
	// ManagedBy is the value of LabelManagedBy.
	ManagedBy = "meshctl"
)

// own labels the objects as the component's. Istio's labels stay as the charts set them.
func (c *component) own(s *Spec, objects []*unstructured.Unstructured) {
	for _, o := range objects {
		labels := o.GetLabels() // a copy: CRDs share theirs
		if labels == nil {
			labels = map[string]string{}
		}
		labels[LabelComponent] = c.label
		labels[LabelManagedBy] = ManagedBy
		setDefault(labels, LabelIstioComponent, c.label)
		if c.dir != dirBase {
			setDefault(labels, LabelRevision, s.Revision)
		}
		o.SetLabels(labels)
	}
}

func setDefault(m map[string]string, k, v string) {
	if _, ok := m[k]; !ok {
		m[k] = v
	}
}
