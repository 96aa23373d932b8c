package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/meshctl/meshctl/internal/hint"
)

// How long one attempt to connect to the pod may take, and the shortest and
// longest pause between attempts.
const (
	connectTimeout = 15 * time.Second
	firstPause     = 250 * time.Millisecond
	longestPause   = 5 * time.Second
)

// pickedFor is how long a choice of pod is trusted: an old tunnel may lead to
// a pod that was replaced.
const pickedFor = 2 * time.Second

// ForwardOptions say what to forward to where.
type ForwardOptions struct {
	// Address to listen on; "" is localhost.
	Address string
	// LocalPort to listen on; 0 prefers Port and takes any free one otherwise.
	LocalPort int
	// Port of the pod.
	Port int
	// Pick chooses the pod, again after every lost connection.
	Pick func(ctx context.Context) (namespace, pod string, err error)
	// Notify hears, in one sentence, of connections lost and found; may be nil.
	Notify func(sentence string)
}

// Forward listens locally and forwards each connection to a port of a pod. It
// survives the pod's replacement and lost connections, until its context ends.
type Forward struct {
	o        ForwardOptions
	client   *Client
	listener net.Listener
	done     chan struct{}
	err      error // read after done

	mu     sync.Mutex
	tunnel *Tunnel
	pod    string
	picked time.Time
}

// Forward connects to the pod and listens. It ends when ctx does.
func (c *Client) Forward(ctx context.Context, o ForwardOptions) (*Forward, error) {
	if o.Notify == nil {
		o.Notify = func(string) {}
	}
	f := &Forward{o: o, client: c, done: make(chan struct{})}
	if _, err := f.connected(ctx); err != nil {
		return nil, err
	}
	var err error
	if f.listener, err = listen(o); err != nil {
		f.drop(f.tunnel)
		return nil, err
	}
	go f.run(ctx)
	return f, nil
}

// Addr is the address that the forward listens on, as host:port.
func (f *Forward) Addr() string { return f.listener.Addr().String() }

// Pod is the pod that is forwarded to, as name.namespace.
func (f *Forward) Pod() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pod
}

// Done is closed when nothing is forwarded any more.
func (f *Forward) Done() <-chan struct{} { return f.done }

// Err is why it ended, nil when its context did. Read it after Done.
func (f *Forward) Err() error { return f.err }

func (f *Forward) run(ctx context.Context) {
	defer close(f.done)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = f.listener.Close() })
	defer stop()
	var work sync.WaitGroup
	work.Go(func() { f.keepConnected(ctx) })
	for {
		conn, err := f.listener.Accept()
		if err != nil {
			if ctx.Err() == nil {
				f.err = hint.Failf("", "accepting connections on %s: %w", f.Addr(), err)
			}
			break
		}
		work.Go(func() { f.serve(ctx, conn) })
	}
	cancel()
	f.mu.Lock()
	tunnel := f.tunnel
	f.mu.Unlock()
	f.drop(tunnel)
	work.Wait()
}

// keepConnected connects again, whenever the connection is lost, before anyone asks.
func (f *Forward) keepConnected(ctx context.Context) {
	pause := firstPause
	for ctx.Err() == nil {
		tunnel, err := f.connected(ctx)
		if err != nil {
			if pause == firstPause && ctx.Err() == nil {
				f.o.Notify(fmt.Sprintf("waiting for a pod to forward to: %v", err))
			}
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
			pause = min(2*pause, longestPause)
			continue
		}
		pause = firstPause
		select {
		case <-tunnel.Done():
			if f.drop(tunnel) && ctx.Err() == nil {
				f.o.Notify(fmt.Sprintf("lost the connection to pod %s.%s: connecting again", tunnel.pod, tunnel.namespace))
			}
		case <-ctx.Done():
		}
	}
}

// connected is the tunnel in use, made anew when there is none or when another
// pod has taken its pod's place.
func (f *Forward) connected(ctx context.Context) (*Tunnel, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tunnel != nil && time.Since(f.picked) < pickedFor {
		return f.tunnel, nil
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	namespace, pod, err := f.o.Pick(ctx)
	if f.tunnel != nil {
		if f.picked = time.Now(); err != nil || f.pod == pod+"."+namespace {
			return f.tunnel, nil
		}
		_ = f.tunnel.Close()
		f.tunnel = nil
	}
	if err != nil {
		return nil, err
	}
	tunnel, err := f.client.Tunnel(ctx, namespace, pod)
	if err != nil {
		return nil, err
	}
	was := f.pod
	f.tunnel, f.pod, f.picked = tunnel, pod+"."+namespace, time.Now()
	if was != "" {
		f.o.Notify("forwarding to pod " + f.pod)
	}
	return tunnel, nil
}

// drop forgets a tunnel that does not work, and says whether it was in use.
func (f *Forward) drop(tunnel *Tunnel) bool {
	if tunnel == nil {
		return false
	}
	f.mu.Lock()
	used := f.tunnel == tunnel
	if used {
		f.tunnel = nil
	}
	f.mu.Unlock()
	_ = tunnel.Close()
	return used
}

// serve carries one local connection.
func (f *Forward) serve(ctx context.Context, local net.Conn) {
	defer func() { _ = local.Close() }()
	tunnel, err := f.connected(ctx)
	if err != nil {
		return // keepConnected says why
	}
	remote, err := tunnel.Dial(ctx, f.o.Port)
	if err != nil {
		f.lost(ctx, tunnel, err)
		return
	}
	defer func() { _ = remote.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = local.Close(); _ = remote.Close() })
	defer stop()
	go func() {
		_, _ = io.Copy(remote, local)
		if half, ok := remote.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
	}()
	_, err = io.Copy(local, remote)
	var known *hint.Error
	if errors.As(err, &known) { // the node could not connect
		f.lost(ctx, tunnel, known)
	}
}

// lost drops the tunnel: the pod may have been replaced under it.
func (f *Forward) lost(ctx context.Context, tunnel *Tunnel, err error) {
	if f.drop(tunnel) && ctx.Err() == nil {
		f.o.Notify(err.Error())
	}
}

func listen(o ForwardOptions) (net.Listener, error) {
	host := orElse(o.Address, "localhost")
	if o.LocalPort != 0 {
		l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(o.LocalPort)))
		return l, listenError(host, o.LocalPort, err)
	}
	if l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(o.Port))); err == nil {
		return l, nil
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	return l, listenError(host, 0, err)
}

func listenError(host string, port int, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EADDRINUSE):
		return hint.Unanswerablef("choose another with --port, or leave it out for any free one", "listening on %s:%d: the port is in use", host, port)
	case errors.Is(err, syscall.EACCES):
		return hint.Unanswerablef("ports below 1024 need privileges: choose another with --port", "listening on %s:%d: permission denied", host, port)
	}
	return hint.Usagef("--address is an address of this machine, such as localhost or 0.0.0.0", "listening on %s:%d: %w", host, port, err)
}
