package deadline_test

import (
	"context"
	"errors"
	"testing"

	"github.com/meshctl/meshctl/internal/deadline"
)

func TestDoReturnsWhatTheWorkDoes(t *testing.T) {
	t.Parallel()
	failed := errors.New("failed")
	got, err := deadline.Do(t.Context(), func() (int, error) { return 7, failed })
	if got != 7 || !errors.Is(err, failed) {
		t.Errorf("%d, %v", got, err)
	}
}

func TestDoBeginsNothingAfterTheEnd(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := deadline.Do(ctx, func() (int, error) {
		t.Error("begun")
		return 0, nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Work that does not look at contexts is left behind, and can be waited for.
func TestWorkThatGoesOnIsWaitedForLater(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	ctx, wait := deadline.Track(ctx)
	begun, release := make(chan struct{}), make(chan struct{})
	finished := false
	go func() {
		<-begun
		cancel()
	}()
	_, err := deadline.Do(ctx, func() (int, error) {
		close(begun)
		<-release
		finished = true
		return 1, nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	wait(ctx) // has ended: returns though the work goes on
	close(release)
	wait(t.Context())
	if !finished {
		t.Error("wait did not wait")
	}
}
