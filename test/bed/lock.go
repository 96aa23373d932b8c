package bed

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// lockFile waits for an exclusive lock on a file, which the kernel drops when the process ends.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	for {
		f, err := tryLock(path)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("locking %s: %w", path, err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for the lock on %s: %w", path, context.Cause(ctx))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// tryLock returns EWOULDBLOCK when another holds the lock. Closing the file gives it up.
func tryLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// Ports are taken below the kernel's ephemeral range, so that no outgoing connection sits on one by chance.
const firstPort, lastPort = 20000, 31999

// ports hands out free loopback ports. Each stays locked, for every bed on the machine, until it is given back.
type ports struct {
	mu   sync.Mutex
	held map[int]*os.File
}

func newPorts() *ports { return &ports{held: map[int]*os.File{}} }

func (p *ports) take() (int, error) {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("meshctl-bed-ports-%d", os.Getuid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for range 2000 {
		n := firstPort + rand.IntN(lastPort-firstPort+1)
		if p.held[n] != nil {
			continue
		}
		f, err := tryLock(filepath.Join(dir, strconv.Itoa(n)))
		if err != nil {
			continue
		}
		if l, err := net.Listen("tcp", loopback(n)); err == nil {
			_ = l.Close()
			p.held[n] = f
			return n, nil
		}
		_ = f.Close()
	}
	return 0, errors.New("finding a free port: none of 2000 tried is free")
}

func (p *ports) takeN(n int) ([]int, error) {
	var taken []int
	for range n {
		port, err := p.take()
		if err != nil {
			p.give(taken...)
			return nil, err
		}
		taken = append(taken, port)
	}
	return taken, nil
}

func (p *ports) give(ports ...int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range ports {
		if f := p.held[n]; f != nil {
			_ = f.Close()
			delete(p.held, n)
		}
	}
}

func loopback(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }
