package kube

import (
	"context"
	"strings"

	"golang.org/x/sync/errgroup"
	authorization "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/meshctl/meshctl/internal/mesh"
)

// reviewsAtOnce bounds how many permissions are asked for at once.
const reviewsAtOnce = 16

// Access is something that a user may be allowed to do.
type Access struct {
	Verb, Group, Resource string
	// Namespace is empty for the whole cluster.
	Namespace string
}

// Reviews are the API server's answers to whether the user may do things, in
// the same order: objects of kind SelfSubjectAccessReview. It fails when one of
// them is not answered.
func (c *Client) Reviews(ctx context.Context, all []Access) ([]*mesh.Object, error) {
	client, err := c.Kubernetes()
	if err != nil {
		return nil, err
	}
	cluster, _ := c.Context()
	answers := make([]*mesh.Object, len(all))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(reviewsAtOnce)
	for i, a := range all {
		group.Go(func() error {
			review, err := client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, a.review(), metav1.CreateOptions{})
			if err != nil {
				return Explain("asking whether you may "+a.String(), err)
			}
			answers[i], err = a.object(review, cluster)
			return err
		})
	}
	return answers, group.Wait()
}

// String is "create clusterroles.rbac.authorization.k8s.io".
func (a Access) String() string {
	return a.Verb + " " + strings.TrimSuffix(a.Resource+"."+a.Group, ".")
}

func (a Access) review() *authorization.SelfSubjectAccessReview {
	return &authorization.SelfSubjectAccessReview{Spec: authorization.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorization.ResourceAttributes{Verb: a.Verb, Group: a.Group, Resource: a.Resource, Namespace: a.Namespace},
	}}
}

// object is the answer as an object of a snapshot, which needs a name.
func (a Access) object(review *authorization.SelfSubjectAccessReview, cluster string) (*mesh.Object, error) {
	raw, err := runtime.DefaultUnstructuredConverter.ToUnstructured(review)
	if err != nil {
		return nil, err
	}
	version, kind := authorization.SchemeGroupVersion.String(), "SelfSubjectAccessReview"
	raw["apiVersion"], raw["kind"] = version, kind
	raw["metadata"] = map[string]any{"name": strings.ReplaceAll(a.String(), " ", "-")}
	return mesh.NewObject(mesh.ForeignKind(version, kind), raw, mesh.Origin{Cluster: cluster}), nil
}
