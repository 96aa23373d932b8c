package cmd

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/mesh"
	"github.com/meshctl/meshctl/internal/proxyconfig"
	"github.com/meshctl/meshctl/internal/snapshot"
)

// usualProxies is how many proxies are saved when nobody says otherwise.
const usualProxies = 20

// proxyChoice says whose configuration is saved.
type proxyChoice struct {
	count    int // -1 is all
	selector labels.Selector
	// named are those that are saved in any case, as NAME.NAMESPACE.
	named []string
}

// parseChoice reads --proxies and --selector.
func parseChoice(count, selector string) (*proxyChoice, error) {
	c := &proxyChoice{count: -1}
	switch count {
	case "all":
	case "none":
		c.count = 0
	default:
		n, err := strconv.Atoi(count)
		if err != nil || n < 0 {
			return nil, hint.Usagef("such as --proxies 50", "--proxies is a number, all or none, not %q", count)
		}
		c.count = n
	}
	var err error
	if c.selector, err = labels.Parse(selector); err != nil {
		return nil, hint.Usagef("such as -l app=frontend", "--selector %q: %w", selector, err)
	}
	return c, nil
}

// name resolves what a person calls pods.
func (c *proxyChoice) name(ctx context.Context, client *kube.Client, args []string, namespace string) error {
	for _, arg := range args {
		pods, err := client.FindPods(ctx, arg, namespace)
		if err != nil {
			return err
		}
		for _, p := range pods {
			c.named = append(c.named, p.Name+"."+p.Namespace)
		}
	}
	return nil
}

// why orders reasons: the first ones are saved first.
func why() []string {
	return []string{"named", "out of step", "gateway", "one of its workload", "another of its workload"}
}

// choose chooses among the pods of a cluster: those named, those out of step
// with their istiod, gateways, then one pod of each workload, then the others.
func (c *proxyChoice) choose(pods []*mesh.Object, proxies []proxyconfig.ProxySync) (chosen []snapshot.Proxy, leftOut int) {
	synced := map[string]*proxyconfig.ProxySync{}
	for i := range proxies {
		synced[proxies[i].ID()] = &proxies[i]
	}
	var all []snapshot.Proxy
	seen := map[string]bool{}
	for _, pod := range pods {
		p := snapshot.Proxy{Name: pod.Name, Namespace: pod.Namespace, Workload: mesh.OwnerName(pod), Labels: pod.Labels}
		named := slices.Contains(c.named, p.ID())
		if mesh.Over(pod) || !named && (!hasProxy(pod) || !c.selector.Matches(labels.Set(pod.Labels))) {
			continue
		}
		s := synced[p.ID()]
		workload := p.Namespace + "/" + p.Workload
		switch {
		case named:
			p.Why = "named"
		case s != nil && outOfStep(s):
			p.Why = "out of step"
		case seen[workload]:
			p.Why = "another of its workload"
		case s != nil && s.Kind != "sidecar":
			p.Why = "gateway"
		default:
			p.Why = "one of its workload"
		}
		seen[workload] = true
		all = append(all, p)
	}
	order := why()
	slices.SortStableFunc(all, func(a, b snapshot.Proxy) int {
		return cmp.Or(slices.Index(order, a.Why)-slices.Index(order, b.Why), strings.Compare(a.ID(), b.ID()))
	})
	keep := len(all)
	if c.count >= 0 {
		named := 0
		for _, p := range all {
			if p.Why == "named" {
				named++
			}
		}
		keep = min(keep, max(c.count, named))
	}
	return all[:keep], len(all) - keep
}

func outOfStep(p *proxyconfig.ProxySync) bool {
	return slices.ContainsFunc(p.Types, func(t proxyconfig.TypeSync) bool {
		return t.State == proxyconfig.Stale || t.State == proxyconfig.Rejected
	})
}

// hasProxy says whether a pod has an Envoy as Istio injects it.
func hasProxy(pod *mesh.Object) bool {
	for _, list := range []string{"containers", "initContainers"} {
		containers, _ := pod.Field("spec", list).([]any)
		for _, c := range containers {
			container, _ := c.(map[string]any)
			if container["name"] == mesh.ProxyContainer {
				return pod.Labels["app"] != "ztunnel"
			}
		}
	}
	return false
}

// proxyFolder has the files of one proxy.
func proxyFolder(p snapshot.Proxy) string { return "proxies/" + p.ID() + "/" }

// leftOutText says how many proxies are not in the file.
func leftOutText(saved, leftOut int) string {
	return fmt.Sprintf("the configuration of %d of %d proxies is saved: --proxies, --selector or their names choose others", saved, saved+leftOut)
}
