package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"

	"github.com/meshctl/meshctl/internal/mesh"
)

// pages reads a list page by page. When the list grows too old on the way, as
// it does for slow readers, it is read again, in one piece.
func (r *reader) pages(ctx context.Context, list lister, namespace string) ([]*mesh.Object, error) {
	objects, err := r.paged(ctx, list, namespace, pageSize)
	if apierrors.IsResourceExpired(err) {
		return r.paged(ctx, list, namespace, 0)
	}
	return objects, err
}

// absent says whether a cluster surely has no kind that discovery did not
// find: a group that cannot be asked may have it. The error says why not.
func (r *reader) absent(kind mesh.Kind) error {
	cfg, err := r.client.Config()
	if err != nil {
		return err
	}
	d, err := discovery.NewDiscoveryClientForConfig(cfg)
	if err != nil {
		return err
	}
	groups, err := d.ServerGroups()
	if err != nil {
		return err
	}
	for _, g := range groups.Groups {
		if g.Name != kind.Group {
			continue
		}
		for _, v := range g.Versions {
			resources, err := d.ServerResourcesForGroupVersion(v.GroupVersion)
			if err != nil && !apierrors.IsNotFound(err) {
				return fmt.Errorf("the API server cannot say what %s holds: %s", v.GroupVersion, reason(err))
			}
			if resources != nil && slices.ContainsFunc(resources.APIResources, func(a metav1.APIResource) bool { return a.Kind == kind.Kind }) {
				return fmt.Errorf("the API server found %s only when asked again", kind.Resource)
			}
		}
	}
	return nil
}

// discover asks the cluster for its kinds, which client-go does without a
// context, so that a silent cluster does not outlast the deadline.
func (c *Client) discover(ctx context.Context) error {
	return within(ctx, func() error {
		mapper, err := c.Mapper()
		if err != nil {
			return err
		}
		_, err = mapper.RESTMapping(schema.GroupKind{Group: mesh.VirtualService.Group, Kind: mesh.VirtualService.Kind})
		if meta.IsNoMatchError(err) {
			return nil
		}
		return err
	})
}

// within waits for what takes no context, at most as long as ctx says.
func within(ctx context.Context, do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// isGarbled says whether an answer came, but not whole, or not from an API server.
func isGarbled(err error) bool {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return true
	}
	var status apierrors.APIStatus
	if errors.As(err, &status) && status.Status().Reason != metav1.StatusReasonUnknown && status.Status().Reason != "" {
		return false
	}
	for _, sign := range []string{"reading response body", "unexpected EOF", "unexpected end of JSON", "serializer for", "json parse error", "invalid character", "proto: "} {
		if strings.Contains(err.Error(), sign) {
			return true
		}
	}
	return false
}
