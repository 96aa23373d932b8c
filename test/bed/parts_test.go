package bed

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestFailingProcessShowsItsLog(t *testing.T) {
	t.Parallel()
	p, err := newSpawner().start(spec{name: "etcd", path: "/bin/sh", args: []string{"-c", "echo disk is full >&2; exit 3"}, logTo: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	err = p.waitReady(testContext(t), func(context.Context) error { return errors.New("not yet") })
	for _, want := range []string{"etcd did not become ready", "exit status 3", "disk is full"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in: %v", want, err)
		}
	}
}

func TestStopKillsTheGroup(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, err := newSpawner().start(spec{name: "sh", path: "/bin/sh", args: []string{"-c", "trap '' TERM; sleep 100 & echo $! > pid; wait; wait"}, dir: dir, logTo: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := poll(testContext(t), func(context.Context) error { _, err := os.Stat(filepath.Join(dir, "pid")); return err }); err != nil {
		t.Fatal(err)
	}
	p.stop(50 * time.Millisecond)
	if p.running() {
		t.Error("it still runs")
	}
}

func TestMissingProgram(t *testing.T) {
	t.Parallel()
	l, err := findLayout()
	if err != nil {
		t.Fatal(err)
	}
	l.cache = t.TempDir()
	if err := checkBuilt(testContext(t), l); err == nil || !strings.Contains(err.Error(), "kubernetes is not built") {
		t.Errorf("want an error that names kubernetes, got %v", err)
	}
	if _, err := findPrograms(l); err == nil {
		t.Error("want an error")
	}
	if err := Build(testContext(t), os.Stderr, "envoi"); err == nil || !strings.Contains(err.Error(), "envoy") {
		t.Errorf("an unknown part: want an error that lists the parts, got %v", err)
	}
}

func TestPortsAreNotSharedBetweenBeds(t *testing.T) {
	t.Parallel()
	a, b := newPorts(), newPorts()
	mine, err := a.takeN(50)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := b.takeN(50)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, n := range append(mine, theirs...) {
		if seen[n] || n < firstPort || n > lastPort {
			t.Errorf("port %d given twice or out of range", n)
		}
		seen[n] = true
	}
	a.give(mine...)
	b.give(theirs...)
	if len(a.held) > 0 {
		t.Error("ports stay held after they are given back")
	}
}

func TestDescribeProxy(t *testing.T) {
	t.Parallel()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "gw", Namespace: "edge", Labels: map[string]string{"app": "gw"}},
		Status:     corev1.PodStatus{PodIP: "10.1.2.3"},
		Spec: corev1.PodSpec{ServiceAccountName: "gw-sa", Containers: []corev1.Container{{Name: proxyContainer, Image: "r.io/istio/proxyv2:1.30.2-distroless",
			Args: []string{"proxy", "router"}, Env: []corev1.EnvVar{
				{Name: "PROXY_CONFIG", Value: `{"discoveryAddress":"istiod-canary.istio-system.svc:15012"}`},
				{Name: "ISTIO_META_CLUSTER_ID", Value: "east"},
				{Name: "HOST", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.labels['app']"}}},
				{Name: "ISTIO_META_OWNER", Value: "kubernetes://$(HOST)"},
			}}}}}
	p := describeProxy(pod)
	if got := p.nodeID(); got != "router~10.1.2.3~gw.edge~edge.svc.cluster.local" {
		t.Error(got)
	}
	if p.discovery != "istiod-canary.istio-system.svc:15012" {
		t.Error(p.discovery)
	}
	for k, want := range map[string]any{"ISTIO_VERSION": "1.30.2", "CLUSTER_ID": "east", "OWNER": "kubernetes://gw", "SERVICE_ACCOUNT": "gw-sa"} {
		if p.metadata[k] != want {
			t.Errorf("%s is %v, want %v", k, p.metadata[k], want)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{"a": true, "two-1": true, "": true, "-a": false, "A": false, "../x": false, strings.Repeat("a", 41): false} {
		if _, err := (Options{Name: name}).withDefaults(); (err == nil) != ok {
			t.Errorf("name %q: %v", name, err)
		}
	}
}
