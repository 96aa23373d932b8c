package upgrade

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/mesh"
)

const envoyFilterDocs = "https://istio.io/latest/docs/reference/config/networking/envoy-filter/"

// envoyFilters looks at every EnvoyFilter: none of them is covered by any
// promise of compatibility.
func (p *planner) envoyFilters() {
	if why := p.facts.missing(mesh.EnvoyFilter); !why.empty() {
		p.undecided("envoy-filters", why)
		return
	}
	if p.plan.To.Compare(p.plan.From) == 0 {
		return // nothing changes for them
	}
	all := &Finding{
		ID: "envoy-filters", Severity: Action, Title: "EnvoyFilters patch what istiod generates, and that changes with every release",
		What: "Istio promises no compatibility for them: a patch may stop matching without a word, or break the proxies it applies to.",
		Todo: "Try them with one workload on the new version, and compare: `meshctl proxy-config listener|cluster|route POD -o json` before and after.",
		Link: envoyFilterDocs,
	}
	if p.plan.To.Minor() == p.plan.From.Minor() {
		all.Severity = Note // patches keep what istiod generates, as a rule
	}
	version := &Finding{
		ID: "envoy-filter-proxy-version", Severity: Blocker, Title: "EnvoyFilter patches that no proxy of " + p.plan.To.String() + " will get",
		What: "Their proxyVersion does not match the new version: the patch silently goes away with the upgrade.",
		Todo: "Widen proxyVersion, or leave it out, once the patch was tried on the new version.", Link: envoyFilterDocs,
	}
	unknown := &Finding{
		ID: "envoy-filter-unknown", Severity: Blocker, Title: "EnvoyFilters use what the Envoy of Istio " + p.plan.To.Minor() + " does not know",
		What: "Types and fields that were removed or renamed, or never existed. Such a patch is refused or dropped.",
		Todo: "Look them up in Envoy's version history and write what replaced them: https://www.envoyproxy.io/docs/envoy/latest/version_history/version_history",
		Link: envoyFilterDocs,
	}
	deprecated := &Finding{
		ID: "envoy-filter-deprecated", Severity: Action, Title: "EnvoyFilters use what Envoy is about to drop",
		What: "Fields that Envoy's API marks as deprecated, and filters under their old names, which match nothing any more.",
		Todo: "Write what replaced them.", Link: envoyFilterDocs,
	}
	for _, o := range p.in.Snapshot.Objects(mesh.EnvoyFilter) {
		patches, _ := o.Field("spec", "configPatches").([]any)
		var kinds []string
		for i, item := range patches {
			patch, _ := item.(map[string]any)
			kinds = append(kinds, describePatch(patch))
			p.proxyVersion(version, o, i, patch)
			if p.current() {
				w := envoyWalk{object: o, unknown: unknown, deprecated: deprecated}
				path := mesh.Path{"spec", "configPatches", i}
				w.names(path.Join("match"), patch["match"])
				w.any(path.Join("patch").Join("value"), text(patch, "patch", "value"))
			}
		}
		all.Hits = append(all.Hits, hit(mesh.Location{Object: o}, "%s", summarise(kinds)))
	}
	if !p.current() && len(all.Hits) > 0 {
		p.undecided(unknown.ID, because("this meshctl holds the Envoy API of Istio "+p.in.Embedded+" only"))
	}
	for _, f := range []*Finding{version, unknown, deprecated, all} {
		if len(f.Hits) > 0 {
			p.add(f)
		}
	}
}

// proxyVersion finds a patch that applies to the old proxies only.
func (p *planner) proxyVersion(f *Finding, o *mesh.Object, i int, patch map[string]any) {
	expression, _ := text(patch, "match", "proxy", "proxyVersion").(string)
	if expression == "" {
		return
	}
	re, err := regexp.Compile(expression)
	at := o.At("spec.configPatches[%d].match.proxy.proxyVersion", i)
	switch {
	case err != nil:
		f.Hits = append(f.Hits, hit(at, "%s is no regular expression: %v", expression, err))
	case !re.MatchString(p.plan.To.String()) && re.MatchString(p.plan.From.String()):
		f.Hits = append(f.Hits, hit(at, "%s matches %s, not %s", expression, p.plan.From, p.plan.To))
	}
}

// text is the value at the names given, nil where there is none.
func text(value any, names ...string) any {
	for _, name := range names {
		m, _ := value.(map[string]any)
		value = m[name]
	}
	return value
}

// describePatch is a patch in a few words, such as HTTP_FILTER INSERT_BEFORE.
func describePatch(patch map[string]any) string {
	on, _ := patch["applyTo"].(string)
	operation, _ := text(patch, "patch", "operation").(string)
	return strings.TrimSpace(on + " " + operation)
}

func summarise(kinds []string) string {
	counts := map[string]int{}
	for _, k := range kinds {
		counts[k]++
	}
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		if counts[k] > 1 {
			k = fmt.Sprintf("%s (%d)", k, counts[k])
		}
		parts = append(parts, k)
	}
	return strings.Join(parts, ", ")
}
