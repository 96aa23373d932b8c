package install

import (
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	istio "github.com/meshctl/meshctl/internal/mesh"
)

// Conflict is a field that somebody else owns with another value.
type Conflict struct {
	// Field is the path as the API server writes it; "" when the whole object is meant.
	Field string `json:"field,omitempty"`
	// Owner is the field manager, or the Helm release, that owns it.
	Owner string `json:"owner"`
}

// What other tools leave on the objects that they install.
const (
	peerManaged   = "operator.istio.io/managed"
	peerVersion   = "operator.istio.io/version"
	peerResource  = "install.operator.istio.io/owning-resource"
	peerNamespace = "install.operator.istio.io/owning-resource-namespace"
	helmRelease   = "meta.helm.sh/release-name"
	helmNamespace = "meta.helm.sh/release-namespace"
)

// ofHelm begins the name of an owner that is a Helm release.
const ofHelm = "Helm release "

// takeOwnership is the hint for whoever meets another installer's objects.
const takeOwnership = "--take-ownership makes the objects of istioctl's, or of a Helm release, meshctl's own"

// peerManagers are istioctl's field managers: that of install, and those by
// which it changes webhooks for tags.
func peerManagers() []string { return []string{"istio-operator", "istioctl", "istio-ci"} }

// chartManagers are those of Helm and of Flux, which drives it.
func chartManagers() []string { return []string{"helm", "Helm", "helm-controller"} }

// release is the Helm release that an object belongs to, namespace/name, or "".
func release(obj *unstructured.Unstructured) string {
	if obj == nil {
		return ""
	}
	notes := obj.GetAnnotations()
	if notes[helmRelease] == "" {
		return ""
	}
	return notes[helmNamespace] + "/" + notes[helmRelease]
}

// formerOwner names the installer that an object comes from, if it is one that
// meshctl can take over from, and its field managers; else it is empty.
func formerOwner(live *unstructured.Unstructured) (owner string, managers []string) {
	if live == nil {
		return "", nil
	}
	peers := peerManagers()
	for _, m := range live.GetManagedFields() {
		known := slices.Contains(peers, m.Manager) || slices.Contains(chartManagers(), m.Manager)
		if m.Subresource == "" && known && !slices.Contains(managers, m.Manager) {
			managers = append(managers, m.Manager)
		}
	}
	switch r := release(live); {
	case r != "":
		return ofHelm + r, managers
	case slices.ContainsFunc(managers, func(m string) bool { return slices.Contains(peers, m) }):
		return "istioctl", managers
	}
	return "", nil
}

// conflictsOf are the fields that the API server refuses to give us.
func conflictsOf(err error) []Conflict {
	var all []Conflict
	for _, c := range causes(err) {
		if isConflictCause(c) {
			all = append(all, Conflict{Field: c.Field, Owner: conflictOwner(c.Message)})
		}
	}
	return all
}

// conflictOwner cuts the manager out of: conflict with "owner" using apps/v1 at ...
func conflictOwner(message string) string {
	if quoted := strings.SplitN(message, `"`, 3); len(quoted) == 3 {
		return quoted[1]
	}
	return message
}

// genuine are the conflicts over fields that would change.
func genuine(conflicts []Conflict, changes []FieldChange) []Conflict {
	return slices.DeleteFunc(conflicts, func(c Conflict) bool {
		field := plainPath(c.Field)
		return !slices.ContainsFunc(changes, func(f FieldChange) bool {
			path := plainPath(f.Path)
			return within(path, field) || within(field, path)
		})
	})
}

// within says whether a plain path is another or below it.
func within(path, other string) bool {
	rest, ok := strings.CutPrefix(path, other)
	return ok && (rest == "" || rest[0] == '.')
}

// plainPath writes our paths and the API server's alike: .a.b[name="x"].c and
// a.b[x].c are a.b.x.c.
func plainPath(path string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(path, "[") {
		if key, rest, ok := strings.Cut(part, "]"); ok {
			if _, v, keyed := strings.Cut(key, "="); keyed {
				key = strings.Trim(v, `"`)
			}
			part = "." + key + rest
		}
		b.WriteString(part)
	}
	return strings.Trim(b.String(), ".")
}

// onlyConflicts is the API server's error with just these conflicts.
func onlyConflicts(err error, conflicts []Conflict) error {
	status := statusOf(err)
	details := status.Details.DeepCopy()
	details.Causes = slices.DeleteFunc(details.Causes, func(c metav1.StatusCause) bool {
		return isConflictCause(c) && !slices.Contains(conflicts, Conflict{c.Field, conflictOwner(c.Message)})
	})
	status.Details = details
	return &apierrors.StatusError{ErrStatus: status}
}

// others are the conflicts with managers that are not in the list.
func others(conflicts []Conflict, managers []string) []Conflict {
	return slices.DeleteFunc(slices.Clone(conflicts), func(c Conflict) bool { return slices.Contains(managers, c.Owner) })
}

// heldBy says why an object that was recorded as ours is not ours to delete any more, or "".
func heldBy(live *unstructured.Unstructured, revision string) string {
	labels := live.GetLabels()
	if tag, rev := labels[istio.TagLabel], labels[LabelRevision]; tag == DefaultRevision || tag != "" && rev != revision {
		return fmt.Sprintf("the tag %s points at revision %s now", tag, rev)
	}
	if r := release(live); r != "" {
		return "it belongs to Helm release " + r + " now"
	}
	if owner := labels[LabelManagedBy]; owner != ManagedBy {
		return fmt.Sprintf("its label %s is no longer %s", LabelManagedBy, ManagedBy)
	}
	if refs := live.GetOwnerReferences(); len(refs) > 0 {
		return "it belongs to " + refs[0].Kind + " " + refs[0].Name + " now"
	}
	if ownedFields(live) == nil {
		return "no field of it is ours any more"
	}
	return ""
}

// Notes are what is worth doing after objects were taken over: Helm goes on
// listing a release of which it owns nothing any more.
func (r *Report) Notes() []string {
	var notes []string
	for _, c := range r.Components {
		for _, o := range c.Objects {
			release, helm := strings.CutPrefix(o.From, ofHelm)
			if !helm {
				continue
			}
			namespace, name, _ := strings.Cut(release, "/")
			note := fmt.Sprintf("Helm still lists release %s in namespace %s, whose objects are meshctl's now: "+
				"take its record away with `kubectl delete secret -n %s -l owner=helm,name=%s`, not with helm uninstall", name, namespace, namespace, name)
			if !slices.Contains(notes, note) {
				notes = append(notes, note)
			}
		}
	}
	return notes
}
