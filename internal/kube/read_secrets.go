package kube

import (
	"context"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/meshctl/meshctl/internal/mesh"
)

// secrets fetches the Secrets that Gateways refer to, one by one.
func (r *reader) secrets(ctx context.Context) error {
	client, err := r.client.Kubernetes()
	if err != nil {
		return err
	}
	var refused sync.Once
	group, gets := errgroup.WithContext(ctx)
	group.SetLimit(secretsAtOnce)
	for _, ref := range credentials(mesh.New(slices.Concat(r.live.Objects, r.options.With), mesh.Options{IstioNamespace: r.options.IstioNamespace})) {
		group.Go(func() error {
			secret, err := client.CoreV1().Secrets(ref.Namespace).Get(gets, ref.Name, metav1.GetOptions{})
			switch {
			case apierrors.IsNotFound(err):
				return nil
			case apierrors.IsForbidden(err):
				refused.Do(func() { r.skip(mesh.Secret, err) })
				return nil
			case err != nil:
				return Explain("reading the secret "+ref.Namespace+"/"+ref.Name, err)
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			r.live.Objects = append(r.live.Objects, r.object(mesh.Secret, secret))
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := r.remoteNames(ctx, client); err != nil {
		return err
	}
	r.live.Read = append(r.live.Read, mesh.Secret)
	return nil
}

// remoteNames adds the remote secrets, where the mesh config refers to clusters
// by the names in them. What gives access to the clusters is left out.
func (r *reader) remoteNames(ctx context.Context, client kubernetes.Interface) error {
	if !slices.ContainsFunc(r.live.Objects, func(o *mesh.Object) bool {
		if o.Kind != mesh.ConfigMap {
			return false
		}
		networks, _ := o.Field("data", "meshNetworks").(string)
		return strings.Contains(networks, "fromRegistry")
	}) {
		return nil
	}
	list, err := client.CoreV1().Secrets(r.options.IstioNamespace).List(ctx, metav1.ListOptions{LabelSelector: remoteLabel})
	switch {
	case apierrors.IsForbidden(err):
		r.skip(mesh.Secret, err)
		return nil
	case err != nil:
		return Explain("reading the remote secrets", err)
	}
	for i := range list.Items {
		secret := &list.Items[i]
		for cluster := range secret.Data {
			secret.Data[cluster] = nil
		}
		r.live.Objects = append(r.live.Objects, r.object(mesh.Secret, secret))
	}
	return nil
}

// credentials are the Secrets that Gateways name, and those that may stand
// beside them.
func credentials(s *mesh.Snapshot) []mesh.Ref {
	var refs []mesh.Ref
	add := func(all []mesh.Credential) {
		for _, c := range all {
			if c.Kind != mesh.Secret {
				continue
			}
			refs = append(refs, c.Ref)
			if c.Or != "" {
				refs = append(refs, mesh.Ref{Kind: mesh.Secret, Namespace: c.Namespace, Name: c.Or})
			}
		}
	}
	for _, gw := range s.Gateways() {
		add(s.Credentials(gw))
	}
	for _, gw := range s.KubernetesGateways() {
		add(mesh.KubernetesCredentials(gw))
	}
	for _, set := range s.ListenerSets() {
		add(mesh.ListenerCredentials(mesh.ListenersOfSet(set)))
	}
	slices.SortFunc(refs, mesh.Ref.Compare)
	return slices.Compact(refs)
}
