package install

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
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
	// TakeOver makes an object of istioctl's or Helm's our own, and changes it where need be.
	TakeOver Action = "take over"
	// Prune deletes what an earlier install applied and this one no longer has.
	Prune Action = "prune"
	// Refused is the action when another manager owns fields that we want otherwise.
	Refused Action = "conflict"
	// Unknown is the action when no cluster was asked.
	Unknown Action = "unknown"
)

// Step is one object of a plan.
type Step struct {
	Component string
	Action    Action
	// Object is what is sent: what was rendered, without the fields that others
	// look after. Of a step that prunes it is what is deleted.
	Object *unstructured.Unstructured
	// Live is the object in the cluster when the plan was made; nil when there was none.
	Live *unstructured.Unstructured
	// Untried says that the API server could not check the step ahead, as its
	// namespace or its CRD comes with this plan.
	Untried bool
	// Fields are what a Change or a TakeOver changes.
	Fields []FieldChange
	// Conflicts are why the step is Refused.
	Conflicts []Conflict
	// From is the installer whose object is taken over, such as istioctl.
	From string

	tried    *unstructured.Unstructured // what the API server would make of it
	managers []string                   // of From
	refusal  error
	force    bool // none of the conflicts that the API server names is one
	wave     int
	tier     int
}

// Left is an object that an install of istioctl's or of meshctl's own once
// brought, that this plan has no use for and that is not deleted.
type Left struct {
	Recorded
	// Why says whose it is, or what keeps it.
	Why string `json:"why"`
}

// Plan is what an install will do, step by step in the order of its waves.
type Plan struct {
	Components []string
	Steps      []*Step
	// Left is sorted by component.
	Left []Left

	inventory *Inventory
	stored    *stored
	held      []Recorded // recorded and kept, though the plan has no use for them
	clash     error      // two injectors would take the same pods
}

// PlanOptions say how to plan, and how to apply the plan.
type PlanOptions struct {
	// Force takes fields over from other managers.
	Force bool
	// TakeOwnership makes objects of istioctl's and Helm's our own, and prunes
	// those of istioctl's that the plan has no use for.
	TakeOwnership bool
	// KeepUnused leaves what would be pruned.
	KeepUnused bool
	// Namespace is where the control plane goes; "" means istio-system. It is
	// created when missing. The inventory lives there.
	Namespace string
	// Revision is the one that is installed.
	Revision string
	// Record is what the history says of the run.
	Record Record
	// Network is the value of the namespace's label topology.istio.io/network; empty means no label.
	Network string
	// Progress takes news; may be nil.
	Progress Progress
	// KeepWaiting waits until the deadline even for what waiting does not heal.
	KeepWaiting bool
	// Grace is how long such a cause may stay before the wait ends; 0 means ten seconds.
	Grace time.Duration
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

// Blocked is the error that names every conflict, or the injectors that would
// take the same pods; nil when nothing keeps the plan from being applied.
func (p *Plan) Blocked() error {
	var refusals []error
	for _, s := range p.Steps {
		if s.refusal != nil {
			refusals = append(refusals, s.refusal)
		}
	}
	if len(refusals) == 0 && p.clash != nil {
		refusals = append(refusals, p.clash)
	}
	return joinFailures("planning the install", refusals)
}

// Resumes is the run before this one if it did not end well: killed, or failed.
func (p *Plan) Resumes() *Entry {
	if p.inventory == nil {
		return nil
	}
	if last := p.inventory.Last(); last != nil && (last.Status == Deploying || last.Status == Broken) {
		return last
	}
	return nil
}

// changes sums up what the plan writes.
func (p *Plan) changes() string {
	var parts []string
	for _, a := range []struct {
		action Action
		done   string
	}{{Create, "created"}, {Change, "changed"}, {TakeOver, "taken over"}, {Prune, "pruned"}} {
		if n := p.Count("", a.action); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, a.done))
		}
	}
	return orElse(strings.Join(parts, ", "), "none")
}

// Network is the network that the control plane's namespace belongs to, or "".
func (s *Spec) Network() string { return lookupString(s.tree, "spec", "values", "global", "network") }

// NewPlan compares what was rendered with the cluster and with the inventory,
// and has the API server try, without persisting, whatever differs: so missing
// permissions come up before anything is changed; its error names all of them.
// Conflicts are in the plan, which [Plan.Blocked] then keeps from being applied.
func NewPlan(ctx context.Context, c Cluster, m *Manifest, o PlanOptions) (*Plan, error) {
	o.Namespace = orElse(o.Namespace, "istio-system")
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
	var err error
	if p.stored, err = pack(m, o.Record.Version, o.Record.Inputs); err != nil {
		return nil, err
	}
	if err := p.addNamespaces(ctx, c, planned, o); err != nil {
		return nil, err
	}
	slices.SortStableFunc(p.Steps, func(a, b *Step) int {
		if a.wave != b.wave {
			return a.wave - b.wave
		}
		return a.tier - b.tier
	})
	scaled := scaledBy(append(rendered, liveScalers(ctx, c, rendered)...))
	if err := p.compare(ctx, c, scaled, o); err != nil {
		return nil, err
	}
	if err := p.compareInventory(ctx, c, o); err != nil {
		return nil, err
	}
	p.clash, err = p.clashes(ctx, c)
	return p, err
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
			if err := s.compare(ctx, c, scaled, defined, o); err != nil {
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
