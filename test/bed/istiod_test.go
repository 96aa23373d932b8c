package bed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const meshConfig = `
defaultConfig: {discoveryAddress: istiod.istio-system.svc:15012}
defaultProviders: {metrics: [prometheus]}
enablePrometheusMerge: true
`

const istiodPod = "istiod-0"

// addIstiod installs as little as an istiod needs: its mesh configuration, a Service, a pod.
func addIstiod(ctx context.Context, b *Bed) error {
	if err := b.ensureNamespace(ctx, meshNamespace); err != nil {
		return err
	}
	core := b.client.CoreV1()
	meta := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": "istiod", "istio.io/rev": "default"}}
	}
	_, err := core.ConfigMaps(meshNamespace).Create(ctx, &corev1.ConfigMap{ObjectMeta: meta("istio"), Data: map[string]string{"mesh": meshConfig}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	var ports []corev1.ServicePort
	for name, n := range map[string]int32{"grpc-xds": 15010, "https-dns": 15012, "http-monitoring": 15014} {
		ports = append(ports, corev1.ServicePort{Name: name, Port: n, TargetPort: intstr.FromInt32(n)})
	}
	_, err = core.Services(meshNamespace).Create(ctx, &corev1.Service{ObjectMeta: meta("istiod"),
		Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "istiod"}, Ports: ports}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	return addPod(ctx, b, meshNamespace, &corev1.Pod{ObjectMeta: meta(istiodPod), Spec: corev1.PodSpec{
		Containers: []corev1.Container{{Name: "discovery", Image: "docker.io/istio/pilot:" + istioVersion}}}})
}

// addPod creates a pod and waits until it is Ready.
func addPod(ctx context.Context, b *Bed, namespace string, pod *corev1.Pod) error {
	if err := b.envoyService(ctx, namespace); err != nil {
		return err
	}
	if _, err := b.client.CoreV1().Pods(namespace).Create(ctx, pod, metav1.CreateOptions{}); err != nil {
		return err
	}
	return b.WaitPod(ctx, namespace, pod.Name)
}

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// fromPod reads a page of a pod through the API server.
func fromPod(ctx context.Context, b *Bed, namespace, pod, port, path string) ([]byte, error) {
	return b.client.CoreV1().Pods(namespace).ProxyGet("http", pod, port, path, nil).DoRaw(ctx)
}

// syncz is what istiod says of a proxy, by short type name.
type syncz struct {
	Proxy     string
	Resources map[string]struct{ Sent, Acked, LastError string }
}

func (s syncz) of(kind string) struct{ Sent, Acked, LastError string } {
	for name, r := range s.Resources {
		if strings.HasSuffix(name, "."+kind) {
			return r
		}
	}
	return struct{ Sent, Acked, LastError string }{}
}

func proxiesOf(ctx context.Context, b *Bed) (map[string]syncz, error) {
	raw, err := fromPod(ctx, b, meshNamespace, istiodPod, "8080", "/debug/syncz")
	if err != nil {
		return nil, err
	}
	var all []syncz
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, fmt.Errorf("%w in %s", err, raw)
	}
	byName := map[string]syncz{}
	for _, s := range all {
		byName[s.Proxy] = s
	}
	return byName, nil
}

func TestServiceReachesIstiod(t *testing.T) {
	ctx := testContext(t)
	raw, err := shared.client.CoreV1().Services(meshNamespace).ProxyGet("http", "istiod", "15014", "/version", nil).DoRaw(ctx)
	if err != nil || len(raw) == 0 {
		t.Fatalf("istiod's version through its Service: %q, %v", raw, err)
	}
	log, err := shared.client.CoreV1().Pods(meshNamespace).GetLogs(istiodPod, &corev1.PodLogOptions{Container: "discovery"}).Stream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if text, err := io.ReadAll(log); err != nil || !strings.Contains(string(text), "istiod") {
		t.Fatalf("istiod's log through the API server: %d bytes, %v", len(text), err)
	}
}

func TestSimulatedProxies(t *testing.T) {
	ctx := testContext(t)
	id, err := shared.ConnectProxies(ctx, Proxies{Count: 30, NACK: 2, Stale: 3, Prefix: "t"})
	if err != nil {
		t.Fatal(err)
	}
	err = poll(ctx, func(ctx context.Context) error {
		seen, err := proxiesOf(ctx, shared)
		if err != nil {
			return err
		}
		for i := range 30 {
			name := fmt.Sprintf("t-%d.bed-proxies", i)
			l, c := seen[name].of("Listener"), seen[name].of("Cluster")
			switch {
			case l.Sent == "" || c.Sent == "":
				return fmt.Errorf("%s: nothing sent", name)
			case i < 2 && !strings.Contains(l.LastError, "bed.unknown_filter"):
				return fmt.Errorf("%s: should reject its listeners: %+v", name, l)
			case i >= 2 && i < 5 && (l.Acked != "" || c.Acked != ""):
				return fmt.Errorf("%s: should be silent: %+v", name, l)
			case i >= 5 && (l.Acked != l.Sent || c.Acked != c.Sent):
				return fmt.Errorf("%s: should be in sync: %+v", name, l)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := shared.DisconnectProxies(id); err != nil {
		t.Fatal(err)
	}
	err = poll(ctx, func(ctx context.Context) error {
		seen, err := proxiesOf(ctx, shared)
		if _, still := seen["t-7.bed-proxies"]; err == nil && still {
			err = errors.New("t-7 is still connected")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := shared.ConnectProxies(ctx, Proxies{Count: 1, NACK: 2}); err == nil {
		t.Error("more rejecting proxies than proxies: want an error")
	}
}

func TestDeadIstiodStaysReady(t *testing.T) {
	ctx := testContext(t)
	if err := shared.Break(ctx, IstiodDead); err != nil {
		t.Fatal(err)
	}
	if _, err := fromPod(ctx, shared, meshNamespace, istiodPod, "15014", "/version"); err == nil {
		t.Error("a dead istiod answered")
	}
	if err := shared.WaitPod(ctx, meshNamespace, istiodPod); err != nil {
		t.Error("its pod should stay Ready:", err)
	}
	if err := shared.Mend(ctx, IstiodDead); err != nil {
		t.Fatal(err)
	}
	if _, err := fromPod(ctx, shared, meshNamespace, istiodPod, "15014", "/version"); err != nil {
		t.Error("mended:", err)
	}
}
