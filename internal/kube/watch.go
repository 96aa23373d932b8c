package kube

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

// relistPause is how long a broken watch rests before all is listed again.
const relistPause = 500 * time.Millisecond

// Follow calls see with every object of a kind in a namespace (in all when it
// is empty), and again whenever one changes or is gone, until ctx ends; that is
// not an error. It survives broken connections and restarts of the API server,
// and returns an error only when the first list fails for another reason or
// later ones are refused.
func (o *Objects) Follow(ctx context.Context, kind schema.GroupVersionKind, namespace string, see func(obj *unstructured.Unstructured, gone bool)) error {
	r, err := o.resource(kind, namespace)
	for unanswering(err) && pause(ctx, relistPause) {
		r, err = o.resource(kind, namespace)
	}
	if ctx.Err() != nil {
		return nil //nolint:nilerr // the caller ended it
	}
	if err != nil {
		return err
	}
	f := &follower{resource: r, see: see, known: map[string]*unstructured.Unstructured{}}
	for first := true; ; first = false {
		version, err := f.list(ctx)
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // the caller ended it
		case err == nil:
			f.watch(ctx, version)
		case first && !unanswering(err), apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
			return fmt.Errorf("listing %s: %w", kind.Kind, err)
		}
		if !pause(ctx, relistPause) {
			return nil
		}
	}
}

// unanswering says whether an error comes from an API server that is away or
// just starting.
func unanswering(err error) bool {
	return err != nil && (unanswered(err) || apierrors.IsServiceUnavailable(err) || apierrors.IsTooManyRequests(err) || apierrors.IsInternalError(err))
}

// pause waits; false means that ctx ended meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// follower remembers what it has told, to notice what vanished while no watch ran.
type follower struct {
	resource dynamic.ResourceInterface
	see      func(*unstructured.Unstructured, bool)
	known    map[string]*unstructured.Unstructured
}

// list tells what is new, changed or gone since the last time, and from which
// version to watch.
func (f *follower) list(ctx context.Context) (string, error) {
	version := ""
	now := map[string]*unstructured.Unstructured{}
	opts := metav1.ListOptions{Limit: objectPage}
	for {
		page, err := list(ctx, f.resource, opts)
		if err != nil {
			return "", err
		}
		for i := range page.Items {
			now[objectKey(&page.Items[i])] = &page.Items[i]
		}
		version = page.GetResourceVersion()
		if opts.Continue = page.GetContinue(); opts.Continue == "" {
			break
		}
	}
	for key, obj := range f.known {
		if now[key] == nil {
			f.see(obj, true)
		}
	}
	for key, obj := range now {
		if old := f.known[key]; old == nil || old.GetResourceVersion() != obj.GetResourceVersion() {
			f.see(obj, false)
		}
	}
	f.known = now
	return version, nil
}

// watch tells changes until the watch can't be continued from where it stopped.
func (f *follower) watch(ctx context.Context, version string) {
	lw := &cache.ListWatch{WatchFuncWithContext: func(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
		return f.resource.Watch(ctx, opts)
	}}
	w, err := watchtools.NewRetryWatcherWithContext(ctx, version, lw)
	if err != nil {
		return
	}
	defer w.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case event, open := <-w.ResultChan():
			obj, ok := event.Object.(*unstructured.Unstructured)
			if !open || !ok { // an error such as "too old" comes as a Status
				return
			}
			switch event.Type {
			case watch.Added, watch.Modified:
				f.known[objectKey(obj)] = obj
				f.see(obj, false)
			case watch.Deleted:
				delete(f.known, objectKey(obj))
				f.see(obj, true)
			}
		}
	}
}

func objectKey(obj *unstructured.Unstructured) string {
	return obj.GetNamespace() + "/" + obj.GetName()
}
