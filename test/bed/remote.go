package bed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"time"
)

// Remote is a bed in another process, which Up started.
type Remote struct {
	name   string
	layout layout
	client *http.Client
}

// ErrNotRunning is what Open returns for a bed that is not there.
var ErrNotRunning = errors.New("it is not running")

// Open finds a running bed.
func Open(name string) (*Remote, error) {
	l, err := findLayout()
	if err != nil {
		return nil, err
	}
	if running, err := l.held(name); err != nil {
		return nil, err
	} else if !running {
		return nil, fmt.Errorf("bed %s: %w", name, ErrNotRunning)
	}
	s, err := readState(l.bed(name))
	if err != nil {
		return nil, fmt.Errorf("bed %s is starting or ending: %w", name, err)
	}
	return &Remote{name: name, layout: l, client: socketClient(filepath.Join(s.Sockets, "control"))}, nil
}

// held says whether a process owns the bed's name.
func (l layout) held(name string) (bool, error) {
	if err := os.MkdirAll(l.beds(), 0o755); err != nil {
		return false, err
	}
	f, err := tryLock(l.lock(name))
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return true, nil
	} else if err != nil {
		return false, err
	}
	return false, f.Close()
}

// waitRunning waits for a bed that another process may just be starting.
func waitRunning(ctx context.Context, l layout, name string) (r *Remote, err error) {
	err = poll(ctx, func(ctx context.Context) error {
		if running, err := l.held(name); err != nil || !running {
			return stopPolling{fmt.Errorf("bed %s ended while it was being waited for", name)}
		}
		if r, err = Open(name); err != nil {
			return err
		}
		_, err := r.Status(ctx)
		return err
	})
	return r, err
}

// List names the beds that run now.
func List() ([]string, error) {
	l, err := findLayout()
	if err != nil {
		return nil, err
	}
	locks, _ := filepath.Glob(l.lock("*"))
	var names []string
	for _, path := range locks {
		name := strings.TrimSuffix(filepath.Base(path), ".lock")
		if running, err := l.held(name); err == nil && running {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names, nil
}

// Status asks the bed how it is.
func (r *Remote) Status(ctx context.Context) (s Status, err error) {
	return s, r.call(ctx, http.MethodGet, "/status", nil, &s)
}

// Break and Mend are as Bed's.
func (r *Remote) Break(ctx context.Context, m Mode) error {
	return r.call(ctx, http.MethodPost, "/break", m, nil)
}

// Mend ends what Break did.
func (r *Remote) Mend(ctx context.Context, m Mode) error {
	return r.call(ctx, http.MethodPost, "/mend", m, nil)
}

// ConnectProxies is as Bed's.
func (r *Remote) ConnectProxies(ctx context.Context, p Proxies) (id string, err error) {
	return id, r.call(ctx, http.MethodPost, "/proxies", p, &id)
}

// DisconnectProxies is as Bed's.
func (r *Remote) DisconnectProxies(ctx context.Context, id string) error {
	return r.call(ctx, http.MethodDelete, "/proxies", id, nil)
}

// StartEnvoys is as Bed's.
func (r *Remote) StartEnvoys(ctx context.Context, e Envoys) (names []string, err error) {
	return names, r.call(ctx, http.MethodPost, "/envoys", e, &names)
}

func (r *Remote) call(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://bed"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return fmt.Errorf("asking bed %s: %w", r.name, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		var failure struct{ Error string }
		_ = json.Unmarshal(raw, &failure)
		return errors.New(orDefault(failure.Error, resp.Status))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(raw, out)
}

// Down ends a bed and returns when all of it is gone. A bed that does not answer is killed. One that is not running is
// cleaned up after: a crash leaves only files.
func Down(ctx context.Context, name string) error {
	l, err := findLayout()
	if err != nil {
		return err
	}
	if running, err := l.held(name); err != nil {
		return err
	} else if !running {
		removeLeftovers(l.bed(name))
		if strings.HasPrefix(name, madeUp) {
			_ = os.Remove(l.lock(name))
			_ = os.Remove(l.bed(name) + ".supervisor.log")
		}
		return fmt.Errorf("bed %s: %w", name, ErrNotRunning)
	}
	s, err := readState(l.bed(name))
	if err != nil {
		return fmt.Errorf("ending bed %s: it is starting or ending: %w", name, err)
	}
	if r, err := Open(name); err != nil || r.call(ctx, http.MethodPost, "/down", nil, nil) != nil {
		_ = syscall.Kill(s.PID, syscall.SIGTERM)
	}
	gone := func(ctx context.Context) error {
		if running, err := l.held(name); err != nil || running {
			return fmt.Errorf("ending bed %s: process %d still runs", name, s.PID)
		}
		return nil
	}
	patient, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if poll(patient, gone) == nil {
		removeLeftovers(l.bed(name))
		return nil
	}
	_ = syscall.Kill(s.PID, syscall.SIGKILL)
	if err := poll(ctx, gone); err != nil {
		return err
	}
	removeLeftovers(l.bed(name))
	return nil
}
