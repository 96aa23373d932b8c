package upgrade

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/mesh"
)

// ProxyGroup is the proxies of one namespace that run one version.
type ProxyGroup struct {
	Namespace string `json:"namespace"`
	// Version is empty when the images do not tell.
	Version  Version `json:"version"`
	Revision string  `json:"revision,omitempty"`
	Pods     int     `json:"pods"`
}

// groups counts the proxies, by namespace, version and revision.
func (f *fleet) groups() []ProxyGroup {
	type key struct{ namespace, version, revision string }
	counts := map[key]*ProxyGroup{}
	groups := []ProxyGroup{}
	for _, p := range f.proxies {
		k := key{p.pod.Namespace, p.version.String(), p.revision}
		if counts[k] == nil {
			counts[k] = &ProxyGroup{Namespace: p.pod.Namespace, Version: p.version, Revision: p.revision}
		}
		counts[k].Pods++
	}
	for _, g := range counts {
		groups = append(groups, *g)
	}
	slices.SortFunc(groups, func(a, b ProxyGroup) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), a.Version.Compare(b.Version), strings.Compare(a.Revision, b.Revision))
	})
	return groups
}

// oldProxies finds proxies that would be more than two minor releases behind.
func (p *planner) oldProxies() {
	if why := p.facts.missing(mesh.Pod); !why.empty() {
		p.undecided("old-proxies", why)
		return
	}
	f := &Finding{
		ID: "old-proxies", Severity: Blocker, Title: "proxies that are too old for an istiod of " + p.plan.To.Minor(),
		What: "Istio tests istiod with proxies that are up to two minor releases older.",
		Todo: "Restart their workloads now, so that they come up with the version that runs; then upgrade.",
		Link: "https://istio.io/latest/docs/releases/supported-releases/#control-planedata-plane-skew",
	}
	for _, g := range p.plan.Proxies {
		if !g.Version.IsZero() && g.Version.minorsTo(p.plan.To) > 2 && g.Version.Minor() != p.plan.From.Minor() {
			f.Hits = append(f.Hits, Hit{Object: Object{Kind: "Namespace", Name: g.Namespace}, Message: plural(g.Pods, "proxy", "proxies") + " of " + g.Version.String()})
		}
	}
	if len(f.Hits) > 0 {
		p.add(f)
	}
}

// unknownProxies finds proxies whose image does not tell its version.
func (p *planner) unknownProxies() {
	f := &Finding{
		ID: "unknown-proxies", Severity: Note, Title: "proxies whose version the image does not tell",
		What: "Their images have no version as tag, so they are not counted as old or new.",
		Todo: "`meshctl version` asks the proxies themselves.",
	}
	counts := map[[2]string]int{}
	for _, x := range p.fleet.proxies {
		if x.version.IsZero() {
			counts[[2]string{x.pod.Namespace, x.tag}]++
		}
	}
	for k, n := range counts {
		f.Hits = append(f.Hits, Hit{Object: Object{Kind: "Namespace", Name: k[0]}, Message: fmt.Sprintf("%s tagged %q", plural(n, "proxy", "proxies"), k[1])})
	}
	if len(f.Hits) > 0 {
		p.add(f)
	}
}

// plural is "1 proxy", "2 proxies".
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
