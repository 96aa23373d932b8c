package install

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"golang.org/x/sync/errgroup"

	"github.com/meshctl/meshctl/internal/hint"
)

// Remover finds and deletes objects of any kind.
type Remover interface {
	// Kinds are all kinds that can be listed and deleted. An error beside kinds
	// means that there may be more.
	Kinds(ctx context.Context) ([]schema.GroupVersionKind, error)
	// Delete deletes an object and what it owns; with dryRun it only asks whether it could.
	Delete(ctx context.Context, obj *unstructured.Unstructured, dryRun bool) error
}

// Installed is a cluster from which a mesh can be removed.
type Installed interface {
	Reader
	Remover
}

// The stages of a removal, in order. Each is gone before the next is touched.
const (
	stageWebhooks  = iota // first, so that none refuses what follows
	stageEdge             // workloads of gateways and add-ons
	stageControl          // istiod's
	stageNodes            // ztunnel's and CNI's: they clean up their nodes, and need their permissions for it
	stageRest             // accounts, permissions, configuration, services
	stageResources        // CRDs, and with them all custom resources
	stageCount
)

// Removal is what an uninstall will delete, in its order.
type Removal struct {
	Objects []*Removed
	// Resources are how many custom resources go with the CRDs, by kind.
	Resources map[string]int
	// Skipped are the kinds that may not be listed, and what of the API server did not answer.
	Skipped []string
}

// Removed is one object of a removal.
type Removed struct {
	Component string
	Object    *unstructured.Unstructured
	// Gone says that the object is no longer there.
	Gone bool
	// Err is why it is still there; nil when it is gone or was not tried.
	Err error

	stage int
}

// FindOptions say what to remove.
type FindOptions struct {
	// Revision limits the removal to one revision; what all revisions share stays.
	Revision string
	// Purge removes everything, CRDs and custom resources too.
	Purge bool
}

// Find looks for everything that meshctl or istioctl installed, all kinds at once.
func Find(ctx context.Context, c Installed, o FindOptions) (*Removal, error) {
	kinds, err := c.Kinds(ctx)
	if len(kinds) == 0 && err != nil {
		return nil, fmt.Errorf("asking the API server for its kinds: %w", err)
	}
	f := &finder{removal: &Removal{Resources: map[string]int{}}, seen: map[string]bool{}}
	if err != nil {
		f.removal.Skipped = append(f.removal.Skipped, message(err))
	}
	var g errgroup.Group
	g.SetLimit(requests)
	for _, kind := range kinds {
		if derived(kind) {
			continue
		}
		for _, label := range []string{LabelComponent, LabelIstioComponent} {
			g.Go(func() error { return f.find(ctx, c, kind, label, o) })
		}
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if err := f.countResources(ctx, c); err != nil {
		return nil, err
	}
	slices.Sort(f.removal.Skipped)
	f.removal.Skipped = slices.Compact(f.removal.Skipped)
	slices.SortFunc(f.removal.Objects, func(a, b *Removed) int {
		if a.stage != b.stage {
			return a.stage - b.stage
		}
		return strings.Compare(a.Component+ident(a.Object), b.Component+ident(b.Object))
	})
	return f.removal, nil
}

// derived says whether objects of a kind only repeat the labels of others.
// Secrets, too, are not looked for: an install has none, and listing reads them.
func derived(kind schema.GroupVersionKind) bool {
	return slices.Contains([]string{"Endpoints", "EndpointSlice", "Event", "Pod", "ReplicaSet", "ControllerRevision", "Secret"}, kind.Kind)
}

type finder struct {
	mu      sync.Mutex
	removal *Removal
	seen    map[string]bool
}

func (f *finder) find(ctx context.Context, c Reader, kind schema.GroupVersionKind, label string, o FindOptions) error {
	selector := label
	if o.Revision != "" {
		selector += "," + LabelRevision + "=" + o.Revision
	}
	list, err := c.List(ctx, kind, "", selector)
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case apierrors.IsForbidden(err):
		if label == LabelComponent {
			f.removal.Skipped = append(f.removal.Skipped, kind.Kind)
		}
		return nil
	case apierrors.IsNotFound(err), apierrors.IsMethodNotSupported(err):
		return nil
	case err != nil:
		return fmt.Errorf("listing %s: %w", kind.Kind, err)
	}
	for _, obj := range list {
		component := orElse(obj.GetLabels()[LabelComponent], obj.GetLabels()[LabelIstioComponent])
		if len(obj.GetOwnerReferences()) > 0 || f.seen[ident(obj)+kind.Group] || (!o.Purge && shared(component)) {
			continue
		}
		f.seen[ident(obj)+kind.Group] = true
		f.removal.Objects = append(f.removal.Objects, &Removed{Component: component, Object: obj, stage: stageOf(component, obj)})
	}
	return nil
}

// shared says whether all revisions need a component.
func shared(component string) bool {
	return component == "Base" || strings.HasPrefix(component, addonPrefix)
}

func stageOf(component string, obj *unstructured.Unstructured) int {
	switch {
	case obj.GetKind() == "CustomResourceDefinition":
		return stageResources
	case isWebhook(obj):
		return stageWebhooks
	case tierOf(obj) != tierWorkloads:
		return stageRest
	case component == "Pilot":
		return stageControl
	case component == "Cni", component == "Ztunnel":
		return stageNodes
	}
	return stageEdge
}

// countResources counts the custom resources that the API server deletes with their CRDs.
func (f *finder) countResources(ctx context.Context, c Reader) error {
	var g errgroup.Group
	g.SetLimit(requests)
	for _, r := range f.removal.Objects {
		if r.stage != stageResources {
			continue
		}
		kind := schema.GroupVersionKind{Group: field(r.Object, "spec", "group"), Kind: field(r.Object, "spec", "names", "kind"), Version: storedVersion(r.Object)}
		g.Go(func() error {
			list, err := c.List(ctx, kind, "", "")
			f.mu.Lock()
			defer f.mu.Unlock()
			switch {
			case apierrors.IsForbidden(err):
				f.removal.Skipped = append(f.removal.Skipped, kind.Kind)
			case err == nil && len(list) > 0:
				f.removal.Resources[kind.Kind] = len(list)
			}
			return nil // a kind that is not served has nothing to count
		})
	}
	return g.Wait()
}

func storedVersion(crd *unstructured.Unstructured) string {
	versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
	for _, v := range versions {
		if m, ok := v.(map[string]any); ok && m["storage"] == true {
			return textAt(m, "name")
		}
	}
	return ""
}

// Check asks the API server whether all of it could be deleted, without
// deleting anything.
func (r *Removal) Check(ctx context.Context, c Remover) error {
	var mu sync.Mutex
	var failures []error
	var g errgroup.Group
	g.SetLimit(requests)
	for _, x := range r.Objects {
		g.Go(func() error {
			err := c.Delete(ctx, x.Object, true)
			if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			failures = append(failures, failure("deleting", ident(x.Object), "delete", err))
			return nil
		})
	}
	_ = g.Wait() // failures holds them all
	return joinFailures("checking what would be deleted", failures)
}

// Remove deletes stage by stage and waits until each is gone, until ctx ends.
// Objects that somebody else deletes meanwhile are fine.
func (r *Removal) Remove(ctx context.Context, c Installed, progress Progress) error {
	for stage := range stageCount {
		var todo []*Removed
		for _, x := range r.Objects {
			if x.stage == stage && !x.Gone {
				todo = append(todo, x)
			}
		}
		if err := removeAll(ctx, c, todo, progress); err != nil {
			left := 0
			for _, x := range r.Objects {
				if !x.Gone {
					left++
				}
			}
			return hint.Failf(orElse(hint.Of(err), "running the same command again continues"), "%w\nremoved %d of %d objects", err, len(r.Objects)-left, len(r.Objects))
		}
	}
	return nil
}

func removeAll(ctx context.Context, c Installed, todo []*Removed, progress Progress) error {
	var g errgroup.Group
	g.SetLimit(requests)
	for _, x := range todo {
		g.Go(func() error {
			progress.tell(Event{Component: x.Component, Object: ident(x.Object), Phase: Removing})
			err := retry(ctx, func() error { return c.Delete(ctx, x.Object, false) }, func(error) {})
			switch {
			case apierrors.IsNotFound(err), apierrors.IsConflict(err): // gone, or another object of this name by now
				x.Gone = true
			case err != nil:
				x.Err = failure("deleting", ident(x.Object), "delete", err)
			}
			return nil
		})
	}
	_ = g.Wait() // the errors are in todo
	awaitGone(ctx, c, todo, progress)
	var failures []error
	for _, x := range todo {
		if x.Err != nil {
			failures = append(failures, x.Err)
		}
	}
	return joinFailures("removing", failures)
}

// awaitGone asks for what was deleted until it is gone. It asks less and less
// often: most objects go at once, pods take their time to end.
func awaitGone(ctx context.Context, c Reader, todo []*Removed, progress Progress) {
	var group sync.WaitGroup
	for _, x := range todo {
		if x.Err != nil {
			continue
		}
		group.Go(func() {
			obj := x.Object
			for backoff := askAgain(); !x.Gone; {
				live, err := c.Get(ctx, obj.GroupVersionKind(), obj.GetNamespace(), obj.GetName())
				if err == nil {
					obj = live
				}
				x.Gone = apierrors.IsNotFound(err) || meta.IsNoMatchError(err) || obj.GetUID() != x.Object.GetUID()
				if !x.Gone && !pause(ctx, &backoff) {
					x.Err = hint.Failf("see `kubectl get "+target(obj)+" -o yaml`; what has finalizers waits for someone to remove them",
						"deleting %s: still there at the deadline%s", ident(obj), finalizers(obj))
					return
				}
			}
			progress.tell(Event{Component: x.Component, Object: ident(x.Object), Phase: Gone})
		})
	}
	group.Wait()
}

func finalizers(obj *unstructured.Unstructured) string {
	if f := obj.GetFinalizers(); len(f) > 0 {
		return ", its finalizers are " + strings.Join(f, ", ")
	}
	return ""
}
