package kube

import (
	"context"
	"errors"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// requestTimeout bounds one request about one object, so that an API server
// that hangs is noticed and the request can be tried again.
const requestTimeout = 30 * time.Second

// objectPage is how many objects are listed at once.
const objectPage = 500

// Objects reads and changes objects of any kind in one cluster. The errors are
// those of the API server, untouched. It is safe for use from several goroutines.
type Objects struct {
	client  *Client
	manager string
	dynamic func() (dynamic.Interface, error)

	mu     sync.Mutex
	misses time.Time // when an unknown kind last made us ask for the kinds anew
}

// NewObjects makes Objects that owns the fields it applies as manager.
func NewObjects(c *Client, manager string) *Objects {
	return &Objects{client: c, manager: manager, dynamic: sync.OnceValues(func() (dynamic.Interface, error) {
		cfg, err := c.Config()
		if err != nil {
			return nil, err
		}
		cfg = rest.CopyConfig(cfg)
		cfg.Timeout = 0 // it would cut watches; requests are bounded one by one
		return dynamic.NewForConfig(cfg)
	})}
}

// resource is the client of a kind in a namespace. A kind that is not known is
// looked up anew, at most once a second: its CRD may just have been established.
func (o *Objects) resource(kind schema.GroupVersionKind, namespace string) (dynamic.ResourceInterface, error) {
	mapper, err := o.client.Mapper()
	if err != nil {
		return nil, err
	}
	mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if meta.IsNoMatchError(err) && o.mayReset() {
		mapper.Reset()
		mapping, err = mapper.RESTMapping(kind.GroupKind(), kind.Version)
	}
	if err != nil {
		return nil, err
	}
	client, err := o.dynamic()
	if err != nil {
		return nil, err
	}
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		return client.Resource(mapping.Resource).Namespace(namespace), nil
	}
	return client.Resource(mapping.Resource), nil
}

func (o *Objects) mayReset() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if time.Since(o.misses) < time.Second {
		return false
	}
	o.misses = time.Now()
	return true
}

// Get reads one object; namespace is empty for cluster-wide kinds.
func (o *Objects) Get(ctx context.Context, kind schema.GroupVersionKind, namespace, name string) (*unstructured.Unstructured, error) {
	ctx, stop := context.WithTimeout(ctx, requestTimeout)
	defer stop()
	r, err := o.resource(kind, namespace)
	if err != nil {
		return nil, err
	}
	return r.Get(ctx, name, metav1.GetOptions{})
}

// List reads all objects of a kind that match a label selector, page by page;
// an empty namespace means all of them.
func (o *Objects) List(ctx context.Context, kind schema.GroupVersionKind, namespace, selector string) ([]*unstructured.Unstructured, error) {
	r, err := o.resource(kind, namespace)
	if err != nil {
		return nil, err
	}
	var all []*unstructured.Unstructured
	opts := metav1.ListOptions{LabelSelector: selector, Limit: objectPage}
	for {
		page, err := list(ctx, r, opts)
		if err != nil {
			return nil, err
		}
		for i := range page.Items {
			all = append(all, &page.Items[i])
		}
		if opts.Continue = page.GetContinue(); opts.Continue == "" {
			return all, nil
		}
	}
}

func list(ctx context.Context, r dynamic.ResourceInterface, opts metav1.ListOptions) (*unstructured.UnstructuredList, error) {
	ctx, stop := context.WithTimeout(ctx, requestTimeout)
	defer stop()
	return r.List(ctx, opts)
}

// Apply sends obj by server-side apply and returns it as the API server keeps
// it, or with dryRun as it would. A field that another manager owns is a
// conflict; force takes it over.
func (o *Objects) Apply(ctx context.Context, obj *unstructured.Unstructured, dryRun, force bool) (*unstructured.Unstructured, error) {
	ctx, stop := context.WithTimeout(ctx, requestTimeout)
	defer stop()
	r, err := o.resource(obj.GroupVersionKind(), obj.GetNamespace())
	if err != nil {
		return nil, err
	}
	opts := metav1.ApplyOptions{FieldManager: o.manager, Force: force}
	if dryRun {
		opts.DryRun = []string{metav1.DryRunAll}
	}
	return r.Apply(ctx, obj.GetName(), obj, opts)
}

// Delete deletes one object. One that makes pods is gone when its pods are.
// With dryRun the API server only says whether it would.
func (o *Objects) Delete(ctx context.Context, obj *unstructured.Unstructured, dryRun bool) error {
	ctx, stop := context.WithTimeout(ctx, requestTimeout)
	defer stop()
	r, err := o.resource(obj.GroupVersionKind(), obj.GetNamespace())
	if err != nil {
		return err
	}
	propagation, uid := metav1.DeletePropagationBackground, obj.GetUID()
	if group := obj.GroupVersionKind().Group; group == "apps" || group == "batch" {
		propagation = metav1.DeletePropagationForeground
	}
	opts := metav1.DeleteOptions{PropagationPolicy: &propagation}
	if uid != "" {
		opts.Preconditions = &metav1.Preconditions{UID: &uid}
	}
	if dryRun {
		opts.DryRun = []string{metav1.DryRunAll}
	}
	return r.Delete(ctx, obj.GetName(), opts)
}

// Kinds are all kinds that can be listed and deleted, each in the version that
// the API server prefers. Kinds of an API server that does not answer are left
// out, and named by the error beside the others.
func (o *Objects) Kinds(_ context.Context) ([]schema.GroupVersionKind, error) {
	cfg, err := o.client.Config()
	if err != nil {
		return nil, err
	}
	d, err := discovery.NewDiscoveryClientForConfig(cfg)
	if err != nil {
		return nil, err
	}
	lists, err := d.ServerPreferredResources()
	var kinds []schema.GroupVersionKind
	for _, l := range lists {
		gv, parseErr := schema.ParseGroupVersion(l.GroupVersion)
		if parseErr != nil {
			err = errors.Join(err, parseErr)
			continue
		}
		for _, r := range l.APIResources {
			if hasVerb(r, "list") && hasVerb(r, "delete") {
				kinds = append(kinds, gv.WithKind(r.Kind))
			}
		}
	}
	return kinds, err
}

func hasVerb(r metav1.APIResource, verb string) bool {
	for _, v := range r.Verbs {
		if v == verb {
			return true
		}
	}
	return false
}
