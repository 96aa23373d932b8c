package upgrade

import (
	_ "embed"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/Masterminds/semver/v3"
	"github.com/meshctl/meshctl/internal/mesh"
	"sigs.k8s.io/yaml"
)

//go:embed envoy.yaml
var guardFile []byte

// removedGuards are by name the minor release of Envoy that removed a guard.
var removedGuards = sync.OnceValues(func() (map[string]string, error) {
	byVersion := map[string][]string{}
	if err := yaml.UnmarshalStrict(guardFile, &byVersion); err != nil {
		return nil, err
	}
	removed := map[string]string{}
	for version, names := range byVersion {
		for _, name := range names {
			removed[name] = version
		}
	}
	return removed, nil
})

// guards finds Envoy's runtime guards that are set somewhere and that the way
// removes. They are how one goes back to what an older Envoy did.
func (p *planner) guards() error {
	removed, err := removedGuards()
	if err != nil {
		return err
	}
	releases, err := supported()
	if err != nil {
		return err
	}
	from, to := releases[p.plan.From.Minor()].Envoy, releases[p.plan.To.Minor()].Envoy
	if to == "" {
		return nil
	}
	gone := func(name string) string {
		version, ok := removed[name]
		if !ok || newer(version, to) || from != "" && !newer(version, from) {
			return ""
		}
		return version
	}
	f := &Finding{
		ID: "envoy-runtime-guards", Severity: Action, Title: "Envoy no longer has runtime guards that are set here",
		What: "A guard switches a changed behaviour of Envoy off for a while; setting one that is gone does nothing, so the changed behaviour comes with the upgrade.",
		Todo: "Look up in Envoy's version history what the guard kept back, and take it out.",
		Link: "https://www.envoyproxy.io/docs/envoy/latest/version_history/version_history",
	}
	for _, s := range p.facts.proxySettings() {
		values, _ := s.object["runtimeValues"].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(values)) {
			if version := gone(name); version != "" {
				f.Hits = append(f.Hits, hit(s.place(""), "%s: gone since Envoy %s", name, version))
			}
		}
	}
	for _, o := range p.in.Snapshot.Objects(mesh.EnvoyFilter) {
		keys(mesh.Path{"spec"}, o.Field("spec"), func(at mesh.Path, name string) {
			if version := gone(name); version != "" {
				f.Hits = append(f.Hits, hit(o.AtKey("%s", at), "%s: gone since Envoy %s", name, version))
			}
		})
	}
	if len(f.Hits) > 0 {
		p.add(f)
	} else if g := p.facts.missing(append(workloadKinds(), mesh.ConfigMap, mesh.EnvoyFilter)...); !g.empty() {
		p.undecided(f.ID, g)
	}
	return nil
}

// newer says whether one minor version comes after another.
func newer(a, b string) bool { return semver.MustParse(a).GreaterThan(semver.MustParse(b)) }

// keys calls see for every field name below value that looks like a guard's.
func keys(path mesh.Path, value any, see func(at mesh.Path, name string)) {
	switch v := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if strings.HasPrefix(name, "envoy.") {
				see(path.Join(name), name)
			}
			keys(path.Join(name), v[name], see)
		}
	case []any:
		for i, item := range v {
			keys(path.Join(i), item, see)
		}
	}
}
