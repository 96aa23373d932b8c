package agree

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/proxyconfig"
	"github.com/meshctl/meshctl/internal/proxyconfig/trace"
)

// Result is what came of one set.
type Result struct {
	Set                             *Set
	Requests                        []*Request
	Agreed, Undecided, Disagreed    int
	Disagreements, UndecidedBecause []string

	states map[string]state
}

// Run sends a set's requests and holds trace's answers against Envoy's log. Its Envoys' configuration must not change
// meanwhile: it is tried again until it has not.
func (m *Mesh) Run(ctx context.Context, s *Set, seed uint64, scale float64) (*Result, error) {
	places, err := m.places(ctx, s)
	if err != nil {
		return nil, err
	}
	for attempt := 0; ; attempt++ {
		before, err := m.settled(ctx, s)
		if err != nil {
			return nil, err
		}
		requests, err := s.Draw(seed, scale, places, m.keys)
		if err != nil {
			return nil, err
		}
		for _, r := range requests { // source ports of its own for every attempt
			r.Call.From = netip.AddrPortFrom(r.Call.From.Addr(), r.Call.From.Port()+uint16(attempt*5000))
			r.Trace.Source = r.Call.From
		}
		if err := m.sendAll(ctx, s, requests); err != nil {
			return nil, err
		}
		after, err := m.dumps(ctx, s)
		if err != nil {
			return nil, err
		}
		if same(before, after) {
			return judge(s, requests, after)
		}
		if attempt == 2 {
			return nil, fmt.Errorf("set %s: the Envoys' configuration does not settle", s.Name)
		}
	}
}

// places looks up the addresses of services and pods.
func (m *Mesh) places(ctx context.Context, s *Set) (Places, error) {
	p := Places{}
	services, err := m.kube.CoreV1().Services(s.Name).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	for _, svc := range services.Items {
		if a, err := netip.ParseAddr(svc.Spec.ClusterIP); err == nil {
			p[svc.Name] = a
		}
	}
	pods, err := m.kube.CoreV1().Pods(s.Name).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	for _, pod := range pods.Items {
		if a, err := netip.ParseAddr(pod.Status.PodIP); err == nil {
			p["pod/"+pod.Name] = a
		}
	}
	return p, nil
}

// state is what an Envoy has: its dump and its clusters' status.
type state struct{ dump, clusters []byte }

func (m *Mesh) dumps(ctx context.Context, s *Set) (map[string]state, error) {
	all := map[string]state{}
	for _, pod := range s.envoys() {
		dump, err := m.Bed.Admin(ctx, s.Name, pod, "/config_dump?include_eds")
		if err != nil {
			return nil, err
		}
		clusters, err := m.Bed.Admin(ctx, s.Name, pod, "/clusters?format=json")
		if err != nil {
			return nil, err
		}
		all[pod] = state{dump, clusters}
	}
	return all, nil
}

// same compares by lines in any order, for Envoy prints maps in any order.
func same(a, b map[string]state) bool {
	for pod := range a {
		if !slices.Equal(a[pod].lines(), b[pod].lines()) {
			return false
		}
	}
	return true
}

func (s state) lines() []string {
	lines := strings.Split(strings.ReplaceAll(string(s.dump), ",\n", "\n"), "\n")
	lines = slices.DeleteFunc(lines, func(l string) bool { // of any push, though it may bring nothing new
		return strings.Contains(l, `"version_info":`) || strings.Contains(l, `"last_updated":`)
	})
	slices.Sort(lines)
	return lines
}

// settled waits until every Envoy has listeners, none is warming, and nothing has changed for a while.
func (m *Mesh) settled(ctx context.Context, s *Set) (map[string]state, error) {
	var last map[string]state
	since := time.Now()
	err := poll(ctx, deadline, func(ctx context.Context) error {
		now, err := m.dumps(ctx, s)
		if err != nil {
			return err
		}
		for pod, st := range now {
			if !bytes.Contains(st.dump, []byte(`"dynamic_listeners"`)) || bytes.Contains(st.dump, []byte(`"warming_state"`)) || bytes.Contains(st.dump, []byte(`"dynamic_warming_clusters"`)) {
				return fmt.Errorf("the Envoy of %s/%s has no listeners yet, or some are warming", s.Name, pod)
			}
			if i := bytes.Index(st.dump, []byte(`"error_state"`)); i >= 0 {
				return fmt.Errorf("the Envoy of %s/%s rejects its configuration: %.600s", s.Name, pod, st.dump[i:])
			}
		}
		if last == nil || !same(last, now) {
			last, since = now, time.Now()
		}
		if time.Since(since) < time.Second {
			return fmt.Errorf("the Envoys' configuration still changes")
		}
		return nil
	})
	return last, err
}

// sendAll sends the requests, a few at a time, and reads the access log until it has them all.
func (m *Mesh) sendAll(ctx context.Context, s *Set, requests []*Request) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	for _, r := range requests {
		g.Go(func() error { return m.Send(gctx, r) })
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("set %s: %w", s.Name, err)
	}
	err := poll(ctx, 8*time.Second, func(context.Context) error {
		logs := map[string]map[string][]Line{}
		for _, pod := range s.envoys() {
			lines, err := readLog(m.Bed.Log(s.Name, pod))
			if err != nil {
				return err
			}
			logs[pod] = lines
		}
		var missing []string
		for _, r := range requests {
			if r.Log = logs[r.Through][r.Key()]; len(r.Log) == 0 && !refused(r) { // of these it may have none
				missing = append(missing, r.String())
			}
		}
		if len(missing) > 0 {
			return fmt.Errorf("%d requests are not in the access log, such as %s", len(missing), missing[0])
		}
		return nil
	})
	if ctx.Err() != nil {
		return err
	}
	return nil // a request without a line is judged as such
}

// judge asks trace what Envoy has answered.
func judge(s *Set, requests []*Request, states map[string]state) (*Result, error) {
	dumps := map[string]*trace.Dump{}
	for pod, st := range states {
		d, err := trace.ReadDump(proxyconfig.Source{Name: pod, Reader: bytes.NewReader(st.dump)})
		if err != nil {
			return nil, err
		}
		if err := d.AddStatus(proxyconfig.Source{Name: pod, Reader: bytes.NewReader(st.clusters)}); err != nil {
			return nil, err
		}
		dumps[pod] = d
	}
	result := &Result{Set: s, Requests: requests, states: states}
	for _, r := range requests {
		walk := r.Ask(dumps[r.Through])
		if walk.Outcome.Kind == trace.Undecidable {
			result.Undecided++
			result.UndecidedBecause = append(result.UndecidedBecause, walk.Outcome.Why+"\n\t"+r.String())
			continue
		}
		if differences := Compare(r, walk.Outcome); len(differences) > 0 {
			result.Disagreed++
			result.Disagreements = append(result.Disagreements, describe(r, walk, differences))
			continue
		}
		result.Agreed++
	}
	return result, nil
}

// describe is all that it takes to find out who is wrong.
func describe(r *Request, w *trace.Walk, differences []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", r)
	for _, d := range differences {
		fmt.Fprintf(&b, "\t! %s\n", d)
	}
	for _, l := range r.Log {
		fmt.Fprintf(&b, "\tenvoy: %s\n", l.Raw)
	}
	fmt.Fprintf(&b, "\tclient: %d %s %s\n", r.Answer.Code, r.Answer.Location, r.Answer.Err)
	for _, step := range w.Steps {
		fmt.Fprintf(&b, "\ttrace: %s %s: %s\n", step.State, step.Name, step.Text)
		for _, c := range step.Rejected {
			fmt.Fprintf(&b, "\t\tnot %s: %s\n", c.Name, c.Why)
		}
	}
	o := w.Outcome
	fmt.Fprintf(&b, "\ttrace: %s status=%d flags=%s detail=%s route=%s table=%s clusters=%v why=%s\n", o.Kind, o.Status, o.Flags, o.Detail, o.Route, o.Table, clusterNames(o), o.Why)
	return b.String()
}

// identity makes each identity's certificate once.
func (m *Mesh) identity(ctx context.Context, name string) (tls.Certificate, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c, ok := m.identities[name]; ok {
		return c, nil
	}
	c, err := m.Bed.Identity(ctx, name)
	if err == nil {
		m.identities[name] = c
	}
	return c, err
}
