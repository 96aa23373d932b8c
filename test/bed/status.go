package bed

import (
	"os"
	"time"
)

// Status is a bed as it is now.
type Status struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Name       string          `json:"name"`
	PID        int             `json:"pid"` // of the process that owns the others
	Kubeconfig string          `json:"kubeconfig"`
	Logs       string          `json:"logs"` // folder
	Started    time.Time       `json:"started"`
	Broken     []Mode          `json:"broken"`
	Proxies    []string        `json:"proxies"`
	Processes  []ProcessStatus `json:"processes"`
	Pods       []PodStatus     `json:"pods"`
}

// ProcessStatus is one child; its ports are on 127.0.0.1.
type ProcessStatus struct {
	Name  string `json:"name"`
	PID   int    `json:"pid"`
	State string `json:"state"` // running or ended
	Ports []int  `json:"ports"`
	Log   string `json:"log"`
}

// PodStatus is a pod that has a program.
type PodStatus struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Program   string `json:"program"`
	State     string `json:"state"` // starting, running, dead, simulated (over the limit of Envoys), or why it does not run
}

// Status describes the bed.
func (b *Bed) Status() Status {
	s := Status{APIVersion: "meshctl.io/v1", Kind: "Bed", Name: b.opts.Name, PID: os.Getpid(), Kubeconfig: b.Kubeconfig(), Logs: b.logs(),
		Started: b.started.UTC().Truncate(time.Second), Broken: b.faults.list(), Proxies: b.fleet.list(), Processes: []ProcessStatus{}, Pods: []PodStatus{}}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.procs.list() {
		state := "running"
		if !p.running() {
			state = "ended"
		}
		ports := append([]int{}, b.portsOf[p.name]...)
		s.Processes = append(s.Processes, ProcessStatus{Name: p.name, PID: p.pid(), State: state, Ports: ports, Log: p.log})
	}
	for _, run := range b.runtime.all() {
		s.Pods = append(s.Pods, PodStatus{Namespace: run.key.Namespace, Name: run.key.Name, Program: run.program, State: run.state()})
	}
	return s
}

func (p *podRun) state() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.dead:
		return "dead"
	case p.err != nil:
		return p.err.Error()
	case p.idle:
		return "simulated"
	case len(p.ports) == 0:
		return "starting"
	}
	return "running"
}
