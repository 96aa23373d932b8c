package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/meshctl/meshctl/internal/mesh"
)

// rewatchPause is how long a watch that ended rests before the next.
const rewatchPause = time.Second

// beginWatches is the longest wait for all watches to begin; reading says what
// is wrong with a cluster that takes longer.
const beginWatches = 5 * time.Second

// leaderAnnotation is renewed every few seconds in the ConfigMaps by which
// istiods elect a leader.
const leaderAnnotation = "control-plane.alpha.kubernetes.io/leader"

// Changes tells that objects that [Client.Read] reads have changed, until ctx
// ends, and not more often than every so long. It watches the kinds' metadata and keeps
// nothing. When the cluster is away it tells, too: reading it says what is
// wrong. warn gets what may not be watched.
func (c *Client) Changes(ctx context.Context, o ReadOptions, every time.Duration, warn func(error)) (<-chan struct{}, error) {
	cfg, err := c.Config()
	if err != nil {
		return nil, err
	}
	cfg = rest.CopyConfig(cfg)
	cfg.Timeout = 0 // it would cut watches
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	seen := make(chan struct{}, 1)
	w := &changeWatcher{client: c, rest: client.Discovery().RESTClient(), options: o, warn: warn, changed: func() {
		select {
		case seen <- struct{}{}:
		default:
		}
	}}
	kinds := slices.DeleteFunc(append([]mesh.Kind{mesh.Namespace, mesh.ConfigMap}, o.Kinds...), func(k mesh.Kind) bool { return k == mesh.Secret })
	slices.SortFunc(kinds, mesh.Kind.Compare)
	var begun sync.WaitGroup
	for _, kind := range slices.Compact(kinds) {
		namespace := ""
		if kind == mesh.ConfigMap {
			namespace = o.IstioNamespace
		}
		begun.Add(1)
		go w.kind(ctx, kind, namespace, sync.OnceFunc(begun.Done))
	}
	// What is read after this is older than nothing that is watched.
	bounded, cancel := context.WithTimeout(ctx, beginWatches)
	defer cancel()
	_ = within(bounded, func() error { begun.Wait(); return nil })
	told := make(chan struct{})
	go pace(ctx, seen, told, every)
	return told, nil
}

// pace passes signals on, a burst as one, with a rest after each.
func pace(ctx context.Context, from <-chan struct{}, to chan<- struct{}, every time.Duration) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-from:
		}
		if !pause(ctx, min(burstPause, every)) {
			return
		}
		select {
		case <-from:
		default:
		}
		select {
		case <-ctx.Done():
			return
		case to <- struct{}{}:
		}
		if !pause(ctx, every) {
			return
		}
	}
}

type changeWatcher struct {
	client  *Client
	rest    rest.Interface
	options ReadOptions
	changed func()
	warn    func(error)
}

// kind watches a kind in a namespace or in all; where the latter is forbidden,
// in the namespaces of the options. begun is called when changes are noticed
// from there on, or cannot be.
func (w *changeWatcher) kind(ctx context.Context, kind mesh.Kind, namespace string, begun func()) {
	defer begun()
	for first := true; ctx.Err() == nil; first = false {
		err := w.once(ctx, kind, namespace, first, begun)
		begun()
		switch {
		case ctx.Err() != nil:
			return
		case meta.IsNoMatchError(err), apierrors.IsNotFound(err):
			return // a kind that the cluster does not have
		case apierrors.IsForbidden(err) && namespace == "" && kind.Namespaced:
			for _, ns := range w.options.Namespaces {
				go w.kind(ctx, kind, ns, func() {})
			}
			return
		case apierrors.IsForbidden(err), apierrors.IsMethodNotSupported(err):
			w.warn(fmt.Errorf("changes of %s are not noticed: %s", strings.TrimSpace(kind.Resource+" "+namespace), refusal(err)))
			return
		case err != nil:
			w.changed()
		}
		if !pause(ctx, rewatchPause) {
			return
		}
	}
}

// once watches from now on until the watch ends; nil means that it ended well.
func (w *changeWatcher) once(ctx context.Context, kind mesh.Kind, namespace string, first bool, begun func()) error {
	resource := schema.GroupVersionResource{Group: kind.Group, Version: kind.Version, Resource: kind.Resource}
	if typedLister(kind) == nil {
		mapper, err := w.client.Mapper()
		if err != nil {
			return err
		}
		var mapping *meta.RESTMapping
		if err = within(ctx, func() (err error) {
			mapping, err = mapper.RESTMapping(schema.GroupKind{Group: kind.Group, Kind: kind.Kind})
			return err
		}); err != nil {
			return err
		}
		resource = mapping.Resource
	}
	bounded, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	text, err := w.request(resource, namespace, "List").Param("limit", "1").Do(bounded).Raw()
	if err != nil {
		return err
	}
	var list metav1.PartialObjectMetadataList
	if err := json.Unmarshal(text, &list); err != nil {
		return err
	}
	begun()
	if !first {
		w.changed() // what happened between the watches is not known
	}
	body, err := w.request(resource, namespace, "").Param("watch", "1").Param("allowWatchBookmarks", "true").
		Param("resourceVersion", list.ResourceVersion).Stream(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	w.events(body)
	return nil
}

// request asks for the metadata of a resource's objects.
func (w *changeWatcher) request(resource schema.GroupVersionResource, namespace, list string) *rest.Request {
	root := []string{"/apis", resource.Group, resource.Version}
	if resource.Group == "" {
		root = []string{"/api", resource.Version}
	}
	accept := "application/json;as=PartialObjectMetadata" + list + ";g=meta.k8s.io;v=v1,application/json"
	return w.rest.Get().SetHeader("Accept", accept).AbsPath(root...).NamespaceIfScoped(namespace, namespace != "").Resource(resource.Resource)
}

// events tells of the changes in the body of a watch, until it ends.
func (w *changeWatcher) events(body io.Reader) {
	for decoder := json.NewDecoder(body); ; {
		var event struct {
			Type   string                       `json:"type"`
			Object metav1.PartialObjectMetadata `json:"object"`
		}
		if decoder.Decode(&event) != nil || event.Type == "ERROR" {
			return
		}
		_, leader := event.Object.Annotations[leaderAnnotation]
		if event.Type != "BOOKMARK" && !leader {
			w.changed()
		}
	}
}
