package install

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestPatience(t *testing.T) {
	t.Parallel()
	now := whyNow()
	p := patience{now: func() time.Time { return now }}
	bad := told{"istiod", Reason{Object: "Pod a", Reason: "ErrImagePull", Message: "not found", Terminal: true}}
	slow := told{"istiod", Reason{Object: "Pod b", Reason: "Unschedulable", Message: "no nodes"}}

	judge := func(after time.Duration, causes ...told) []string {
		now = now.Add(after)
		var news []string
		for _, v := range p.judge(causes) {
			news = append(news, v.String())
		}
		return news
	}
	const giving, cleared = "waiting does not heal ErrImagePull: giving up in 10s unless it clears (--fail-fast=false keeps waiting)", "cleared: ErrImagePull of Pod a; going on"
	for i, step := range []struct {
		after  time.Duration
		causes []told
		news   []string
		over   bool
	}{
		{0, []told{slow}, nil, false},
		{time.Hour, []told{slow, bad}, []string{giving}, false}, // what may pass is waited for without end
		{9 * time.Second, []told{bad}, nil, false},
		{0, []told{slow}, []string{cleared}, false},
		{0, []told{bad}, []string{giving}, false},
		{9 * time.Second, []told{bad}, nil, false}, // counted anew
		{time.Second, []told{bad}, nil, true},
	} {
		if diff := cmp.Diff(step.news, judge(step.after, step.causes...)); diff != "" || p.over() != step.over {
			t.Errorf("step %d: over %t, news %s", i, p.over(), diff)
		}
	}
	endless := patience{endless: true, now: func() time.Time { return now }}
	if news := endless.judge([]told{bad}); news != nil || endless.over() {
		t.Errorf("--fail-fast=false: %v", news)
	}
}

// broken is a cluster whose istiod never runs, as its image does not exist.
func broken() *memory {
	m := newMemory()
	m.settle = func(obj *unstructured.Unstructured) {
		if obj.GetName() != "istiod" || obj.GetKind() != "Deployment" {
			makeReady(obj)
			return
		}
		obj.SetUID("d")
		obj.Object["status"] = map[string]any{"observedGeneration": int64(1)}
	}
	m.put(object("ReplicaSet", "istio-system", "istiod-1"))
	m.objects["ReplicaSet istio-system/istiod-1"].Object["metadata"].(map[string]any)["ownerReferences"] = []any{map[string]any{"uid": "d"}}
	m.objects["ReplicaSet istio-system/istiod-1"].SetUID("r")
	pod := object("Pod", "istio-system", "istiod-1-a")
	pod.SetUID("p")
	pod.Object["metadata"].(map[string]any)["ownerReferences"] = []any{map[string]any{"uid": "r"}}
	pod.Object["status"] = map[string]any{"containerStatuses": []any{map[string]any{"name": "discovery", "image": "x/pilot:9",
		"state": map[string]any{"waiting": map[string]any{"reason": "ErrImagePull", "message": "x/pilot:9: not found"}}}}}
	m.put(pod)
	return m
}

// recorded keeps events.
type recorded struct {
	mu  sync.Mutex
	all []Event
}

func (r *recorded) see(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, e)
}

func (r *recorded) texts(keep func(Event) bool) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var texts []string
	for _, e := range r.all {
		if keep(e) {
			texts = append(texts, e.Text)
		}
	}
	return texts
}

func TestGivesUpOnWhatWaitingDoesNotHeal(t *testing.T) {
	t.Parallel()
	m := broken()
	p := planned(t, m, PlanOptions{})
	var events recorded
	r, err := p.Apply(t.Context(), m, PlanOptions{Progress: events.see, Grace: 50 * time.Millisecond})
	if !errors.Is(err, ErrGivenUp) {
		t.Fatalf("error %v", err)
	}
	want := `waiting for istiod: given up, as waiting does not heal this:
  Deployment istio-system/istiod: Replicas: 0/1
    Pod istio-system/istiod-1-a
      container discovery
        ErrImagePull: image x/pilot:9 cannot be pulled: not found
          status ErrImagePull: x/pilot:9: not found
          next: the registry has no such image: check --set hub=HOST/PATH and --set tag=TAG, and that a mirror holds it for the nodes' platform
`
	if !strings.Contains(err.Error(), want) {
		t.Errorf("got\n%s\nwithout\n%s", err, want)
	}
	reasons := componentOf(r, "istiod").Reasons
	if len(reasons) != 1 || reasons[0].Container != "discovery" || !reasons[0].Terminal || len(reasons[0].Evidence) != 1 {
		t.Errorf("reasons %+v", reasons)
	}
	causes := events.texts(func(e Event) bool { return e.Cause && !e.Standing })
	if diff := cmp.Diff([]string{"ErrImagePull: image x/pilot:9 cannot be pulled: not found"}, causes); diff != "" {
		t.Error(diff)
	}
	if n := len(events.texts(func(e Event) bool { return e.Phase == GivingUp })); n != 1 {
		t.Errorf("giving up was told %d times", n)
	}
}

func TestKeepsWaitingWhenTold(t *testing.T) {
	t.Parallel()
	m := broken()
	p := planned(t, m, PlanOptions{})
	ctx, stop := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer stop()
	_, err := p.Apply(ctx, m, PlanOptions{KeepWaiting: true, Grace: time.Millisecond})
	if !errors.Is(err, ErrNotReady) || !strings.Contains(err.Error(), "image x/pilot:9 cannot be pulled") {
		t.Errorf("error %v", err)
	}
}

// unplugged is a cluster that cannot be reached while something is waited for.
type unplugged struct {
	*memory
	back bool
}

func (u *unplugged) Link(_ context.Context, told func(error)) {
	told(errors.New("dial tcp: connection refused"))
	if u.back {
		told(nil)
	}
}

func TestSaysThatTheAPIServerIsAway(t *testing.T) {
	t.Parallel()
	u := &unplugged{memory: broken()}
	p := planned(t, u.memory, PlanOptions{})
	ctx, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer stop()
	var events recorded
	_, err := p.Apply(ctx, u, PlanOptions{Progress: events.see, Grace: time.Millisecond})
	// What was seen before is no ground to give up.
	if !errors.Is(err, ErrNotReady) || !strings.Contains(err.Error(), "the API server has not answered for 0s (what is above is what it said before): dial tcp: connection refused") {
		t.Errorf("error %v", err)
	}
	said := events.texts(func(e Event) bool { return e.Component == "" && e.Phase == Waiting })
	if diff := cmp.Diff([]string{"the API server does not answer, trying again: dial tcp: connection refused"}, said); diff != "" {
		t.Error(diff)
	}
}

func TestDaemonSetWithoutNodes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		nodes string // the value of their label pool; "" for no nodes
		ready bool
	}{
		"no node matches":    {"other", false},
		"there are no nodes": {"", true},
		"one does after all": {"mesh", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMemory()
			if c.nodes != "" {
				m.put(parse(t, node("a", "pool: "+c.nodes, readyNode)))
			}
			ds := parse(t, `{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: cni, namespace: ns, generation: 1}, spec: {template: {spec: {nodeSelector: {pool: mesh}}}}}`)
			makeReady(ds)
			s := &Step{Component: "cni", Object: ds}
			p := &Plan{Components: []string{"cni"}, Steps: []*Step{s}}
			r := newReport(p)
			r.applied(s, ds)
			err := newWaiter(p.Steps, r, PlanOptions{Grace: time.Millisecond}).wait(t.Context(), m)
			if (err == nil) != c.ready {
				t.Errorf("error %v", err)
			}
			if r.finish(p); c.ready && len(r.Components[0].Notes) != 1 {
				t.Errorf("notes %v", r.Components[0].Notes)
			}
		})
	}
}

func TestTree(t *testing.T) {
	t.Parallel()
	at := whyNow().Add(-125 * time.Second)
	reasons := alike([]Reason{
		{of: "d", Object: "Pod ns/a", Container: "proxy", Reason: "CrashLoopBackOff", Message: "exited with code 1; restarts: 2", Next: "do this", Evidence: []Evidence{
			{Kind: evidenceEvent, Source: "BackOff", Text: "again", At: &at, Count: 3}, {Kind: evidenceLog, Source: "log of container proxy", Text: "one\ntwo\n"}}},
		{of: "d", Object: "Pod ns/b", Container: "proxy", Reason: "CrashLoopBackOff", Message: "exited with code 1; restarts: 7"},
		{of: "d", Object: "Pod ns/c", Container: "proxy", Reason: "CrashLoopBackOff", Message: "exited with code 1; restarted once more"},
		waitingFor("Deployment ns/d", "0/3", ""),
	})
	got := strings.Join(tree(object("Deployment", "ns", "d"), "0/3", reasons, whyNow()), "\n")
	want := `Deployment ns/d: 0/3
  Pod ns/a and 1 other
    container proxy
      CrashLoopBackOff: exited with code 1; restarts: 2
        event BackOff (2m5s ago, 3 times): again
        log of container proxy:
          | one
          | two
        next: do this
  Pod ns/c
    container proxy
      CrashLoopBackOff: exited with code 1; restarted once more`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestClip(t *testing.T) {
	t.Parallel()
	log := "gone\n" + strings.Repeat("a\nb\n", 10) + "10:00 no answer\n10:01 no answer\n\n10:02 no answer\n\x1b[31mred\x1b[0m\r\n" + strings.Repeat("x", 400) + "\n"
	lines := strings.Split(clip(log), "\n")
	want := []string{"b", "a", "b", "a", "b", "10:02 no answer (3 lines like this)", "[31mred[0m", strings.Repeat("x", logLineWidth) + "..."}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	if got := clip("\n \n"); got != "" {
		t.Errorf("%q", got)
	}
}
