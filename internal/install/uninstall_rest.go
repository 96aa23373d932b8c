package install

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"golang.org/x/sync/errgroup"

	istio "github.com/meshctl/meshctl/internal/mesh"
)

// caSecret is where istiod keeps the key of the certificate authority that it
// made itself, and userCASecret where people put one of their own.
const (
	caSecret     = "istio-ca-secret"
	userCASecret = "cacerts"
)

// Names under which a removal lists what no component brought.
const (
	ofIstiod = "written by istiod"
	ofUs     = "records"
)

// findLeftovers finds what istiod itself wrote: its root certificate in every
// namespace, and its elections; when one revision goes, only the elections that
// were its own.
func (f *finder) findLeftovers(ctx context.Context, c Installed, o FindOptions) error {
	namespaces := f.controlNamespaces(o)
	elections := func(obj *unstructured.Unstructured) bool {
		name := obj.GetName()
		_, leader := obj.GetAnnotations()["control-plane.alpha.kubernetes.io/leader"]
		if !strings.HasPrefix(name, "istio-") || obj.GetKind() == "ConfigMap" && !leader {
			return false
		}
		return o.Purge || strings.HasPrefix(name, "istio-gateway-") && strings.HasSuffix(name, "-"+o.Revision)
	}
	any := func(*unstructured.Unstructured) bool { return true }
	if o.Purge {
		if err := f.leftover(ctx, c, configMaps(), "", "istio.io/config=true", any); err != nil {
			return err
		}
		if err := f.leftover(ctx, c, gatewayClasses(), "", "", ofIstiodsMaking); err != nil {
			return err
		}
	}
	for _, ns := range namespaces {
		for _, kind := range []schema.GroupVersionKind{configMaps(), {Group: "coordination.k8s.io", Version: "v1", Kind: "Lease"}} {
			if err := f.leftover(ctx, c, kind, ns, "", elections); err != nil {
				return err
			}
		}
		if o.Purge {
			f.findCA(ctx, c, ns, o)
		}
		if err := f.findRecords(ctx, c, ns, o); err != nil {
			return err
		}
	}
	return nil
}

func configMaps() schema.GroupVersionKind {
	return schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}
}

func gatewayClasses() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "GatewayClass"}
}

// ofIstiodsMaking says whether a GatewayClass is one that istiod makes.
func ofIstiodsMaking(class *unstructured.Unstructured) bool {
	return slices.Contains([]string{"istio", "istio-remote", "istio-waypoint", "istio-east-west"}, class.GetName()) &&
		strings.HasPrefix(field(class, "spec", "controllerName"), "istio.io/")
}

func (f *finder) leftover(ctx context.Context, c Reader, kind schema.GroupVersionKind, namespace, selector string, is func(*unstructured.Unstructured) bool) error {
	list, err := c.List(ctx, kind, namespace, selector)
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case apierrors.IsForbidden(err):
		f.removal.Skipped = append(f.removal.Skipped, kind.Kind)
		return nil
	case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
		return nil
	case err != nil:
		return fmt.Errorf("listing %s: %w", kind.Kind, err)
	}
	for _, obj := range list {
		if is(obj) {
			f.add(ofIstiod, obj, stageRest)
		}
	}
	return nil
}

// findCA takes the key of the certificate authority, or says that it stays.
func (f *finder) findCA(ctx context.Context, c Remover, namespace string, o FindOptions) {
	secret := secretNamed(namespace, caSecret)
	if !exists(ctx, c, secret) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if o.CASecret {
		f.add(ofIstiod, secret, stageRest)
		return
	}
	f.removal.Kept = append(f.removal.Kept, ident(secret)+", the key of the mesh's certificate authority: another install goes on with it; --delete-ca-secret removes it")
}

func secretNamed(namespace, name string) *unstructured.Unstructured {
	secret := &unstructured.Unstructured{}
	secret.SetGroupVersionKind(schema.GroupVersionKind{Version: "v1", Kind: "Secret"})
	secret.SetNamespace(namespace)
	secret.SetName(name)
	return secret
}

// exists asks for a Secret by trying to delete it: it need not be read for that.
func exists(ctx context.Context, c Remover, secret *unstructured.Unstructured) bool {
	return c.Delete(ctx, secret, true) == nil
}

// findRecords takes what meshctl noted of the revisions that go. The Secrets of
// their history are known by name.
func (f *finder) findRecords(ctx context.Context, c Reader, namespace string, o FindOptions) error {
	list, err := c.List(ctx, configMaps(), namespace, LabelInventory)
	if err != nil && !apierrors.IsForbidden(err) {
		return fmt.Errorf("listing the inventories in namespace %s: %w", namespace, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, obj := range list {
		if !o.Purge && obj.GetLabels()[LabelInventory] != o.Revision {
			continue
		}
		f.add(ofUs, obj, stageInventory)
		inv, err := parseInventory(obj)
		if err != nil {
			f.removal.Kept = append(f.removal.Kept, fmt.Sprintf("Secrets meshctl-history-%s-* in namespace %s, as far as there are any: %s cannot be read", obj.GetLabels()[LabelInventory], namespace, ident(obj)))
			continue
		}
		for _, entry := range inv.History {
			f.add(ofUs, historyObject(inv, entry.Number), stageHistory)
		}
	}
	return nil
}

// controlNamespaces are those of the control planes that go.
func (f *finder) controlNamespaces(o FindOptions) []string {
	var all []string
	if o.Namespace != "" {
		all = append(all, o.Namespace)
	}
	for _, x := range f.removal.Objects {
		if ns := x.Object.GetNamespace(); x.Component == "Pilot" && ns != "" {
			all = append(all, ns)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// findNamespaces takes the namespaces in which nothing but the removal is left.
// Of Secrets only those of the certificate authority are asked for.
func (f *finder) findNamespaces(ctx context.Context, c Installed, kinds []schema.GroupVersionKind, o FindOptions) error {
	if !o.Namespaces {
		return nil
	}
	candidates := map[string]bool{}
	for _, x := range f.removal.Objects {
		if ns := x.Object.GetNamespace(); x.Component != ofIstiod && ns != "" && ns != "default" && !istio.IsSystemNamespace(ns) {
			candidates[ns] = true
		}
	}
	for ns := range candidates {
		others, err := f.others(ctx, c, kinds, ns)
		if err != nil {
			return err
		}
		for _, name := range []string{caSecret, userCASecret} {
			if secret := secretNamed(ns, name); !f.seen[ident(secret)] && exists(ctx, c, secret) {
				others = append(others, ident(secret))
			}
		}
		if len(others) > 0 {
			slices.Sort(others)
			text := others[0]
			if len(others) > 1 {
				text += fmt.Sprintf(" and %d more", len(others)-1)
			}
			f.removal.Kept = append(f.removal.Kept, fmt.Sprintf("Namespace %s: it has %s", ns, text))
			continue
		}
		namespace, err := c.Get(ctx, namespaceKind(), "", ns)
		if err != nil {
			return fmt.Errorf("reading Namespace %s: %w", ns, err)
		}
		f.add("namespace", namespace, stageNamespaces)
	}
	slices.Sort(f.removal.Kept)
	return nil
}

// others are the objects of a namespace that would outlive the removal. What
// cannot be listed may be there.
func (f *finder) others(ctx context.Context, c Reader, kinds []schema.GroupVersionKind, namespace string) ([]string, error) {
	defined := map[schema.GroupKind]bool{} // by the CRDs that go
	for _, x := range f.removal.Objects {
		if x.stage == stageResources {
			defined[schema.GroupKind{Group: field(x.Object, "spec", "group"), Kind: field(x.Object, "spec", "names", "kind")}] = true
		}
	}
	var all []string
	var g errgroup.Group
	g.SetLimit(requests)
	for _, kind := range kinds {
		if defined[kind.GroupKind()] || slices.Contains([]string{"Endpoints", "EndpointSlice", "Event", "Lease", "PodMetrics", "Secret"}, kind.Kind) {
			continue
		}
		g.Go(func() error {
			list, err := c.List(ctx, kind, namespace, "")
			f.mu.Lock()
			defer f.mu.Unlock()
			switch {
			case apierrors.IsNotFound(err), meta.IsNoMatchError(err), apierrors.IsMethodNotSupported(err):
				return nil
			case apierrors.IsForbidden(err):
				all = append(all, "maybe a "+kind.Kind+", which may not be listed")
				return nil
			case err != nil:
				return fmt.Errorf("listing %s: %w", kind.Kind, err)
			}
			for _, obj := range list {
				if obj.GetNamespace() == namespace && !f.seen[ident(obj)+kind.Group] && len(obj.GetOwnerReferences()) == 0 && !given(obj) {
					all = append(all, ident(obj))
				}
			}
			return nil
		})
	}
	return all, g.Wait()
}

// given says whether every namespace gets such an object.
func given(obj *unstructured.Unstructured) bool {
	switch obj.GetKind() {
	case "ServiceAccount":
		return obj.GetName() == "default"
	case "ConfigMap":
		return obj.GetName() == "kube-root-ca.crt" || obj.GetLabels()["istio.io/config"] == "true"
	}
	return false
}
