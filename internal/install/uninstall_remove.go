package install

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"golang.org/x/sync/errgroup"

	"github.com/meshctl/meshctl/internal/hint"
)

// Check asks the API server whether all of it could be deleted, without
// deleting anything.
func (r *Removal) Check(ctx context.Context, c Remover) error {
	var mu sync.Mutex
	var failures []error
	var g errgroup.Group
	g.SetLimit(requests)
	for _, x := range r.Objects {
		g.Go(func() error {
			err := c.Delete(ctx, x.Object, true)
			if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			failures = append(failures, failure("deleting", ident(x.Object), "delete", err))
			return nil
		})
	}
	_ = g.Wait() // failures holds them all
	return joinFailures("checking what would be deleted", failures)
}

// Remove deletes stage by stage and waits until each is gone, until ctx ends.
// Objects that somebody else deletes meanwhile are fine.
func (r *Removal) Remove(ctx context.Context, c Installed, progress Progress) error {
	for stage := range stageCount {
		var todo []*Removed
		for _, x := range r.Objects {
			if x.stage == stage && !x.Gone {
				todo = append(todo, x)
			}
		}
		if err := removeAll(ctx, c, todo, progress); err != nil {
			left := 0
			for _, x := range r.Objects {
				if !x.Gone {
					left++
				}
			}
			return hint.Failf(orElse(hint.Of(err), "running the same command again continues"), "%w\nremoved %d of %d objects", err, len(r.Objects)-left, len(r.Objects))
		}
	}
	return nil
}

func removeAll(ctx context.Context, c Installed, todo []*Removed, progress Progress) error {
	var g errgroup.Group
	g.SetLimit(requests)
	for _, x := range todo {
		g.Go(func() error {
			progress.tell(Event{Component: x.Component, Object: ident(x.Object), Phase: Removing})
			err := retry(ctx, func() error { return c.Delete(ctx, x.Object, false) }, func(error) {})
			switch {
			case apierrors.IsNotFound(err), apierrors.IsConflict(err): // gone, or another object of this name by now
				x.Gone = true
			case err != nil:
				x.Err = failure("deleting", ident(x.Object), "delete", err)
			}
			return nil
		})
	}
	_ = g.Wait() // the errors are in todo
	awaitGone(ctx, c, todo, progress)
	var failures []error
	for _, x := range todo {
		if x.Err != nil {
			failures = append(failures, x.Err)
		}
	}
	return joinFailures("removing", failures)
}

// awaitGone waits until what was deleted is gone, all kinds at once. Most
// objects go as they are deleted; those that end pods or have finalizers are
// followed.
func awaitGone(ctx context.Context, c Reader, todo []*Removed, progress Progress) {
	type place struct {
		kind      schema.GroupVersionKind
		namespace string
	}
	at := map[place][]*Removed{}
	for _, x := range todo {
		if x.Err != nil {
			continue
		}
		if x.Object.GetKind() == "Secret" { // never listed; nothing holds them up
			x.Gone = true
			progress.tell(Event{Component: x.Component, Object: ident(x.Object), Phase: Gone})
			continue
		}
		p := place{x.Object.GroupVersionKind(), x.Object.GetNamespace()}
		at[p] = append(at[p], x)
	}
	var group sync.WaitGroup
	for p, waiting := range at {
		group.Go(func() {
			w := &leaving{waiting: waiting, progress: progress}
			w.wait(ctx, c, p.kind, p.namespace)
		})
	}
	group.Wait()
}

// leaving are deleted objects of a kind in a namespace.
type leaving struct {
	progress Progress

	mu      sync.Mutex
	waiting []*Removed
	told    bool // the watch has begun
}

func (w *leaving) wait(ctx context.Context, c Reader, kind schema.GroupVersionKind, namespace string) {
	if w.look(ctx, c, kind, namespace) {
		return
	}
	follow, stop := context.WithCancel(ctx)
	defer stop()
	changed := make(chan struct{}, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = c.Follow(follow, kind, namespace, func(obj *unstructured.Unstructured, gone bool) {
			w.see(obj, gone)
			select {
			case changed <- struct{}{}:
			default:
			}
		})
	}()
	// What goes before the watch begins is not told by it. So there is a look now
	// and then until the watch has told something, and one after that; and looks
	// for good where watching is not allowed.
	settled, watching := false, true
	for backoff := askAgain(); ; {
		w.mu.Lock()
		left, told := len(w.waiting), w.told && watching
		w.mu.Unlock()
		if left == 0 || !settled && w.look(ctx, c, kind, namespace) {
			return
		}
		settled = told
		var again <-chan time.Time
		if !settled {
			again = time.After(backoff.Step())
		}
		select {
		case <-changed:
		case <-again:
		case <-ended:
			settled, watching, ended = false, false, nil
		case <-ctx.Done():
			w.giveUp()
			return
		}
	}
}

// see is told of an object of the kind.
func (w *leaving) see(obj *unstructured.Unstructured, gone bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, x := range slices.Clone(w.waiting) {
		switch same := obj.GetUID() == x.Object.GetUID(); {
		case obj.GetName() != x.Object.GetName():
		case gone && same, !gone && !same: // deleted, or already another one
			w.gone(x)
		case !gone:
			x.Object = obj // with the finalizers that it has now
		}
	}
	w.told = true
}

// look lists what is left; true means nothing.
func (w *leaving) look(ctx context.Context, c Reader, kind schema.GroupVersionKind, namespace string) bool {
	list, err := c.List(ctx, kind, namespace, "")
	noSuchKind := meta.IsNoMatchError(err) || apierrors.IsNotFound(err)
	if err != nil && !noSuchKind {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, x := range slices.Clone(w.waiting) {
		if !slices.ContainsFunc(list, func(o *unstructured.Unstructured) bool {
			return o.GetName() == x.Object.GetName() && o.GetUID() == x.Object.GetUID()
		}) {
			w.gone(x)
		}
	}
	return len(w.waiting) == 0
}

// gone notes that an object has gone; w.mu is held.
func (w *leaving) gone(x *Removed) {
	x.Gone = true
	w.waiting = slices.DeleteFunc(w.waiting, func(y *Removed) bool { return y == x })
	w.progress.tell(Event{Component: x.Component, Object: ident(x.Object), Phase: Gone})
}

func (w *leaving) giveUp() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, x := range w.waiting {
		x.Err = hint.Failf("see `kubectl get "+target(x.Object)+" -o yaml`; what has finalizers waits for someone to remove them",
			"deleting %s: still there at the deadline%s", ident(x.Object), finalizers(x.Object))
	}
}

func finalizers(obj *unstructured.Unstructured) string {
	if f := obj.GetFinalizers(); len(f) > 0 {
		return ", its finalizers are " + strings.Join(f, ", ")
	}
	return ""
}
