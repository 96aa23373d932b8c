package bed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// alive says whether a process runs; one that has ended but is not reaped does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(after, "Z")
}

func supervised(ctx context.Context, t *testing.T, name string) (*Remote, error) {
	t.Helper()
	return Up(ctx, Options{Name: name, Log: t.Output()}, []string{"/usr/bin/env", superviseEnv + "=" + name, os.Args[0]})
}

// TestSupervisor kills one with no chance to clean up: its children end with it, and the name can be used again.
func TestSupervisor(t *testing.T) {
	t.Parallel()
	ctx := testContext(t)
	name := fmt.Sprintf("go-up-%d", os.Getpid())
	r, err := supervised(ctx, t, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = Down(context.WithoutCancel(ctx), name) })
	s, err := r.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := supervised(ctx, t, name); err != nil {
		t.Error("a second up:", err)
	} else if s2, err := again.Status(ctx); err != nil || s2.PID != s.PID {
		t.Errorf("a second up gave supervisor %d, %v; want %d", s2.PID, err, s.PID)
	}
	if len(s.Processes) != 5 {
		t.Fatalf("want 5 processes, got %+v", s.Processes)
	}
	for _, p := range s.Processes {
		if !alive(p.PID) || p.State != "running" {
			t.Errorf("%s does not run", p.Name)
		}
	}
	owner, err := os.FindProcess(s.PID)
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Kill(); err != nil {
		t.Fatal(err)
	}
	soon, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	err = poll(soon, func(context.Context) error {
		if alive(s.PID) { // its children may be gone before
			return errors.New("the killed supervisor is still ending")
		}
		for _, p := range s.Processes {
			if alive(p.PID) {
				return fmt.Errorf("%s outlives its supervisor", p.Name)
			}
		}
		// Its threads end one after another: the last one still holds the lock
		// when the process no longer counts as alive.
		if _, err := Open(name); err == nil {
			return errors.New("the killed bed can still be opened")
		} else if !errors.Is(err, ErrNotRunning) {
			return fmt.Errorf("opening a killed bed: %w", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := Down(ctx, name); !errors.Is(err, ErrNotRunning) {
		t.Errorf("ending a killed bed: %v", err)
	}
}

// TestUpInterrupted ends a bed that is still starting.
func TestUpInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(testContext(t))
	name := fmt.Sprintf("go-int-%d", os.Getpid())
	l, err := findLayout()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = poll(ctx, func(context.Context) error { _, err := os.Stat(l.bed(name) + "/logs/kube-apiserver.log"); return err })
		cancel()
	}()
	if _, err := supervised(ctx, t, name); !errors.Is(err, context.Canceled) {
		t.Errorf("want interrupted, got %v", err)
	}
	if running, err := l.held(name); err != nil || running {
		t.Errorf("the bed still runs: %t, %v", running, err)
	}
	if err := Down(context.WithoutCancel(ctx), name); !errors.Is(err, ErrNotRunning) {
		t.Error(err)
	}
}

// TestTimeout says which process was not ready, and leaves nothing running.
func TestTimeout(t *testing.T) {
	t.Parallel()
	_, err := Start(testContext(t), Options{Name: fmt.Sprintf("late-%d", os.Getpid()), Timeout: 150 * time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "did not become ready") || !strings.Contains(err.Error(), "not up within 150ms") {
		t.Errorf("want an error that names a process and the deadline, got: %v", err)
	}
	l, err := findLayout()
	if err != nil {
		t.Fatal(err)
	}
	removeLeftovers(l.bed(fmt.Sprintf("late-%d", os.Getpid())))
	_ = os.Remove(l.lock(fmt.Sprintf("late-%d", os.Getpid())))
}
