package install

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/hint"
)

// looks is how often an object is looked at when somebody else writes it between
// our reading and our trying: controllers its status, istiod its webhooks.
const looks = 3

func (s *Step) compare(ctx context.Context, c Cluster, scaled map[string]bool, defined map[schema.GroupKind]bool, o PlanOptions) error {
	rendered := s.Object
	for look := 1; ; look++ {
		s.Action, s.Conflicts, s.refusal, s.tried, s.Fields = "", nil, nil, nil, nil
		err := s.compareOnce(ctx, c, rendered, scaled, defined, o)
		taken := s.Action == Refused && isWebhook(rendered)
		if look == looks || !taken && !s.overtaken() {
			return err
		}
	}
}

// overtaken says whether what was tried is not what was read: a dry run leaves
// the version as it is.
func (s *Step) overtaken() bool {
	return s.Live != nil && s.tried != nil && s.Live.GetResourceVersion() != s.tried.GetResourceVersion()
}

func (s *Step) compareOnce(ctx context.Context, c Cluster, want *unstructured.Unstructured, scaled map[string]bool, defined map[schema.GroupKind]bool, o PlanOptions) error {
	live, err := c.Get(ctx, want.GroupVersionKind(), want.GetNamespace(), want.GetName())
	switch {
	case apierrors.IsNotFound(err):
		live = nil
	case meta.IsNoMatchError(err) && !defined[want.GroupVersionKind().GroupKind()]:
		return failure("applying", ident(want), "patch", err)
	case meta.IsNoMatchError(err):
		s.Action, s.Untried = Create, true
		s.Object = adjust(want, nil, scaled)
		return nil
	case err != nil:
		return failure("reading", ident(want), "get", err)
	}
	s.From, s.managers = formerOwner(live)
	takeOver := o.TakeOwnership && s.From != ""
	s.Live, s.Object = live, adjust(want, live, scaled)
	if takeOver {
		s.Object = adjust(want, adopted(live, s.managers), scaled)
	}
	if live != nil && !takeOver && upToDate(s.Object, live) {
		s.Action = Keep
		return nil
	}
	if r := release(live); r != "" && !takeOver && !o.Force {
		s.refuse(nil, []Conflict{{Owner: ofHelm + r}})
		return nil
	}
	s.tried, err = s.try(ctx, c, o.Force, takeOver)
	switch {
	case s.Action == Refused:
	case err != nil && live == nil && isMissingNamespace(err):
		s.Action, s.Untried = Create, true
	case err != nil:
		return failure("applying", ident(want), "patch", err)
	case live == nil:
		s.Action = Create
	case takeOver:
		s.Action, s.tried = TakeOver, s.takenOver()
		s.Fields = fieldChanges(live, s.tried)
	case unchanged(live, s.tried):
		s.Action = Keep
	default:
		s.Action, s.Fields = Change, fieldChanges(live, s.tried)
	}
	return nil
}

// try asks the API server what it would make of the step. Not every conflict
// that it names is one: a field that keeps its meaning, such as 2000m for 2, is
// not worth refusing, and nor are those of an object that is taken over.
func (s *Step) try(ctx context.Context, c Applier, force, takeOver bool) (*unstructured.Unstructured, error) {
	s.force = force
	tried, err := c.Apply(ctx, s.Object, true, force)
	if !isFieldConflict(err) {
		return tried, err
	}
	forced, forcedErr := c.Apply(ctx, s.Object, true, true)
	if forcedErr != nil {
		return nil, forcedErr
	}
	conflicts := genuine(conflictsOf(err), fieldChanges(s.Live, forced))
	if takeOver {
		conflicts = others(conflicts, s.managers)
	}
	if len(conflicts) > 0 {
		s.refuse(err, conflicts)
		return nil, err
	}
	s.force = true
	return forced, nil
}

// refuse notes why a step can't be done: the API server's error, or that
// somebody else installed the object.
func (s *Step) refuse(err error, conflicts []Conflict) {
	s.Action, s.Conflicts = Refused, conflicts
	if err != nil {
		s.refusal = failure("applying", ident(s.Object), "patch", onlyConflicts(err, conflicts))
		return
	}
	s.refusal = hint.Failf(takeOwnership, "%w", &problem{doing: "applying", object: ident(s.Object), text: conflicts[0].Owner + " owns it"})
}

// unchanged says whether the API server would keep live as it is.
func unchanged(live, tried *unstructured.Unstructured) bool {
	return reflect.DeepEqual(comparable(live), comparable(tried))
}

// comparable is an object without what changes by the mere asking. Who owns
// what counts, when it was noted does not.
func comparable(obj *unstructured.Unstructured) map[string]any {
	o := obj.DeepCopy()
	for _, field := range []string{"resourceVersion", "generation"} {
		unstructured.RemoveNestedField(o.Object, "metadata", field)
	}
	managed, _, _ := unstructured.NestedSlice(o.Object, "metadata", "managedFields")
	for _, m := range managed {
		if entry, ok := m.(map[string]any); ok {
			delete(entry, "time")
		}
	}
	if managed != nil {
		slices.SortFunc(managed, func(a, b any) int { return strings.Compare(managerOf(a), managerOf(b)) })
		_ = unstructured.SetNestedSlice(o.Object, managed, "metadata", "managedFields") // metadata is a map
	}
	return o.Object
}

func managerOf(entry any) string {
	m, _ := entry.(map[string]any)
	manager, _ := m["manager"].(string)
	operation, _ := m["operation"].(string)
	subresource, _ := m["subresource"].(string)
	return manager + "/" + operation + "/" + subresource
}

// isMissingNamespace tells the namespace that is not there yet from an object
// that is not there.
func isMissingNamespace(err error) bool {
	var status apierrors.APIStatus
	return apierrors.IsNotFound(err) && errors.As(err, &status) && status.Status().Details != nil && status.Status().Details.Kind == "namespaces"
}
