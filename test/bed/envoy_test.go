package bed

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
)

// forwarded opens a port-forward to a pod as kubectl does, and returns the local address.
func forwarded(t *testing.T, b *Bed, namespace, pod string, port int) string {
	t.Helper()
	transport, upgrader, err := spdy.RoundTripperFor(b.REST())
	if err != nil {
		t.Fatal(err)
	}
	url := b.client.CoreV1().RESTClient().Post().Resource("pods").Namespace(namespace).Name(pod).SubResource("portforward").URL()
	stop, ready, failed := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	t.Cleanup(func() { close(stop) })
	dialer := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, url)
	f, err := portforward.NewOnAddresses(dialer, []string{"127.0.0.1"}, []string{fmt.Sprintf("0:%d", port)}, stop, ready, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	go func() { failed <- f.ForwardPorts() }()
	select {
	case <-ready:
	case err := <-failed:
		t.Fatal(err)
	}
	ports, err := f.GetPorts()
	if err != nil {
		t.Fatal(err)
	}
	return loopback(int(ports[0].Local))
}

func get(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", url, resp.Status, body)
	}
	return string(body), err
}

func TestEnvoys(t *testing.T) {
	ctx := testContext(t)
	names, err := shared.StartEnvoys(ctx, Envoys{Count: 2, NACK: 1})
	if err != nil {
		t.Fatal(err)
	}
	rejecting, good := names[0], names[1]
	admin := forwarded(t, shared, "bed-envoy", good, 15000)
	err = poll(ctx, func(ctx context.Context) error {
		dump, err := get(ctx, "http://"+admin+"/config_dump")
		for _, want := range []string{`"dynamic_listeners"`, "virtualInbound", "outbound|80||echo.bed-envoy.svc.cluster.local", `"dynamic_active_secrets"`, `"ROOTCA"`} {
			if err == nil && !strings.Contains(dump, want) {
				err = fmt.Errorf("%d bytes of dump without %s", len(dump), want)
			}
		}
		return err
	})
	if err != nil {
		t.Error("Envoy's admin page through port-forward:", err)
	}
	if metrics, err := fromPod(ctx, shared, "bed-envoy", good, "15090", "/stats/prometheus"); err != nil || !strings.Contains(string(metrics), "envoy_") {
		t.Errorf("Envoy's metrics through the API server: %d bytes, %v", len(metrics), err)
	}
	err = poll(ctx, func(ctx context.Context) error {
		seen, err := proxiesOf(ctx, shared)
		if err != nil {
			return err
		}
		if l := seen[good+".bed-envoy"].of("Listener"); l.Sent == "" || l.Acked != l.Sent {
			return fmt.Errorf("%s should be in sync: %+v", good, l)
		}
		if l := seen[rejecting+".bed-envoy"].of("Listener"); !strings.Contains(l.LastError, "registered implementation") {
			return fmt.Errorf("%s should reject Istio's own filters: %+v", rejecting, l)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestEnvoysBadInput(t *testing.T) {
	t.Parallel()
	for _, e := range []Envoys{{}, {Count: 1, NACK: 2}, {Count: 1000}} {
		if _, err := shared.StartEnvoys(testContext(t), e); err == nil {
			t.Errorf("%+v: want an error", e)
		}
	}
}
