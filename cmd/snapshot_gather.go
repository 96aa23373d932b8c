package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/mesh"
	"github.com/meshctl/meshctl/internal/proxyconfig"
	"github.com/meshctl/meshctl/internal/snapshot"
)

// syncFile has what all istiods of a cluster said of their proxies.
const syncFile = "sync.json"

// savedSync is what is in it.
type savedSync struct {
	Istiods []proxyconfig.IstiodSync `json:"istiods"`
	Proxies []proxyconfig.ProxySync  `json:"proxies"`
}

// gatherer finds out what is saved of a cluster beside its objects.
type gatherer struct {
	f         *Factory
	client    *kube.Client
	cluster   mesh.Cluster
	choice    *proxyChoice
	logs      int // lines of each log, 0 is none
	adminPort int
	inventory snapshot.Inventory
	fetch     *fetcher
	istiods   []kube.Istiod
	sync      savedSync
}

// gather asks istiods and chooses the proxies; their files are read when the
// snapshot is written.
func (g *gatherer) gather(ctx context.Context) snapshot.Inventory {
	g.inventory.Kubernetes = g.client.Version()
	g.askIstiods(ctx)
	var pods []*mesh.Object
	for _, o := range g.cluster.Objects {
		if o.Kind == mesh.Pod {
			pods = append(pods, o)
		}
	}
	g.inventory.Proxies, g.inventory.LeftOut = g.choice.choose(pods, g.sync.Proxies)
	g.file(g.fetch.add(syncFile, func(_ context.Context, to io.Writer) error { return json.NewEncoder(to).Encode(g.sync) }))
	for _, i := range g.istiods {
		g.istiodFiles(i)
	}
	for _, p := range g.inventory.Proxies {
		g.proxyFiles(p)
	}
	g.file(g.fetch.text("events.jsonl", g.events))
	return g.inventory
}

func (g *gatherer) file(f *snapshot.File) { g.inventory.Files = append(g.inventory.Files, f) }

func (g *gatherer) note(err error) {
	g.inventory.Notes = append(g.inventory.Notes, err.Error())
}

// askIstiods asks all istiods for the states of their proxies.
func (g *gatherer) askIstiods(ctx context.Context) {
	g.sync = savedSync{Istiods: []proxyconfig.IstiodSync{}, Proxies: []proxyconfig.ProxySync{}}
	istiods, err := g.client.Istiods(ctx, g.f.IstioNamespace(), "")
	var none *kube.NoIstiodError
	if errors.As(err, &none) {
		return // it may be elsewhere, and nothing here is missing
	}
	if err != nil {
		g.note(err)
		return
	}
	g.istiods = istiods
	report, err := g.f.askIstiods(ctx, g.client, istiods, 15*time.Second)
	if err != nil {
		g.note(err)
		return
	}
	g.sync.Istiods = report.Istiods
	for _, p := range report.Proxies {
		g.sync.Proxies = append(g.sync.Proxies, p.OnThisClock())
	}
	for _, i := range report.Istiods {
		if i.Error != "" {
			g.note(hint.Unanswerablef("", "istiod %s does not answer: %s", i.Name, i.Error))
		}
	}
}

func (g *gatherer) istiodFiles(i kube.Istiod) {
	folder := "istiods/" + i.Name + "." + i.Namespace + "/"
	g.file(g.fetch.text(folder+"version.txt", func(ctx context.Context) (string, error) {
		body, err := g.client.PodGet(ctx, i.Namespace, i.Name, i.Port, "/version")
		if err != nil {
			return "", err
		}
		defer func() { _ = body.Close() }()
		text, err := io.ReadAll(io.LimitReader(body, 4096))
		return strings.TrimSpace(string(text)) + "\n", err
	}))
	g.log(folder, i.Namespace, i.Name, "discovery")
}

// proxyFiles are what a proxy has, and what its istiod would send to it.
func (g *gatherer) proxyFiles(p snapshot.Proxy) {
	folder := proxyFolder(p)
	pod := &corev1.Pod{}
	pod.Name, pod.Namespace, pod.Status.Phase = p.Name, p.Namespace, corev1.PodRunning
	pod.Spec.Containers = []corev1.Container{{Name: mesh.ProxyContainer}}
	envoy := func(file, path string) {
		g.file(g.fetch.json(folder+file, func(ctx context.Context) (io.ReadCloser, error) {
			return openPod(ctx, g.client, pod, g.adminPort, path)
		}))
	}
	envoy(dumpFile, dumpPath)
	envoy(clustersFile, "/clusters?format=json")
	envoy(serverFile, "/server_info")
	for i := range g.sync.Proxies {
		if state := &g.sync.Proxies[i]; state.ID() == p.ID() {
			istiod := istiodDump(g.client, g.istiods, state)
			g.file(g.fetch.json(folder+servedFile, func(ctx context.Context) (io.ReadCloser, error) {
				return istiod.open(ctx, servedPath(state))
			}))
			break
		}
	}
	g.log(folder, p.Namespace, p.Name, mesh.ProxyContainer)
}

// The files of a proxy.
const (
	dumpFile     = "config_dump.json"
	clustersFile = "clusters.json"
	serverFile   = "server_info.json"
	servedFile   = "istiod.json"
)

func (g *gatherer) log(folder, namespace, pod, container string) {
	if g.logs == 0 {
		return
	}
	g.file(g.fetch.text(folder+"log.txt", func(ctx context.Context) (string, error) {
		text, err := kube.NewObjects(g.client, "").Logs(ctx, namespace, pod, container, false, g.logs)
		if err != nil {
			return "", kube.Explain("reading the log of pod "+pod+"."+namespace, err)
		}
		return text, nil
	}))
}

// events are those of the control plane, and of other namespaces the warnings.
func (g *gatherer) events(ctx context.Context) (string, error) {
	var lines strings.Builder
	write := func(namespace string, warnings bool) error {
		events, err := g.client.Events(ctx, namespace, warnings)
		for i := range events {
			events[i].ManagedFields = nil
			if warnings && events[i].Namespace == g.f.IstioNamespace() {
				continue
			}
			if text, err := json.Marshal(&events[i]); err == nil {
				lines.Write(append(text, '\n'))
			}
		}
		return err
	}
	if err := write(g.f.IstioNamespace(), false); err != nil {
		return "", err
	}
	err := write("", true)
	return lines.String(), err
}
