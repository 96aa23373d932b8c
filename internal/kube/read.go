package kube

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/meshctl/meshctl/internal/mesh"
)

// Bounds of reading: objects per page, and lists under way at once.
const (
	pageSize      = 500
	listsAtOnce   = 8
	secretsAtOnce = 16
)

// ReadOptions say what to read of a cluster.
type ReadOptions struct {
	// Kinds are read besides Namespaces and the control plane's ConfigMaps.
	Kinds []mesh.Kind
	// Only are the namespaces in question: of the others only those are read
	// that these refer to. Nil is all.
	Only []string
	// Namespaces are where to look when a kind may not be listed everywhere.
	Namespaces []string
	// IstioNamespace is the namespace of the control plane.
	IstioNamespace string
	// Slim drops what analyze does not look at, which is most of every workload
	// and CustomResourceDefinition.
	Slim bool
	// ProxyStates keeps of each pod's status how its proxy does, too.
	ProxyStates bool
	// With are objects that are laid over the cluster's: the Secrets that they
	// refer to are fetched, too.
	With []*mesh.Object
}

// Live is what was read of a cluster.
type Live struct {
	// Objects are in no particular order.
	Objects []*mesh.Object
	// Read are the kinds that were read everywhere, ReadIn in some namespaces
	// only, and Skipped not at all.
	Read    []mesh.Kind
	ReadIn  map[mesh.Kind][]string
	Skipped []mesh.Skip
}

// reader collects what concurrent lists return.
type reader struct {
	client  *Client
	options ReadOptions
	cluster string
	slim    *slimmer

	mu   sync.Mutex
	live Live
}

// Read reads the objects of the kinds asked for, several kinds at once and page
// by page. Secrets are never listed: those that Gateways refer to are fetched
// one by one. A kind that the cluster does not have is read and empty; one that
// may not be read is skipped. It fails when the cluster does not answer.
func (c *Client) Read(ctx context.Context, o ReadOptions) (*Live, error) {
	cluster, _ := c.Context()
	r := &reader{client: c, options: o, cluster: cluster, slim: newSlimmer(), live: Live{ReadIn: map[mesh.Kind][]string{}}}
	kinds := append([]mesh.Kind{mesh.Namespace}, o.Kinds...)
	slices.SortFunc(kinds, mesh.Kind.Compare)
	kinds = slices.Compact(kinds)
	if slices.ContainsFunc(kinds, func(k mesh.Kind) bool { return typedLister(k) == nil }) {
		if err := c.discover(ctx); err != nil {
			return nil, Explain("asking the cluster for its kinds", err)
		}
	}
	listed := slices.DeleteFunc(slices.Clone(kinds), func(k mesh.Kind) bool { return k == mesh.Secret || k == mesh.ConfigMap })
	read := r.lists
	if len(o.Only) > 0 {
		read = r.scoped
	}
	group, reading := errgroup.WithContext(ctx)
	if len(o.Only) > 0 {
		// The mesh config names the root namespace.
		if err := r.control(ctx); err != nil {
			return nil, err
		}
	} else {
		group.Go(func() error { return r.control(reading) })
	}
	group.Go(func() error { return read(reading, listed) })
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if slices.Contains(kinds, mesh.Secret) {
		if err := r.secrets(ctx); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(r.live.Read, mesh.Kind.Compare)
	slices.SortFunc(r.live.Skipped, func(a, b mesh.Skip) int { return a.Kind.Compare(b.Kind) })
	return &r.live, nil
}

// lists reads kinds everywhere, several at once.
func (r *reader) lists(ctx context.Context, kinds []mesh.Kind) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(listsAtOnce)
	for _, kind := range kinds {
		group.Go(func() error { return r.kind(ctx, kind) })
	}
	return group.Wait()
}

// kind reads one kind everywhere or, where that is forbidden, in the
// namespaces of the options.
func (r *reader) kind(ctx context.Context, kind mesh.Kind) error {
	list, err := r.lister(kind)
	if meta.IsNoMatchError(err) {
		if err := within(ctx, func() error { return r.absent(kind) }); err != nil {
			r.unread(kind, err)
		} else {
			r.done(kind, nil)
		}
		return nil
	}
	if err != nil {
		return Explain("asking the cluster for "+kind.Resource, err)
	}
	objects, err := r.pages(ctx, list, "")
	switch {
	case err == nil, apierrors.IsNotFound(err):
		r.done(kind, objects)
		return nil
	case !apierrors.IsForbidden(err):
		return Explain("listing "+kind.Resource, err)
	}
	refused := err
	if !kind.Namespaced {
		r.skip(kind, refused)
		return nil
	}
	for _, ns := range r.options.Namespaces {
		objects, err := r.pages(ctx, list, ns)
		switch {
		case err == nil:
			r.doneIn(kind, ns, objects)
		case !apierrors.IsForbidden(err):
			return Explain(fmt.Sprintf("listing %s in %s", kind.Resource, ns), err)
		}
	}
	r.mu.Lock()
	partly := len(r.live.ReadIn[kind]) > 0
	r.mu.Unlock()
	if !partly {
		r.skip(kind, refused)
	}
	return nil
}

func (r *reader) done(kind mesh.Kind, objects []*mesh.Object) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.live.Read = append(r.live.Read, kind)
	r.live.Objects = append(r.live.Objects, objects...)
}

func (r *reader) doneIn(kind mesh.Kind, namespace string, objects []*mesh.Object) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.live.ReadIn[kind] = append(r.live.ReadIn[kind], namespace)
	r.live.Objects = append(r.live.Objects, objects...)
}

func (r *reader) skip(kind mesh.Kind, err error) {
	r.unread(kind, fmt.Errorf("forbidden: %s", refusal(err)))
}

func (r *reader) unread(kind mesh.Kind, why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.live.Skipped = append(r.live.Skipped, mesh.Skip{Kind: kind, Reason: why.Error()})
}

// control reads the control plane's ConfigMaps: mesh config and injector, of
// all revisions.
func (r *reader) control(ctx context.Context) error {
	list, err := r.lister(mesh.ConfigMap)
	if err != nil {
		return Explain("asking the cluster for configmaps", err)
	}
	objects, err := r.pages(ctx, list, r.options.IstioNamespace)
	if apierrors.IsForbidden(err) {
		r.skip(mesh.ConfigMap, err)
		return nil
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return Explain("listing configmaps in "+r.options.IstioNamespace, err)
	}
	objects = slices.DeleteFunc(objects, func(o *mesh.Object) bool {
		return o.Name != "istio" && !strings.HasPrefix(o.Name, "istio-")
	})
	r.doneIn(mesh.ConfigMap, r.options.IstioNamespace, objects)
	return nil
}
