package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/meshctl/meshctl/test/bench/measure"
)

// proxyBed is a bed with a control plane, for what asks it or is made by it.
type proxyBed struct {
	o      options
	name   string
	config string
}

// upProxyBed brings up a bed with a control plane of n istiods. down ends it,
// whatever came of it.
func upProxyBed(ctx context.Context, o options, name string, istiods int) (b *proxyBed, down func(), err error) {
	down = func() { _ = exec.Command(o.bed, "down", "--name", name).Run() } // not up is down
	down()
	out, err := exec.CommandContext(ctx, o.bed, "up", "--name", name, "--envoy", "off").Output()
	if err != nil {
		return nil, down, fmt.Errorf("bringing up the test bed: %w", err)
	}
	_, config, _ := strings.Cut(strings.TrimSpace(string(out)), "KUBECONFIG=")
	b = &proxyBed{o: o, name: name, config: config}
	return b, down, b.scale(ctx, istiods)
}

// scale installs the control plane with so many istiods, or changes how many there are.
func (b *proxyBed) scale(ctx context.Context, istiods int) error {
	err := must(ctx, b.o.meshctl, "--kubeconfig", b.config, "install", "--profile", "minimal", "-y", "--set", "values.pilot.autoscaleEnabled=false",
		"--set", fmt.Sprintf("values.pilot.replicaCount=%d", istiods))
	if err != nil {
		return err
	}
	for { // those that are too many take their time to go
		pods, err := b.istiods(ctx)
		if err != nil || len(pods) == istiods {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (b *proxyBed) client() (*kubernetes.Clientset, error) {
	config, err := clientcmd.BuildConfigFromFlags("", b.config)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", b.config, err)
	}
	return kubernetes.NewForConfig(config)
}

// istiods are the names of the control plane's pods.
func (b *proxyBed) istiods(ctx context.Context) ([]string, error) {
	client, err := b.client()
	if err != nil {
		return nil, err
	}
	list, err := client.CoreV1().Pods("istio-system").List(ctx, metav1.ListOptions{LabelSelector: "app=istiod"})
	if err != nil {
		return nil, fmt.Errorf("listing istiods: %w", err)
	}
	var names []string
	for _, p := range list.Items {
		names = append(names, p.Name)
	}
	return names, nil
}

// proxies connects so many simulated proxies, spread over all istiods, instead
// of those that were connected.
func (b *proxyBed) proxies(ctx context.Context, n int) error {
	if err := must(ctx, b.o.bed, "proxies", "--name", b.name, "--stop"); err != nil {
		return err
	}
	return must(ctx, b.o.bed, "proxies", "--name", b.name, "--count", fmt.Sprint(n), "-d")
}

// debugPage reads a page of an istiod; the caller closes it.
func (b *proxyBed) debugPage(ctx context.Context, path string, query map[string]string) (io.ReadCloser, error) {
	client, err := b.client()
	if err != nil {
		return nil, err
	}
	pods, err := b.istiods(ctx)
	if err != nil {
		return nil, err
	}
	if len(pods) == 0 {
		return nil, errors.New("the test bed has no istiod")
	}
	return client.CoreV1().Pods("istio-system").ProxyGet("http", pods[0], "15014", path, query).Stream(ctx)
}

// meshSize is how large a control plane is asked: so many istiods, so many proxies.
type meshSize struct{ istiods, proxies int }

func meshSizes() []meshSize {
	return []meshSize{{1, 1000}, {1, 5000}, {3, 1000}, {3, 5000}, {10, 1000}, {10, 5000}}
}

func (s meshSize) String() string {
	what := "istiods"
	if s.istiods == 1 {
		what = "istiod"
	}
	return fmt.Sprintf("proxy-status, %d %s, %s proxies", s.istiods, what, thousands(s.proxies))
}

// oneHangs is the work with an istiod that takes connections and never answers.
const oneHangs = "proxy-status, one of 3 istiods hangs, --timeout 2s"

// measureStatus asks control planes of several sizes for the state of their proxies.
func measureStatus(ctx context.Context, o options) ([]measure.Pair, error) {
	var wanted []meshSize
	for _, s := range meshSizes() {
		if strings.Contains(s.String(), o.only) {
			wanted = append(wanted, s)
		}
	}
	hangs := strings.Contains(oneHangs, o.only)
	if len(wanted) == 0 && !hangs {
		return nil, nil
	}
	b, down, err := upProxyBed(ctx, o, "bench-status", 1)
	defer down()
	if err != nil {
		return nil, err
	}
	var pairs []measure.Pair
	for _, s := range wanted {
		if err := b.scale(ctx, s.istiods); err != nil {
			return nil, err
		}
		if err := b.proxies(ctx, s.proxies); err != nil {
			return nil, err
		}
		p, err := measure.Run(ctx, b.status(s.String()), o.rounds)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, p)
		fmt.Fprintf(os.Stderr, "%s: %s, istioctl %s\n", s, p.Ours.Wall.Round(time.Millisecond), p.Peer.Wall.Round(time.Millisecond))
	}
	if !hangs {
		return pairs, nil
	}
	p, err := b.withHungIstiod(ctx)
	return append(pairs, p), err
}

// status is the work of both programs. Ours ends with 1 because the simulated proxies have no pods.
func (b *proxyBed) status(name string, more ...string) measure.Work {
	return measure.Work{
		Name: name, OursExits: []int{1},
		Ours: append([]string{b.o.meshctl, "proxy-status", "--kubeconfig", b.config}, more...),
		Peer: append([]string{b.o.istioctl, "proxy-status", "--kubeconfig", b.config}, more...),
	}
}

func (b *proxyBed) withHungIstiod(ctx context.Context) (measure.Pair, error) {
	if err := b.scale(ctx, 3); err != nil {
		return measure.Pair{}, err
	}
	if err := b.proxies(ctx, 1000); err != nil {
		return measure.Pair{}, err
	}
	pods, err := b.istiods(ctx)
	if err != nil {
		return measure.Pair{}, err
	}
	if err := must(ctx, b.o.bed, "break", "istiod-hung="+pods[1], "--name", b.name); err != nil {
		return measure.Pair{}, err
	}
	w := b.status(oneHangs, "--timeout", "2s")
	w.OursExits, w.PeerFails = []int{2}, true // the state of some proxies is not known
	p, err := measure.Run(ctx, w, b.o.rounds)
	if mendErr := must(ctx, b.o.bed, "mend", "istiod-hung", "--name", b.name); err == nil {
		err = mendErr
	}
	return p, err
}
