package e2e

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// running is a command that has not ended yet.
type running struct {
	cmd     *exec.Cmd
	started time.Time
	stdout  bytes.Buffer // read once it has ended
	stderr  watched
	ended   chan struct{}
	err     error
}

// watched is a buffer that says when there is more in it.
type watched struct {
	mu   sync.Mutex
	text strings.Builder
	more chan struct{}
}

func (w *watched) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case w.more <- struct{}{}:
	default:
	}
	return w.text.Write(b)
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// start starts a command line; it is killed when the test ends.
func (m meshctl) start(t *testing.T, args ...string) *running {
	t.Helper()
	r := &running{cmd: exec.CommandContext(t.Context(), m.binary, args...), started: time.Now(), ended: make(chan struct{})}
	r.cmd.Env = append(os.Environ(), "KUBECONFIG="+m.kubeconfig, "HOME="+m.home, "XDG_CONFIG_HOME="+m.home, "NO_COLOR=1")
	r.stderr.more = make(chan struct{}, 1)
	r.cmd.Stdout, r.cmd.Stderr = &r.stdout, &r.stderr
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		r.err = r.cmd.Wait()
		close(r.ended)
	}()
	t.Cleanup(func() {
		_ = r.cmd.Process.Kill()
		<-r.ended
	})
	return r
}

// says waits until stderr has all the words, within so long from now, or from
// the start of the command if that has not been long ago.
func (r *running) says(t *testing.T, within time.Duration, words ...string) *running {
	t.Helper()
	from := time.Now()
	if from.Sub(r.started) < time.Second {
		from = r.started
	}
	deadline := time.After(time.Until(from.Add(within)))
	for {
		missing := ""
		for _, w := range words {
			if !strings.Contains(r.stderr.String(), w) {
				missing = w
			}
		}
		if missing == "" {
			t.Logf("said after %.1f s", time.Since(from).Seconds())
			return r
		}
		select {
		case <-r.stderr.more:
		case <-r.ended:
			if !strings.Contains(r.stderr.String(), missing) {
				t.Fatalf("it ended without saying %q:\n%s", missing, r.stderr.String())
			}
		case <-deadline:
			t.Fatalf("%q is not said within %s:\n%s", missing, within, r.stderr.String())
		}
	}
}

// interrupt ends it as Ctrl-C does.
func (r *running) interrupt(t *testing.T) {
	t.Helper()
	if err := r.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	if got := r.ends(t, 10*time.Second); got.code != 130 {
		t.Errorf("exit code %d after an interrupt:\n%s", got.code, got.stderr)
	}
}

// ends waits until it has ended.
func (r *running) ends(t *testing.T, within time.Duration) result {
	t.Helper()
	select {
	case <-r.ended:
	case <-time.After(within):
		t.Fatalf("it has not ended within %s:\n%s", within, r.stderr.String())
	}
	return result{r.stdout.String(), r.stderr.String(), r.cmd.ProcessState.ExitCode()}
}
