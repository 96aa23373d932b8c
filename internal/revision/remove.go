package revision

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/hint"
)

// PlanRemoval is what removing a tag does.
func (s *State) PlanRemoval(name string) (*Change, error) {
	t := s.Tag(name)
	if t == nil {
		next := "there are no tags here; `meshctl tag list` shows the revisions"
		if names := s.tagNames(); len(names) > 0 {
			next = strings.TrimSpace(hint.DidYouMean(name, names) + " tags here: " + strings.Join(names, ", "))
		}
		return nil, hint.Usagef(next, "removing tag %s: there is no tag %q in namespace %s", name, name, s.Namespace)
	}
	change := &Change{Tag: name, Previous: t.Revision, Users: t.Users}
	for _, obj := range slices.SortedStableFunc(slices.Values(t.objects), func(a, b *unstructured.Unstructured) int {
		return cmp.Compare(a.GetKind(), b.GetKind()) // the webhooks before the Service
	}) {
		change.Steps = append(change.Steps, &Step{Action: Remove, Object: obj})
	}
	return change, nil
}

// Remove deletes what the change removes, or with dryRun asks whether it could.
// What is gone already is fine.
func (c *Change) Remove(ctx context.Context, cluster Cluster, dryRun bool) error {
	for _, s := range c.Steps {
		if err := cluster.Delete(ctx, s.Object, dryRun); err != nil && !apierrors.IsNotFound(err) {
			return hint.Failf("running the same command again continues", "removing %s: %w", ident(s.Object), err)
		}
		s.Done = !dryRun
	}
	return nil
}

// Text says how many namespaces and pods use it.
func (u Users) Text() string {
	pods := fmt.Sprintf("%d pods", u.Pods)
	if u.Pods == 1 {
		pods = "1 pod"
	}
	switch len(u.Namespaces) {
	case 0:
		return pods
	case 1:
		return "namespace " + u.Namespaces[0] + " (" + pods + ")"
	}
	const shown = 10
	names := strings.Join(u.Namespaces[:min(shown, len(u.Namespaces))], ", ")
	if more := len(u.Namespaces) - shown; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("%d namespaces: %s (%s)", len(u.Namespaces), names, pods)
}
