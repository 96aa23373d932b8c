package install

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"golang.org/x/sync/errgroup"
)

// requests is how many requests an install has under way at once.
const requests = 12

// Action is what a plan does to one object.
type Action string

// The actions of a plan.
const (
	Create Action = "create"
	Change Action = "change"
	Keep   Action = "unchanged"
	// Unknown is the action when no cluster was asked.
	Unknown Action = "unknown"
)

// Step is one object of a plan.
type Step struct {
	Component string
	Action    Action
	// Object is what is sent: what was rendered, without the fields that others look after.
	Object *unstructured.Unstructured
	// Live is the object in the cluster when the plan was made; nil when there was none.
	Live *unstructured.Unstructured
	// Untried says that the API server could not check the step ahead, as its
	// namespace or its CRD comes with this plan.
	Untried bool

	wave, tier int
}

// Plan is what an install will do, step by step in the order of its waves.
type Plan struct {
	Components []string
	Steps      []*Step
}

// PlanOptions say how to plan, and how to apply the plan.
type PlanOptions struct {
	// Force takes fields over from other managers.
	Force bool
	// Namespace is where the control plane goes; it is created when missing.
	Namespace string
	// Network is the value of the namespace's label topology.istio.io/network; empty means no label.
	Network string
	// Progress takes news; may be nil.
	Progress Progress
}

// Count is the number of steps with an action, of one component or, with "", of all.
func (p *Plan) Count(component string, action Action) int {
	n := 0
	for _, s := range p.Steps {
		if s.Action == action && (component == "" || s.Component == component) {
			n++
		}
	}
	return n
}

// Empty says whether the plan changes nothing.
func (p *Plan) Empty() bool { return p.Count("", Keep) == len(p.Steps) }

// Network is the network that the control plane's namespace belongs to, or "".
func (s *Spec) Network() string { return lookupString(s.tree, "spec", "values", "global", "network") }

// NewPlan compares what was rendered with the cluster and has the API server
// try, without persisting, whatever differs: so conflicts and missing
// permissions come up before anything is changed. Its error names all of them.
func NewPlan(ctx context.Context, c Cluster, m *Manifest, o PlanOptions) (*Plan, error) {
	p := &Plan{}
	planned := map[string]bool{}
	var rendered []*unstructured.Unstructured
	for _, component := range m.Components {
		name := component.Title()
		p.Components = append(p.Components, name)
		for _, obj := range component.Objects {
			rendered = append(rendered, obj)
			if obj.GetKind() == "Namespace" {
				planned[obj.GetName()] = true
			}
			p.add(name, component.Name, obj)
		}
	}
	if len(p.Steps) == 0 {
		return p, nil
	}
	if err := p.addNamespaces(ctx, c, planned, o); err != nil {
		return nil, err
	}
	if err := checkInjectors(ctx, c, m); err != nil {
		return nil, err
	}
	slices.SortStableFunc(p.Steps, func(a, b *Step) int {
		if a.wave != b.wave {
			return a.wave - b.wave
		}
		return a.tier - b.tier
	})
	scaled := scaledBy(append(rendered, liveScalers(ctx, c, rendered)...))
	return p, p.compare(ctx, c, scaled, o)
}

func (p *Plan) add(title, component string, obj *unstructured.Unstructured) {
	p.Steps = append(p.Steps, &Step{Component: title, Object: obj, wave: waveOf(component, obj), tier: tierOf(obj)})
}

// addNamespaces adds the namespaces that the rendered objects need and the
// cluster lacks. Namespaces that exist are left alone, but for the network label.
func (p *Plan) addNamespaces(ctx context.Context, c Reader, planned map[string]bool, o PlanOptions) error {
	for _, s := range slices.Clone(p.Steps) {
		name := s.Object.GetNamespace()
		if name == "" || planned[name] {
			continue
		}
		planned[name] = true
		live, err := c.Get(ctx, namespaceKind(), "", name)
		if err != nil && !apierrors.IsNotFound(err) {
			return failure("reading", "Namespace "+name, "get", err)
		}
		labelled := name == o.Namespace && o.Network != ""
		if err == nil && (!labelled || live.GetLabels()[networkLabel] == o.Network) {
			continue
		}
		ns := &unstructured.Unstructured{}
		ns.SetGroupVersionKind(namespaceKind())
		ns.SetName(name)
		if labelled {
			ns.SetLabels(map[string]string{networkLabel: o.Network})
		}
		p.add(s.Component, "", ns)
	}
	return nil
}

const networkLabel = "topology.istio.io/network"

func namespaceKind() schema.GroupVersionKind {
	return schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}
}

// liveScalers are the autoscalers in the namespaces of the workloads. When they
// may not be read, only those that were rendered count.
func liveScalers(ctx context.Context, c Reader, rendered []*unstructured.Unstructured) []*unstructured.Unstructured {
	seen := map[string]bool{}
	var scalers []*unstructured.Unstructured
	for _, obj := range rendered {
		ns := obj.GetNamespace()
		if !isWorkload(obj) || seen[ns] {
			continue
		}
		seen[ns] = true
		list, err := c.List(ctx, schema.GroupVersionKind{Group: "autoscaling", Version: "v2", Kind: "HorizontalPodAutoscaler"}, ns, "")
		if err == nil {
			scalers = append(scalers, list...)
		}
	}
	return scalers
}

func (p *Plan) compare(ctx context.Context, c Cluster, scaled map[string]bool, o PlanOptions) error {
	defined := p.defines()
	var mu sync.Mutex
	var failures []error
	var g errgroup.Group
	g.SetLimit(requests)
	for _, s := range p.Steps {
		g.Go(func() error {
			if err := s.compare(ctx, c, scaled, defined, o.Force); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failures = append(failures, err)
			}
			return nil
		})
	}
	_ = g.Wait() // failures holds them all
	return joinFailures("planning the install", failures)
}

// defines are the kinds whose CRDs come with the plan.
func (p *Plan) defines() map[schema.GroupKind]bool {
	kinds := map[schema.GroupKind]bool{}
	for _, s := range p.Steps {
		if s.Object.GetKind() != "CustomResourceDefinition" {
			continue
		}
		group, _, _ := unstructured.NestedString(s.Object.Object, "spec", "group")
		kind, _, _ := unstructured.NestedString(s.Object.Object, "spec", "names", "kind")
		kinds[schema.GroupKind{Group: group, Kind: kind}] = true
	}
	return kinds
}

// looks is how often a conflict is looked into: istiod may take a field of its
// webhooks between our reading and our trying.
const looks = 3

func (s *Step) compare(ctx context.Context, c Cluster, scaled map[string]bool, defined map[schema.GroupKind]bool, force bool) error {
	rendered := s.Object
	for look := 1; ; look++ {
		err := s.compareOnce(ctx, c, rendered, scaled, defined, force)
		if look == looks || !isFieldConflict(err) || !isWebhook(rendered) {
			return err
		}
	}
}

func (s *Step) compareOnce(ctx context.Context, c Cluster, want *unstructured.Unstructured, scaled map[string]bool, defined map[schema.GroupKind]bool, force bool) error {
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
	s.Live, s.Object = live, adjust(want, live, scaled)
	if live != nil && upToDate(s.Object, live) {
		s.Action = Keep
		return nil
	}
	tried, err := c.Apply(ctx, s.Object, true, force)
	switch {
	case err != nil && live == nil && isMissingNamespace(err):
		s.Action, s.Untried = Create, true
	case err != nil:
		return failure("applying", ident(want), "patch", err)
	case live == nil:
		s.Action = Create
	case unchanged(live, tried):
		s.Action = Keep
	default:
		s.Action = Change
	}
	return nil
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
