package e2e

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/meshctl/meshctl/test/bed"
)

// TestProxyStatus has two revisions, one with two istiods, and simulated proxies
// of which some have pods, some refuse or never answer; then one istiod dies.
func TestProxyStatus(t *testing.T) {
	t.Parallel()
	b, err := bed.Start(t.Context(), bed.Options{NoEnvoy: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Down)
	client, err := kubernetes.NewForConfig(b.REST())
	if err != nil {
		t.Fatal(err)
	}
	p := &proxyStatus{&revisions{job: &job{meshctl: meshctl{binary: build(t), kubeconfig: b.Kubeconfig(), home: t.TempDir()}, bed: b}, client: client}}
	for _, s := range []struct {
		name string
		run  func(t *testing.T)
	}{
		{"two revisions, and pods", p.mesh},
		{"nobody is connected", p.unconnected},
		{"every problem is listed", p.problems},
		{"the states are istioctl's", p.peer},
		{"over xDS they are the same", p.xds},
		{"waiting", p.waiting},
		{"an old revision", p.old},
		{"a dead istiod hides nothing else", p.dead},
	} {
		if !t.Run(s.name, s.run) {
			return // the steps build on each other
		}
	}
}

type proxyStatus struct{ *revisions }

// statusReport is what the tests look at of proxy-status -o json.
type statusReport struct {
	InSync, Complete bool
	Summary          struct {
		Proxies, InStep int
		Problems        map[string]int
	}
	Istiods   []struct{ Name, Error string }
	Undecided []struct{ Reason string }
	Problems  []struct{ Problem, Name, Namespace, Workload, Cause string }
	Proxies   []struct {
		Name, Namespace, Istiod, Version string
		Types                            []struct{ Type, State string }
	}
}

func (s *statusReport) of(problem string) []string {
	var names []string
	for _, p := range s.Problems {
		if p.Problem == problem {
			names = append(names, p.Name+"."+p.Namespace)
		}
	}
	slices.Sort(names)
	return names
}

// states are the states of all proxies, as "name.namespace CDS=SYNCED ...".
func (s *statusReport) states() []string {
	var all []string
	for _, p := range s.Proxies {
		line := p.Name + "." + p.Namespace + " " + p.Istiod + " " + p.Version
		for _, t := range p.Types {
			line += " " + t.Type + "=" + t.State
		}
		all = append(all, line)
	}
	slices.Sort(all)
	return all
}

func (p *proxyStatus) status(t *testing.T, code int, args ...string) *statusReport {
	t.Helper()
	var report statusReport
	decode(t, p.want(t, code, append([]string{"proxy-status", "-o", "json"}, args...)...), &report)
	return &report
}

func (p *proxyStatus) mesh(t *testing.T) {
	p.want(t, 0, "install", "--profile", "minimal", "-y")
	p.want(t, 0, "install", "--profile", "minimal", "--revision", "canary", "-y")
	for _, name := range []string{"istiod", "istiod-canary"} {
		p.ready(t, "istio-system", name)
	}
	p.namespace(t, "shop", "istio-injection", "enabled")
	p.namespace(t, "late", "not-yet", "injected")
	for namespace, names := range map[string][]string{"shop": {"web-0", "web-1", "web-2", "lost-0"}, "late": {"cart-0"}} {
		for _, name := range names {
			if _, err := p.pod(t.Context(), namespace, name); err != nil {
				t.Fatal(err)
			}
		}
	}
	patch := []byte(`{"metadata":{"labels":{"istio-injection":"enabled"}}}`)
	if _, err := p.client.CoreV1().Namespaces().Patch(t.Context(), "late", types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	for {
		pods, err := p.client.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{LabelSelector: "app=web"})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(pods.Items, func(pod corev1.Pod) bool { return pod.Status.Phase != corev1.PodRunning }) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the pods do not run")
		}
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (p *proxyStatus) unconnected(t *testing.T) {
	report := p.status(t, 1, "--stale-after", "0s")
	if got, want := report.of("not-connected"), []string{"lost-0.shop", "web-0.shop", "web-1.shop", "web-2.shop"}; !slices.Equal(got, want) {
		t.Errorf("not connected: %v, want %v", got, want)
	}
	if got := report.of("not-injected"); !slices.Equal(got, []string{"cart-0.late"}) {
		t.Errorf("not injected: %v", got)
	}
	// Whoever is as young as that is no problem yet.
	if report := p.status(t, 1, "--stale-after", "1h"); len(report.of("not-connected")) != 0 {
		t.Errorf("young pods: %v", report.of("not-connected"))
	}
}

// problems connects web-0, which refuses, web-1, which is silent, and web-2; and
// proxies that no pod has.
func (p *proxyStatus) problems(t *testing.T) {
	if _, err := p.bed.ConnectProxies(t.Context(), bed.Proxies{Count: 3, NACK: 1, Stale: 1, Namespace: "shop", Prefix: "web"}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.bed.ConnectProxies(t.Context(), bed.Proxies{Count: 4, Namespace: "ghosts"}); err != nil {
		t.Fatal(err)
	}
	report := p.status(t, 1, "--stale-after", "0s")
	for problem, want := range map[string][]string{
		"error": {"web-0.shop"}, "stale": {"web-1.shop"}, "not-connected": {"lost-0.shop"}, "not-injected": {"cart-0.late"}, "old": nil,
		"no-pod": {"sim-0.ghosts", "sim-1.ghosts", "sim-2.ghosts", "sim-3.ghosts"},
	} {
		if got := report.of(problem); !slices.Equal(got, want) || report.Summary.Problems[problem] != len(want) {
			t.Errorf("%s: %v (%d), want %v", problem, got, report.Summary.Problems[problem], want)
		}
	}
	if report.Summary.Proxies != 7 || report.Summary.InStep != 5 || !report.Complete {
		t.Errorf("summary %+v, complete %v", report.Summary, report.Complete)
	}
	table := p.want(t, 1, "proxy-status", "--stale-after", "0s").stdout
	contains(t, "table", table, "web-0.shop ", "ERROR (", "LDS refused by web-0.shop:", "bed.unknown_filter", "web-1.shop ", "STALE (",
		"NOT CONNECTED  lost-0.shop", "NOT INJECTED   cart-0.late", "NO POD         4 proxies in ghosts", "5 of 7 proxies in step: 5 sidecars; connected to istiod-")
	if strings.Contains(table, "web-2.shop") {
		t.Errorf("what is in step is not summed up:\n%s", table)
	}
	contains(t, "metrics", p.want(t, 1, "proxy-status", "-o", "prometheus").stdout, `meshctl_proxy_problems{problem="error"} 1`, `meshctl_istiod_up{`)
	if report := p.status(t, 0, "-n", "ghosts", "--stale-after", "0s"); len(report.of("no-pod")) != 4 {
		t.Errorf("proxies without pods alone: %+v", report.Problems)
	}
}

// peer compares the states with those that istioctl tells of each istiod.
func (p *proxyStatus) peer(t *testing.T) {
	var theirs []string
	for _, revision := range []string{"default", "canary"} {
		cmd := exec.CommandContext(t.Context(), filepath.Join(repo, ".cache", "bin", "istioctl"), "proxy-status", "-v", "1", "-r", revision, "--kubeconfig", p.kubeconfig)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		theirs = append(theirs, peerStates(string(out))...)
	}
	slices.Sort(theirs)
	ours := p.status(t, 1).states()
	if !slices.Equal(ours, theirs) {
		t.Errorf("meshctl has\n%s\nistioctl\n%s", strings.Join(ours, "\n"), strings.Join(theirs, "\n"))
	}
}

// peerStates are the rows of istioctl's table in the form of statusReport.states.
func peerStates(table string) []string {
	var all []string
	lines := strings.Split(strings.TrimSpace(table), "\n")
	header := strings.Fields(lines[0])
	for _, line := range lines[1:] {
		var cells []string
		for _, cell := range strings.Split(line, "     ") {
			if cell = strings.TrimSpace(cell); cell != "" {
				word, _, _ := strings.Cut(cell, " (")
				cells = append(cells, word)
			}
		}
		n := len(cells)
		row := fmt.Sprintf("%s %s %s", cells[0], cells[n-2], cells[n-1])
		for _, name := range []string{"CDS", "LDS", "EDS", "RDS", "ECDS"} {
			if i := slices.Index(header, name); i > 0 && cells[i] != "IGNORED" {
				row += " " + name + "=" + strings.ReplaceAll(cells[i], " ", "_")
			}
		}
		all = append(all, row)
	}
	return all
}

func (p *proxyStatus) xds(t *testing.T) {
	want := p.status(t, 1).states()
	for _, flags := range [][]string{{"--xds-port", "15012"}, {"--insecure"}, {"--plaintext"}} {
		if got := p.status(t, 1, flags...).states(); !slices.Equal(got, want) {
			t.Errorf("%v:\n%s\nwant\n%s", flags, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func (p *proxyStatus) waiting(t *testing.T) {
	contains(t, "at the deadline", p.want(t, 1, "proxy-status", "-n", "shop", "--only", "error", "--wait", "--timeout", "2s").stderr,
		"waiting: 1 error", "not in step after 2s: 1 error")
	p.want(t, 0, "proxy-status", "-n", "ghosts", "--wait", "--timeout", "1m")
	done := make(chan result, 1)
	go func() {
		done <- p.run(t, "", "proxy-status", "-n", "shop", "--only", "error,stale", "--wait", "--timeout", "1m")
	}()
	if err := p.bed.DisconnectProxies(""); err != nil {
		t.Fatal(err)
	}
	if r := <-done; r.code != 0 {
		t.Errorf("exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

func (p *proxyStatus) old(t *testing.T) {
	if _, err := p.bed.ConnectProxies(t.Context(), bed.Proxies{Count: 3, Namespace: "shop", Prefix: "web"}); err != nil {
		t.Fatal(err)
	}
	patch := []byte(`{"metadata":{"labels":{"istio-injection":null,"istio.io/rev":"canary"}}}`)
	if _, err := p.client.CoreV1().Namespaces().Patch(t.Context(), "shop", types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	report := p.status(t, 1, "--only", "old")
	if got := report.of("old"); len(got) != 3 || !strings.Contains(report.Problems[0].Cause, "its revision is default, and istio.io/rev=canary of the namespace asks for canary") {
		t.Errorf("%+v", report.Problems)
	}
	// In the middle of an upgrade that is no failure.
	p.status(t, 0, "--only", "error,stale", "-n", "shop")
}

func (p *proxyStatus) dead(t *testing.T) {
	pods, err := p.client.CoreV1().Pods("istio-system").List(t.Context(), metav1.ListOptions{LabelSelector: "app=istiod,istio.io/rev=default"})
	if err != nil || len(pods.Items) != 1 {
		t.Fatal(pods.Items, err)
	}
	victim := pods.Items[0].Name
	if err := p.bed.Break(t.Context(), bed.Mode("istiod-dead="+victim)); err != nil {
		t.Fatal(err)
	}
	r := p.eventually(t, 2, "proxy-status", "--timeout", "5s", "--stale-after", "0s")
	if n := strings.Count(r.stderr, "no answer from istiod "+victim); n != 1 {
		t.Errorf("the dead istiod is told %d times:\n%s", n, r.stderr)
	}
	contains(t, "stderr", r.stderr, "may be connected to istiod "+victim, "not-connected not known")
	contains(t, "stdout", r.stdout, "istiod-canary-")
	var report statusReport
	if err := json.Unmarshal([]byte(p.run(t, "", "proxy-status", "-o", "json", "--timeout", "5s").stdout), &report); err != nil {
		t.Fatal(err)
	}
	if report.Complete || report.Summary.Proxies == 0 || len(report.of("not-connected")) != 0 {
		t.Errorf("%+v", report)
	}
}
