package kube

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	networking "istio.io/api/networking/v1alpha3"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshctl/meshctl/internal/mesh"
)

// Bounds of reading by namespace: beyond so many of them one list of a kind
// everywhere is the smaller question, and of a Gateway's pods so many are looked at.
const (
	mostNamespaces = 12
	gatewayPods    = 50
)

// wide says whether a kind is read everywhere even for one namespace: there
// are few objects of it, and each may concern every namespace.
func wide(kind mesh.Kind) bool {
	return !kind.Namespaced || kind == mesh.ServiceEntry || kind == mesh.Gateway || kind == mesh.KubernetesGateway
}

// scoped reads the kinds in the namespaces asked for, the control plane's and
// the root namespace, then in those that their objects refer to.
func (r *reader) scoped(ctx context.Context, kinds []mesh.Kind) error {
	var everywhere, byNamespace []mesh.Kind
	for _, kind := range kinds {
		if wide(kind) {
			everywhere = append(everywhere, kind)
		} else {
			byNamespace = append(byNamespace, kind)
		}
	}
	if err := r.lists(ctx, everywhere); err != nil {
		return err
	}
	if !slices.Contains(r.live.Read, mesh.Namespace) {
		return r.lists(ctx, byNamespace) // what is referred to cannot be told from other words
	}
	so := mesh.New(r.live.Objects, mesh.Options{IstioNamespace: r.options.IstioNamespace})
	first := append(slices.Clone(r.options.Only), r.options.IstioNamespace, so.RootNamespace())
	for _, o := range r.options.With {
		first = append(first, o.Namespace)
	}
	first = r.existing(first)
	if len(first) > mostNamespaces {
		return r.lists(ctx, byNamespace)
	}
	if err := r.listsIn(ctx, byNamespace, first); err != nil {
		return err
	}
	then := r.referred()
	if slices.Contains(kinds, mesh.Pod) {
		more, err := r.gatewayNamespaces(ctx)
		if err != nil {
			return err
		}
		then = append(then, more...)
	}
	then = slices.DeleteFunc(r.existing(then), func(ns string) bool { return slices.Contains(first, ns) })
	if len(first)+len(then) > mostNamespaces {
		r.forget(byNamespace)
		return r.lists(ctx, byNamespace)
	}
	return r.listsIn(ctx, byNamespace, then)
}

// existing are the namespaces of a list that the cluster has, each once.
func (r *reader) existing(namespaces []string) []string {
	slices.Sort(namespaces)
	namespaces = slices.Compact(namespaces)
	there := r.namespaces()
	return slices.DeleteFunc(namespaces, func(ns string) bool { return !there[ns] })
}

func (r *reader) namespaces() map[string]bool {
	there := map[string]bool{}
	for _, o := range r.live.Objects {
		if o.Kind == mesh.Namespace {
			there[o.Name] = true
		}
	}
	return there
}

// listsIn reads kinds in some namespaces, several at once.
func (r *reader) listsIn(ctx context.Context, kinds []mesh.Kind, namespaces []string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(listsAtOnce)
	for _, kind := range kinds {
		group.Go(func() error {
			list, err := r.lister(kind)
			if err != nil {
				return r.kind(ctx, kind) // which knows what to make of it
			}
			var refused error
			for _, ns := range namespaces {
				objects, err := r.pages(ctx, list, ns)
				switch {
				case err == nil, apierrors.IsNotFound(err):
					r.doneIn(kind, ns, objects)
				case apierrors.IsForbidden(err):
					refused = err
				default:
					return Explain(fmt.Sprintf("listing %s in %s", kind.Resource, ns), err)
				}
			}
			r.mu.Lock()
			nowhere := len(r.live.ReadIn[kind]) == 0
			r.mu.Unlock()
			if refused != nil && nowhere {
				r.skip(kind, refused)
			}
			return nil
		})
	}
	return group.Wait()
}

// forget drops what was read of kinds, to read them everywhere.
func (r *reader) forget(kinds []mesh.Kind) {
	r.live.Objects = slices.DeleteFunc(r.live.Objects, func(o *mesh.Object) bool { return slices.Contains(kinds, o.Kind) })
	r.live.Skipped = slices.DeleteFunc(r.live.Skipped, func(s mesh.Skip) bool { return slices.Contains(kinds, s.Kind) })
	for _, kind := range kinds {
		delete(r.live.ReadIn, kind)
	}
}

// referred are the namespaces whose names stand in the objects of the
// namespaces asked for: prod/gateway, reviews.prod.svc.cluster.local,
// cluster.local/ns/prod/sa/web. A word that is a namespace by chance costs a few lists.
func (r *reader) referred() []string {
	there, found := r.namespaces(), map[string]bool{}
	look := func(s string) {
		for _, word := range strings.FieldsFunc(s, func(c rune) bool { return strings.ContainsRune("/.,: ", c) }) {
			if there[word] {
				found[word] = true
			}
		}
	}
	for _, o := range slices.Concat(r.live.Objects, r.options.With) {
		asked := slices.Contains(r.options.Only, o.Namespace) || o.Origin.File != ""
		if !asked || !o.Kind.IsIstio() && o.Kind.Group != mesh.HTTPRoute.Group && o.Kind != mesh.Service {
			continue
		}
		eachText(o.Raw()["spec"], look)
		for _, text := range o.Annotations {
			look(text)
		}
		for _, text := range o.Labels {
			look(text)
		}
	}
	for _, ns := range r.options.Only {
		for _, o := range r.live.Objects {
			if o.Kind == mesh.Namespace && o.Name == ns {
				for _, text := range o.Labels {
					look(text)
				}
			}
		}
	}
	return slices.Collect(maps.Keys(found))
}

func eachText(value any, f func(string)) {
	switch v := value.(type) {
	case map[string]any:
		for _, item := range v {
			eachText(item, f)
		}
	case []any:
		for _, item := range v {
			eachText(item, f)
		}
	case string:
		f(v)
	}
}

// gatewayNamespaces are where the pods run that the Gateways select which
// objects of the namespaces asked for name, or which stand there themselves.
func (r *reader) gatewayNamespaces(ctx context.Context) ([]string, error) {
	client, err := r.client.Kubernetes()
	if err != nil {
		return nil, err
	}
	so := mesh.New(r.live.Objects, mesh.Options{IstioNamespace: r.options.IstioNamespace})
	selectors := map[string]bool{}
	add := func(namespace, name string) {
		g := mesh.As[*networking.Gateway](so.Get(mesh.Gateway, namespace, name))
		if g != nil && len(g.Spec.GetSelector()) > 0 {
			selectors[labels.SelectorFromSet(g.Spec.GetSelector()).String()] = true
		}
	}
	for _, g := range so.Gateways() {
		if slices.Contains(r.options.Only, g.Namespace) {
			add(g.Namespace, g.Name)
		}
	}
	for _, vs := range so.VirtualServices() {
		if slices.Contains(r.options.Only, vs.Namespace) {
			for _, name := range mesh.GatewayNames(vs.Spec, vs.Namespace) {
				add(name.Namespace, name.Name)
			}
		}
	}
	found := map[string]bool{}
	for selector := range selectors {
		pods, err := client.CoreV1().Pods("").List(ctx, metav1.ListOptions{LabelSelector: selector, Limit: gatewayPods})
		switch {
		case apierrors.IsForbidden(err):
			return nil, nil // their namespaces stay unknown, and so do their workloads
		case err != nil:
			return nil, Explain("looking for the pods of Gateways", err)
		}
		for _, pod := range pods.Items {
			found[pod.Namespace] = true
		}
	}
	return slices.Collect(maps.Keys(found)), nil
}
