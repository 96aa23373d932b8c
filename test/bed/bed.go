package bed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Bed is a running control plane. It ends with Down, with its context, or with this process.
type Bed struct {
	opts     Options
	layout   layout
	programs programs
	dir      string // state, kept while the bed runs and after a failure
	sockets  string // a short path: a socket's name has 107 bytes at most
	lock     *os.File
	ports    *ports
	procs    *group
	creds    *credentials
	etcd     string // its URL
	rest     *rest.Config
	client   kubernetes.Interface
	dynamic  dynamic.Interface
	kubelet  *kubelet
	runtime  *runtime
	stages   *stages
	faults   *faults
	fleet    *fleet
	life     context.Context // ends with the bed
	stop     context.CancelCauseFunc
	down     sync.Once

	apiserverPort int

	mu        sync.Mutex
	apiserver *process
	portsOf   map[string][]int
	started   time.Time
	isUp      bool // it came up; else its logs are kept
}

// Start brings a bed up in this process; the programs must be there, see Build. When it fails nothing is left running, and the error ends with the
// last log lines of the process that did not come up. Cancelling ctx later ends the bed as Down does.
func Start(ctx context.Context, o Options) (*Bed, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	b, err := claim(ctx, o)
	if err != nil {
		return nil, err
	}
	life, stop := context.WithCancelCause(ctx)
	b.life, b.stop = life, stop
	start, cancel := context.WithTimeoutCause(life, o.Timeout, fmt.Errorf("not up within %s", o.Timeout))
	defer cancel()
	if err := b.up(start); err != nil {
		b.Down()
		return nil, fmt.Errorf("starting bed %s: %w", o.Name, err)
	}
	b.isUp = true
	context.AfterFunc(life, b.Down)
	fmt.Fprintf(o.Log, "bed %s is up in %.1f s: export KUBECONFIG=%s\n", o.Name, time.Since(b.started).Seconds(), b.Kubeconfig())
	return b, nil
}

// claim takes the bed's name and its empty folder.
func claim(ctx context.Context, o Options) (*Bed, error) {
	l, err := findLayout()
	if err != nil {
		return nil, err
	}
	if err := checkBuilt(ctx, l); err != nil {
		return nil, err
	}
	progs, err := findPrograms(l)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(l.beds(), 0o755); err != nil {
		return nil, err
	}
	lock, err := tryLock(l.lock(o.Name))
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("starting bed %s: it is already running", o.Name)
	} else if err != nil {
		return nil, err
	}
	b := &Bed{opts: o, layout: l, programs: progs, dir: l.bed(o.Name), lock: lock, ports: newPorts(), procs: newGroup(),
		portsOf: map[string][]int{}, started: time.Now(), stop: func(error) {}}
	removeLeftovers(b.dir)
	sweep(l)
	if err := os.MkdirAll(b.logs(), 0o755); err != nil {
		return nil, err
	}
	if b.sockets, err = os.MkdirTemp("", "bed-"); err != nil {
		return nil, err
	}
	return b, b.writeState()
}

// up brings the parts up, each as soon as what it needs is there.
func (b *Bed) up(ctx context.Context) (err error) {
	if b.creds, err = writeCredentials(b.dir); err != nil {
		return err
	}
	b.runtime, b.faults, b.fleet = newRuntime(b), newFaults(b), newFleet(b)
	if err := b.startEgress(); err != nil {
		return err
	}
	if err := b.startEtcd(ctx); err != nil {
		return err
	}
	if err := b.startAPIServer(ctx); err != nil {
		return err
	}
	if err := b.startKubelet(); err != nil {
		return err
	}
	for _, m := range b.opts.Break {
		if err := b.Break(ctx, m); err != nil {
			return err
		}
	}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return b.startControllers(gctx) })
	g.Go(func() error { return b.startKwok(gctx) })
	g.Go(func() error { return b.runtime.run(gctx, b.life) })
	if err := g.Wait(); err != nil {
		return err
	}
	return b.waitUsable(ctx)
}

// Down ends every process of the bed and returns when all is gone. The logs stay, but for a bed that came up and whose
// name was made up. It may be called again.
func (b *Bed) Down() {
	b.down.Do(func() {
		b.stop(errors.New("bed " + b.opts.Name + " is going down"))
		b.procs.killAll()
		_ = os.RemoveAll(b.sockets)
		_ = os.RemoveAll(b.file("etcd"))
		_ = os.Remove(b.file("state.json"))
		if b.isUp && strings.HasPrefix(b.opts.Name, madeUp) {
			_ = os.RemoveAll(b.dir)
			_ = os.Remove(b.lock.Name())
		}
		_ = b.lock.Close()
	})
}

// Kubeconfig is the path of the administrator's kubeconfig.
func (b *Bed) Kubeconfig() string { return b.file("kubeconfig") }

// REST is the administrator's client configuration; the caller may change its copy.
func (b *Bed) REST() *rest.Config { return rest.CopyConfig(b.rest) }

// Logs is the folder with a <process>.log each.
func (b *Bed) Logs() string { return b.logs() }

// Name is the bed's name.
func (b *Bed) Name() string { return b.opts.Name }

func (b *Bed) logs() string              { return filepath.Join(b.dir, "logs") }
func (b *Bed) file(name string) string   { return filepath.Join(b.dir, name) }
func (b *Bed) socket(name string) string { return filepath.Join(b.sockets, name) }

func (b *Bed) notePorts(process string, ports ...int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.portsOf[process] = ports
}

func (b *Bed) newClient() (err error) {
	if b.client, err = kubernetes.NewForConfig(b.rest); err != nil {
		return err
	}
	b.dynamic, err = dynamic.NewForConfig(b.rest)
	return err
}

// state is what a crashed bed leaves for the next one to clean up.
type state struct {
	Name    string `json:"name"`
	PID     int    `json:"pid"`
	Sockets string `json:"sockets"`
}

func (b *Bed) writeState() error {
	raw, err := json.Marshal(state{Name: b.opts.Name, PID: os.Getpid(), Sockets: b.sockets})
	if err != nil {
		return err
	}
	return os.WriteFile(b.file("state.json"), append(raw, '\n'), 0o644)
}

func readState(dir string) (state, error) {
	var s state
	raw, err := os.ReadFile(filepath.Join(dir, "state.json"))
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(raw, &s)
}

// sweep clears what killed beds with made-up names left: nobody will start one of that name again.
func sweep(l layout) {
	dirs, _ := filepath.Glob(l.bed(madeUp + "*"))
	for _, d := range dirs {
		if filepath.Ext(d) == ".lock" {
			continue // a bed makes its folder after it has its lock
		}
		if f, err := tryLock(d + ".lock"); err == nil {
			removeLeftovers(d)
			_ = os.Remove(d + ".lock")
			_ = f.Close()
		}
	}
}

// removeLeftovers clears what a bed that was killed, or an earlier one of that name, left in its folder.
func removeLeftovers(dir string) {
	if s, err := readState(dir); err == nil && strings.HasPrefix(filepath.Base(s.Sockets), "bed-") {
		_ = os.RemoveAll(s.Sockets)
	}
	_ = os.RemoveAll(dir)
}
