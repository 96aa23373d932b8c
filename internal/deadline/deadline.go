// Package deadline ends the wait for work when a context does, also for work
// that does not look at contexts, such as a check or a parser.
package deadline

import (
	"context"
	"sync"
)

// Do does work and returns what it returns, or the context's error as soon as
// that ends. The work then goes on for nobody: the caller must not use what it
// changes. Nothing is begun once the context has ended.
func Do[T any](ctx context.Context, work func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	done := make(chan result, 1)
	begin(ctx, func() {
		value, err := work()
		done <- result{value, err}
	})
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// trackerKey finds the WaitGroup of [Track] in a context.
type trackerKey struct{}

// Track returns a context whose work can be waited for, also that which [Do]
// no longer waits for. wait returns at the latest when its own context ends.
func Track(ctx context.Context) (tracked context.Context, wait func(context.Context)) {
	var going sync.WaitGroup
	return context.WithValue(ctx, trackerKey{}, &going), func(ctx context.Context) {
		ended := make(chan struct{})
		go func() {
			going.Wait()
			close(ended)
		}()
		select {
		case <-ended:
		case <-ctx.Done():
		}
	}
}

func begin(ctx context.Context, work func()) {
	if going, tracked := ctx.Value(trackerKey{}).(*sync.WaitGroup); tracked {
		going.Go(work)
		return
	}
	go work()
}
