package dashboard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/meshctl/meshctl/internal/hint"
)

// How often a dashboard is asked whether it answers, and how long one answer
// may take.
const (
	askEvery  = 200 * time.Millisecond
	askWithin = 5 * time.Second
)

// Cluster is what a dashboard needs of a cluster.
type Cluster interface {
	// Pods lists the pods of a namespace, "" is all, that a selector matches.
	Pods(ctx context.Context, namespace, selector string) ([]Pod, error)
	// Forward listens locally for a pod's port until ctx ends, and follows
	// the pod when it is replaced.
	Forward(ctx context.Context, t Target) (Forwarding, error)
}

// Target is what to forward to.
type Target struct {
	// Pick chooses the pod, again when it was lost.
	Pick func(ctx context.Context) (namespace, pod string, err error)
	Port int
	// Address and LocalPort to listen on; LocalPort 0 prefers Port.
	Address   string
	LocalPort int
}

// Forwarding is a forward in progress.
type Forwarding interface {
	// Addr is the local address as host:port.
	Addr() string
	// Done is closed when it has ended, for the reason Err.
	Done() <-chan struct{}
	Err() error
}

// Session is an open dashboard.
type Session struct {
	URL        string
	forwarding Forwarding
	end        context.CancelFunc
}

// Open forwards to what t picks, and waits until d answers there, no longer
// than timeout. The session lasts until ctx ends.
func Open(ctx context.Context, cluster Cluster, d Dashboard, t Target, timeout time.Duration) (*Session, error) {
	ctx, cancel := context.WithCancel(ctx)
	forwarding, err := cluster.Forward(ctx, t)
	if err != nil {
		cancel()
		return nil, err
	}
	base := "http://" + visitable(forwarding.Addr(), t.Address)
	if err := waitUntilReady(ctx, base+d.Ready, timeout); err != nil {
		cancel()
		<-forwarding.Done()
		if errors.Is(err, context.Canceled) {
			return nil, err
		}
		return nil, hint.Unanswerablef("look at its pod's log, or give it longer with --timeout", "opening %s: it does not answer: %w", d.Name, err)
	}
	return &Session{URL: base + d.Path, forwarding: forwarding, end: cancel}, nil
}

// Wait returns when the session has ended: nil when its context did.
func (s *Session) Wait() error {
	<-s.forwarding.Done()
	s.end()
	return s.forwarding.Err()
}

// visitable is the address for a browser: the name that was asked for, and
// localhost where that is all addresses of this machine.
func visitable(listening, asked string) string {
	_, port, err := net.SplitHostPort(listening)
	if err != nil {
		return listening
	}
	if ip := net.ParseIP(asked); asked == "" || ip != nil && ip.IsUnspecified() {
		asked = "localhost"
	}
	return net.JoinHostPort(asked, port)
}

// Exposed says whether listening on address lets other machines in.
func Exposed(address string) bool {
	if address == "" || address == "localhost" {
		return false
	}
	ip := net.ParseIP(address)
	return ip == nil || !ip.IsLoopback()
}

func waitUntilReady(ctx context.Context, url string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	transport := &http.Transport{DisableKeepAlives: true}
	client := &http.Client{
		Transport:     transport,
		Timeout:       askWithin,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	last := fmt.Errorf("no answer within %s", timeout)
	for {
		err := answers(ctx, client, url)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return ctx.Err()
			}
			return last
		case <-time.After(askEvery):
		}
	}
}

// answers is nil once the server speaks HTTP and does not report a failure of
// its own: a page that moved or asks for a login is up.
func answers(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	_ = resp.Body.Close()
	if resp.StatusCode >= http.StatusInternalServerError {
		return fmt.Errorf("HTTP status %s", resp.Status)
	}
	return nil
}
