package bed

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

type dialer func(context.Context) (net.Conn, error)

func toLoopback(port int) dialer {
	return func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", loopback(port))
	}
}

func toSocket(path string) dialer {
	return func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
}

// podRun is what runs behind one pod.
type podRun struct {
	bed     *Bed
	key     types.NamespacedName
	uid     types.UID
	program string // the first one's name
	ctx     context.Context
	cancel  context.CancelFunc

	mu       sync.Mutex
	ports    map[int32]dialer
	local    []int // loopback ports that are taken for it
	procs    []*process
	cleanups []func()
	err      error
	envoy    bool // counts as an Envoy; guarded by the runtime's lock
	ready    func(context.Context) error
	idle     bool // it has no program after all
	dead     bool // kept from running, though its pod stays Ready
}

func (p *podRun) dir() string { return runDir(p.bed, p.key) }

// expose says what a port of the pod reaches.
func (p *podRun) expose(port int32, d dialer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ports[port] = d
}

// takePorts reserves loopback ports until the pod is gone.
func (p *podRun) takePorts(n int) ([]int, error) {
	taken, err := p.bed.ports.takeN(n)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.local = append(p.local, taken...)
	return taken, err
}

func (p *podRun) dial(ctx context.Context, port int32) (net.Conn, error) {
	p.mu.Lock()
	d := p.ports[port]
	p.mu.Unlock()
	if d == nil {
		return nil, fmt.Errorf("dialing port %d of pod %s: nothing listens there", port, p.key)
	}
	return d(ctx)
}

func (p *podRun) logOf(container string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, proc := range p.procs {
		if container == "istio-proxy" || p.program != "envoy" {
			return proc.log
		}
	}
	return ""
}

// simulate leaves the pod without a program.
func (p *podRun) simulate() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = true
}

func (p *podRun) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
}

func (p *podRun) onEnd(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cleanups = append(p.cleanups, f)
}

// keep starts a process, waits until it is ready, and from then on starts it again whenever it ends, as a kubelet would.
func (p *podRun) keep(ctx context.Context, sp spec, ready func(context.Context) error) error {
	proc, err := p.bed.procs.start(sp)
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.procs, p.ready = append(p.procs, proc), ready
	p.mu.Unlock()
	wait, cancel := context.WithTimeoutCause(ctx, time.Minute, fmt.Errorf("not ready within a minute"))
	defer cancel()
	if err := proc.waitReady(wait, ready); err != nil {
		return err
	}
	go p.revive(ctx, sp, proc)
	return nil
}

func (p *podRun) revive(ctx context.Context, sp spec, proc *process) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-proc.done:
		}
		for started := false; !started; {
			select {
			case <-ctx.Done():
				return
			case <-time.After(500 * time.Millisecond):
			}
			started = p.startAgain(ctx, sp, &proc)
		}
	}
}

// startAgain replaces an ended process, unless the pod is to stay dead or is gone.
func (p *podRun) startAgain(ctx context.Context, sp spec, proc **process) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead || ctx.Err() != nil {
		return false
	}
	next, err := p.bed.procs.start(sp)
	if err != nil {
		return false
	}
	for i, old := range p.procs {
		if old == *proc {
			p.procs[i] = next
		}
	}
	p.bed.procs.forget(*proc)
	*proc = next
	return true
}

// setDead ends the processes and keeps them from running, or lets them run again and waits for that.
func (p *podRun) setDead(ctx context.Context, dead bool) error {
	p.mu.Lock()
	p.dead = dead
	procs := append([]*process(nil), p.procs...)
	p.mu.Unlock()
	if dead {
		for _, proc := range procs {
			proc.kill()
		}
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, fmt.Errorf("%s does not come back", p.key))
	defer cancel()
	return poll(ctx, p.answers)
}

// setHung stops the processes where they stand, or lets them go on.
func (p *podRun) setHung(hung bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, proc := range p.procs {
		if err := proc.pause(hung); err != nil {
			return fmt.Errorf("pausing %s: %w", p.key, err)
		}
	}
	return nil
}

// answers is what the program was last waited for.
func (p *podRun) answers(ctx context.Context) error {
	p.mu.Lock()
	ready := p.ready
	p.mu.Unlock()
	if ready == nil {
		return nil
	}
	return ready(ctx)
}

// end stops what runs and gives back its ports.
func (p *podRun) end() {
	p.cancel()
	p.endProcesses()
	p.mu.Lock()
	cleanups := p.cleanups
	p.mu.Unlock()
	for _, f := range cleanups {
		f()
	}
	_ = os.RemoveAll(p.dir())
}

func (p *podRun) endProcesses() {
	p.mu.Lock()
	procs, local := p.procs, p.local
	p.procs, p.local, p.ports = nil, nil, map[int32]dialer{}
	p.mu.Unlock()
	for _, proc := range procs {
		proc.stop(stopGrace)
		p.bed.procs.forget(proc)
	}
	p.bed.ports.give(local...)
}

// container returns the pod's container of that name, also when it is an init container that keeps running.
func container(pod *corev1.Pod, name string) *corev1.Container {
	for _, list := range [][]corev1.Container{pod.Spec.Containers, pod.Spec.InitContainers} {
		for i := range list {
			if list[i].Name == name {
				return &list[i]
			}
		}
	}
	return nil
}

func (p *podRun) lastError() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}
