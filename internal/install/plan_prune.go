package install

import (
	"context"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"golang.org/x/sync/errgroup"
)

// wavePrune comes after all waves: what is no longer wanted serves until what
// replaces it is ready.
const wavePrune = waveCount

// compareInventory finds what earlier installs brought and the plan has no use
// for: ours is pruned, what is somebody else's is left and said.
func (p *Plan) compareInventory(ctx context.Context, c Cluster, o PlanOptions) error {
	all, err := Inventories(ctx, c, o.Namespace)
	if err != nil {
		return err
	}
	p.inventory = &Inventory{Revision: orElse(o.Revision, DefaultRevision), namespace: o.Namespace}
	var rest []*Inventory
	for _, inv := range all {
		if inv.Revision == p.inventory.Revision {
			p.inventory = inv
		} else {
			rest = append(rest, inv)
		}
	}
	f := &unused{plan: p, wanted: map[string]bool{}, keep: o.KeepUnused}
	for _, s := range p.Steps {
		f.wanted[recordedOf("", s.Object).id()] = true
	}
	for _, inv := range rest {
		for _, r := range inv.Objects {
			f.wanted[r.id()] = true
		}
	}
	if err := f.ours(ctx, c); err != nil {
		return err
	}
	if slices.ContainsFunc(p.Steps, func(s *Step) bool { return s.Live != nil && s.Live.GetLabels()[peerManaged] != "" }) {
		if err := f.theirs(ctx, c, o); err != nil {
			return err
		}
	}
	f.sort()
	return nil
}

// unused finds what the plan has no use for.
type unused struct {
	plan   *Plan
	wanted map[string]bool // what this plan or another revision needs, by id
	keep   bool

	mu sync.Mutex
}

// ours are the objects that the inventory has.
func (f *unused) ours(ctx context.Context, c Reader) error {
	var g errgroup.Group
	g.SetLimit(requests)
	for _, r := range f.plan.inventory.Objects {
		if f.wanted[r.id()] {
			continue
		}
		if r.kept() {
			f.plan.held = append(f.plan.held, r)
			continue
		}
		g.Go(func() error {
			live, err := c.Get(ctx, r.gvk(), r.Namespace, r.Name)
			switch {
			case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
				return nil
			case err != nil:
				return failure("reading", ident(r.bare()), "get", err)
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			switch why := heldBy(live, f.plan.inventory.Revision); {
			case why != "":
				f.plan.Left = append(f.plan.Left, Left{r, why})
			case f.keep:
				f.plan.held = append(f.plan.held, r)
				f.plan.Left = append(f.plan.Left, Left{r, "pruning is switched off"})
			default:
				f.prune(r.Component, live)
			}
			return nil
		})
	}
	return g.Wait()
}

// theirs are the objects that an install with istioctl left behind.
func (f *unused) theirs(ctx context.Context, c Reader, o PlanOptions) error {
	selector := peerManaged + "," + LabelRevision + "=" + f.plan.inventory.Revision
	var g errgroup.Group
	g.SetLimit(requests)
	for _, kind := range peerKinds() {
		g.Go(func() error {
			list, err := c.List(ctx, kind, "", selector)
			switch {
			case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
				return nil
			case err != nil:
				return failure("looking for what istioctl installed", kind.Kind+"s", "list", err)
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			for _, live := range list {
				f.theirsOne(live, o)
			}
			return nil
		})
	}
	return g.Wait()
}

func (f *unused) theirsOne(live *unstructured.Unstructured, o PlanOptions) {
	part := Component{Name: live.GetLabels()[LabelIstioComponent], Instance: live.GetLabels()["app"]}
	r := recordedOf(orElse(part.Title(), strings.ToLower(part.Name)), live)
	if f.wanted[r.id()] || f.plan.inventory.has(r) || len(live.GetOwnerReferences()) > 0 || release(live) != "" {
		return
	}
	if o.TakeOwnership && !o.KeepUnused {
		f.prune(r.Component, live)
		return
	}
	f.plan.Left = append(f.plan.Left, Left{r, "istioctl installed it; --take-ownership prunes it"})
}

// peerKinds are the kinds that istioctl prunes, without those whose objects
// only follow from others.
func peerKinds() []schema.GroupVersionKind {
	var kinds []schema.GroupVersionKind
	for version, names := range map[string][]string{
		"v1":                              {"Service", "ConfigMap", "ServiceAccount"},
		"apps/v1":                         {"Deployment", "DaemonSet"},
		"rbac.authorization.k8s.io/v1":    {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"},
		"policy/v1":                       {"PodDisruptionBudget"},
		"autoscaling/v2":                  {"HorizontalPodAutoscaler"},
		"admissionregistration.k8s.io/v1": {"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"},
		"networking.istio.io/v1alpha3":    {"EnvoyFilter"},
	} {
		for _, name := range names {
			kinds = append(kinds, schema.FromAPIVersionAndKind(version, name))
		}
	}
	return kinds
}

// prune adds a step that deletes an object; f.mu is held.
func (f *unused) prune(component string, live *unstructured.Unstructured) {
	p := f.plan
	if !slices.Contains(p.Components, component) {
		p.Components = append(p.Components, component)
	}
	p.Steps = append(p.Steps, &Step{Component: component, Action: Prune, Object: live, Live: live, wave: wavePrune})
}

// sort brings what was found at once into an order.
func (f *unused) sort() {
	p := f.plan
	slices.SortStableFunc(p.Steps, func(a, b *Step) int {
		if a.Action != Prune || b.Action != Prune {
			return a.wave - b.wave
		}
		return strings.Compare(a.Component+ident(a.Object), b.Component+ident(b.Object))
	})
	slices.SortFunc(p.Left, func(a, b Left) int { return strings.Compare(a.Component+a.id(), b.Component+b.id()) })
}

// prune deletes what the plan has no use for, in the order of an uninstall.
func (p *Plan) prune(ctx context.Context, c Cluster, o PlanOptions, r *Report) error {
	removal := &Removal{}
	steps := map[*Removed]*Step{}
	for _, s := range p.Steps {
		if s.Action == Prune {
			x := &Removed{Component: s.Component, Object: s.Object, stage: stageOf(s.Component, s.Object)}
			removal.Objects = append(removal.Objects, x)
			steps[x] = s
		}
	}
	if len(steps) == 0 {
		return nil
	}
	err := removal.Remove(ctx, c, o.Progress)
	for x, s := range steps {
		switch {
		case x.Gone:
			r.update(s, func(y *stepState) { y.done, y.ready = true, true })
		case x.Err != nil:
			r.failed(s, x.Err)
		}
	}
	return err
}
