package install

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// FieldManager is the name under which meshctl owns fields in a cluster.
const FieldManager = "meshctl"

// Reader reads objects of any kind. Errors are those of the API server, so
// that apierrors.IsNotFound, IsForbidden and meta.IsNoMatchError tell them apart.
type Reader interface {
	// Get reads one object; namespace is empty for cluster-wide kinds.
	Get(ctx context.Context, kind schema.GroupVersionKind, namespace, name string) (*unstructured.Unstructured, error)
	// List reads all objects of a kind that match a label selector; an empty
	// namespace means all of them.
	List(ctx context.Context, kind schema.GroupVersionKind, namespace, selector string) ([]*unstructured.Unstructured, error)
	// Follow calls see with every object of a kind in a namespace and again
	// whenever one changes or is gone, until ctx ends, which is not an error.
	// Calls do not overlap.
	Follow(ctx context.Context, kind schema.GroupVersionKind, namespace string, see func(obj *unstructured.Unstructured, gone bool)) error
}

// Applier writes objects by server-side apply under [FieldManager].
type Applier interface {
	// Apply returns the object as the API server keeps it, or with dryRun as it
	// would. force takes fields over from other managers instead of failing.
	Apply(ctx context.Context, obj *unstructured.Unstructured, dryRun, force bool) (*unstructured.Unstructured, error)
}

// Adopter changes who owns what.
type Adopter interface {
	// Own replaces the live object's record of who owns which field by obj's, and
	// changes nothing else. It is a conflict when the live object has another
	// resourceVersion than obj.
	Own(ctx context.Context, obj *unstructured.Unstructured) error
}

// Cluster is what an install needs of a cluster.
type Cluster interface {
	Reader
	Applier
	Adopter
	Remover
}
