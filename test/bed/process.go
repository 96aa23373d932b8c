package bed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	goruntime "runtime"
	"sync"
	"syscall"
	"time"
)

// process is one running child with its log.
type process struct {
	name string
	log  string // path
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended and is reaped
	err  error         // why, once done is closed
}

// spec is what to start.
type spec struct {
	name     string // also the log's
	path     string
	args     []string
	env      []string // added to this process's own
	dir      string
	logTo    string // folder
	netns    bool   // in a network namespace of its own
	netadmin bool   // and allowed to change it
}

// spawner starts every child from one OS thread that lives as long as this process: the kernel sends the
// parent-death signal when the starting thread ends, not when the process does.
type spawner struct{ work chan func() }

func newSpawner() *spawner {
	s := &spawner{work: make(chan func())}
	go func() {
		goruntime.LockOSThread()
		for f := range s.work {
			f()
		}
		// Ends only with the process. Returning would end the thread and with it the children.
		select {}
	}()
	return s
}

func (s *spawner) start(sp spec) (*process, error) {
	logPath := fmt.Sprintf("%s/%s.log", sp.logTo, sp.name)
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p := &process{name: sp.name, log: logPath, cmd: exec.Command(sp.path, sp.args...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.Dir = log, log, sp.dir
	p.cmd.Env = append(os.Environ(), sp.env...)
	p.cmd.SysProcAttr = sysProcAttr(sp)
	started := make(chan error)
	s.work <- func() { started <- p.cmd.Start() }
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", sp.name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// stop asks the process to end, kills its group after grace, and returns when it is gone.
func (p *process) stop(grace time.Duration) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(grace):
	}
	p.kill()
}

func (p *process) kill() {
	_ = syscall.Kill(-p.pid(), syscall.SIGKILL)
	<-p.done
}

// pause stops the process and its children where they stand, or lets them go on.
func (p *process) pause(on bool) error {
	signal := syscall.SIGCONT
	if on {
		signal = syscall.SIGSTOP
	}
	return syscall.Kill(-p.pid(), signal)
}

// waitReady polls check until it is nil, the process ends, or ctx is done; the last two give an error that ends with the
// process's last log lines.
func (p *process) waitReady(ctx context.Context, check func(context.Context) error) error {
	err := poll(ctx, func(ctx context.Context) error {
		if !p.running() {
			return stopPolling{fmt.Errorf("it ended: %w", orExit0(p.err))}
		}
		return check(ctx)
	})
	if err != nil {
		return fmt.Errorf("%s did not become ready: %w\nlast lines of %s:\n%s", p.name, err, p.log, p.tail(20))
	}
	return nil
}

func (p *process) tail(lines int) string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return lastLines(string(b[max(0, len(b)-64<<10):]), lines)
}

func orExit0(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

// stopPolling is an error that another try cannot mend.
type stopPolling struct{ error }

// poll repeats try every 50 ms until it returns nil, a stopPolling, or ctx is done.
func poll(ctx context.Context, try func(context.Context) error) error {
	for {
		once, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := try(once)
		cancel()
		var stop stopPolling
		switch {
		case err == nil:
			return nil
		case errors.As(err, &stop):
			return stop.error
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; last: %w", context.Cause(ctx), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// group keeps every process of a bed, so that none is forgotten at the end.
type group struct {
	*spawner
	mu  sync.Mutex
	all []*process
}

func newGroup() *group { return &group{spawner: newSpawner()} }

func (g *group) start(sp spec) (*process, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, err := g.spawner.start(sp)
	if err == nil {
		g.all = append(g.all, p)
	}
	return p, err
}

// list returns the processes in the order they were started, without those that ended and were replaced.
func (g *group) list() []*process {
	g.mu.Lock()
	defer g.mu.Unlock()
	last := map[string]*process{}
	for _, p := range g.all {
		last[p.name] = p
	}
	var out []*process
	for _, p := range g.all {
		if last[p.name] == p {
			out = append(out, p)
		}
	}
	return out
}

func (g *group) forget(p *process) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, q := range g.all {
		if q == p {
			g.all = append(g.all[:i:i], g.all[i+1:]...)
			return
		}
	}
}

// killAll kills everything at once: nothing in a bed is worth a graceful end.
func (g *group) killAll() {
	for _, p := range g.list() {
		_ = syscall.Kill(-p.pid(), syscall.SIGKILL)
	}
	for _, p := range g.list() {
		<-p.done
	}
}
