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

	istio "github.com/meshctl/meshctl/internal/mesh"
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
	stageRest             // accounts, permissions, configuration, services; what istiod wrote, now that it is gone
	stageResources        // CRDs, and with them all custom resources
	stageHistory          // what meshctl noted of the install
	stageInventory        // by which the history is found
	stageNamespaces
	stageCount
)

// Removal is what an uninstall will delete, in its order.
type Removal struct {
	Objects []*Removed
	// Resources are how many custom resources go with the CRDs, by kind.
	Resources map[string]int
	// Skipped are the kinds that may not be listed, and what of the API server did not answer.
	Skipped []string
	// Kept is what stays although one might expect it to go, and why.
	Kept []string
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
	// Purge removes everything, CRDs, custom resources and what istiod wrote too.
	Purge bool
	// Namespace is that of the control plane; when empty, that of the objects found.
	Namespace string
	// CASecret removes the key of the certificate authority that istiod made.
	CASecret bool
	// Namespaces removes the namespaces in which nothing else is left.
	Namespaces bool
}

// Find looks for everything that meshctl or istioctl installed, all kinds at
// once, with the tags and with what istiod and meshctl noted beside it.
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
		for _, label := range labelsOf(kind) {
			g.Go(func() error { return f.find(ctx, c, kind, label, o) })
		}
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if err := f.findLeftovers(ctx, c, o); err != nil {
		return nil, err
	}
	if err := f.countResources(ctx, c); err != nil {
		return nil, err
	}
	if err := f.findNamespaces(ctx, c, kinds, o); err != nil {
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

// labelsOf are the labels by which objects of a kind are found. A tag that
// istioctl set has no component.
func labelsOf(kind schema.GroupVersionKind) []string {
	labels := []string{LabelComponent, LabelIstioComponent}
	if kind.Kind == "Service" || kind.Group == "admissionregistration.k8s.io" {
		labels = append(labels, istio.TagLabel)
	}
	return labels
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
	case apierrors.IsNotFound(err), apierrors.IsMethodNotSupported(err), meta.IsNoMatchError(err): // gone since the kinds were listed
		return nil
	case err != nil:
		return fmt.Errorf("listing %s: %w", kind.Kind, err)
	}
	for _, obj := range list {
		component := orElse(obj.GetLabels()[LabelComponent], obj.GetLabels()[LabelIstioComponent])
		if component == "" {
			component = "Pilot"
		}
		// A webhook that leads to the revision goes with it, whatever brought it:
		// without an istiod behind it, it would refuse what it should check.
		if len(obj.GetOwnerReferences()) == 0 && (o.Purge || !shared(component) || isWebhook(obj)) {
			f.add(component, obj, stageOf(component, obj))
		}
	}
	return nil
}

// add takes an object into the removal, once; f.mu is held.
func (f *finder) add(component string, obj *unstructured.Unstructured, stage int) {
	id := ident(obj) + obj.GroupVersionKind().Group
	if !f.seen[id] {
		f.seen[id] = true
		f.removal.Objects = append(f.removal.Objects, &Removed{Component: component, Object: obj, stage: stage})
	}
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
