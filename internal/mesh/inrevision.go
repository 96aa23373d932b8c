package mesh

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// DefaultRevision is the control plane of what names no revision.
const DefaultRevision = "default"

// Revision is the control plane whose view the snapshot is: a revision, never a tag.
func (s *Snapshot) Revision() string { return s.revision }

// resolveRevision is the revision that is meant by a revision or a tag; by
// nothing, the default one: that of the tag "default", else the one without a
// name, else the only one that has a mesh config.
func resolveRevision(objects []*Object, o Options) string {
	if o.onlyLabelled {
		return o.Revision // in a label it is meant as it stands
	}
	asked := cmp.Or(o.Revision, DefaultRevision)
	var named []string
	for _, object := range objects {
		switch {
		case object.Kind == MutatingWebhookConfiguration || object.Kind == Service:
			if object.Labels[TagLabel] == asked && object.Labels[RevisionLabel] != "" {
				return object.Labels[RevisionLabel]
			}
		case object.Kind == ConfigMap && object.Namespace == o.IstioNamespace:
			if object.Name == "istio" {
				named = append(named, DefaultRevision)
			} else if rev := object.Labels[RevisionLabel]; rev != "" && object.Name == "istio-"+rev {
				named = append(named, rev)
			}
		}
	}
	slices.Sort(named)
	named = slices.Compact(named)
	if asked == DefaultRevision && len(named) == 1 {
		return named[0]
	}
	return asked
}

// inRevision says whether istiod of a revision reads an object: Istio's
// configuration can be labelled for one revision, and then counts for no other.
// A tag in that label is no revision.
func inRevision(o *Object, revision string) bool {
	label, labelled := o.Labels[RevisionLabel]
	return !labelled || !o.Kind.IsIstio() || label == revision
}

// Revisions are the revisions that have a control plane in the input: a
// webhook, a mesh config or an istiod of their own, sorted.
func (s *Snapshot) Revisions() []string {
	s.touch(MutatingWebhookConfiguration, ConfigMap)
	found := map[string]bool{}
	for _, o := range slices.Concat(s.byKind[MutatingWebhookConfiguration], s.byKind[Deployment]) {
		istiod := o.Kind == Deployment && o.Namespace == s.options.IstioNamespace && o.Labels["app"] == "istiod"
		if rev := o.Labels[RevisionLabel]; rev != "" && (istiod || o.Kind == MutatingWebhookConfiguration) {
			found[rev] = true
		}
	}
	for _, o := range s.byKind[ConfigMap] {
		if o.Namespace != s.options.IstioNamespace {
			continue
		}
		if o.Name == "istio" {
			found[DefaultRevision] = true
		} else if rev := o.Labels[RevisionLabel]; rev != "" && strings.HasPrefix(o.Name, "istio") {
			found[rev] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// Tags are the revision tags of the input and the revisions they point at.
func (s *Snapshot) Tags() map[string]string {
	s.touch(MutatingWebhookConfiguration)
	tags := map[string]string{}
	for _, o := range s.byKind[MutatingWebhookConfiguration] {
		if tag := o.Labels[TagLabel]; tag != "" {
			tags[tag] = o.Labels[RevisionLabel]
		}
	}
	return tags
}

// forRevisions are the revisions that labels of Istio's configuration name.
func forRevisions(objects []*Object) []string {
	found := map[string]bool{}
	for _, o := range objects {
		if rev := o.Labels[RevisionLabel]; rev != "" && o.Kind.IsIstio() {
			found[rev] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}
