package upgrade

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/meshctl/meshctl/internal/mesh"
	"istio.io/istio/manifests"
	"sigs.k8s.io/yaml"
)

// crd is what two versions of a CRD are compared by.
type crd struct {
	name     string
	versions []string
	// fields are the paths of all fields, by version.
	fields map[string]map[string]bool
}

// embedded are the official CRDs in this program.
var embedded = sync.OnceValues(func() (map[string]*crd, error) {
	file, err := fs.ReadFile(manifests.FS, "charts/base/files/crd-all.gen.yaml")
	if err != nil {
		return nil, fmt.Errorf("reading the CRDs in this program: %w", err)
	}
	texts := strings.Split(string(file), "\n---\n")
	all := make([]*crd, len(texts))
	errs := make([]error, len(texts))
	var wg sync.WaitGroup
	for i, text := range texts {
		wg.Go(func() {
			raw := map[string]any{}
			if errs[i] = yaml.Unmarshal([]byte(text), &raw); errs[i] == nil && raw["kind"] == "CustomResourceDefinition" {
				all[i] = newCRD(raw)
			}
		})
	}
	wg.Wait()
	byName := map[string]*crd{}
	for i, c := range all {
		if errs[i] != nil {
			return nil, fmt.Errorf("reading the CRDs in this program: %w", errs[i])
		}
		if c != nil {
			byName[c.name] = c
		}
	}
	return byName, nil
})

func newCRD(raw map[string]any) *crd {
	metadata, _ := raw["metadata"].(map[string]any)
	spec, _ := raw["spec"].(map[string]any)
	c := &crd{fields: map[string]map[string]bool{}}
	c.name, _ = metadata["name"].(string)
	versions, _ := spec["versions"].([]any)
	for _, v := range versions {
		version, _ := v.(map[string]any)
		name, _ := version["name"].(string)
		schema, _ := version["schema"].(map[string]any)
		top, _ := schema["openAPIV3Schema"].(map[string]any)
		c.versions = append(c.versions, name)
		c.fields[name] = map[string]bool{}
		collect(top, "", c.fields[name])
	}
	slices.Sort(c.versions)
	return c
}

// collect gathers the paths of a schema's fields.
func collect(schema map[string]any, path string, into map[string]bool) {
	properties, _ := schema["properties"].(map[string]any)
	for name, p := range properties {
		field, _ := p.(map[string]any)
		at := strings.TrimPrefix(path+"."+name, ".")
		into[at] = true
		collect(field, at, into)
	}
	for _, inner := range []string{"items", "additionalProperties"} {
		if s, ok := schema[inner].(map[string]any); ok {
			collect(s, path, into)
		}
	}
}

// crds compares the cluster's CRDs of Istio with those of the target.
func (p *planner) crds() error {
	ids := []string{"crds-lose", "crds-gain"}
	why := p.facts.missing(mesh.CustomResourceDefinition)
	if !p.current() {
		why = because("this meshctl holds the CRDs of Istio " + p.in.Embedded + " only")
	}
	if !why.empty() {
		for _, id := range ids {
			p.undecided(id, why)
		}
		return nil
	}
	target, err := embedded()
	if err != nil {
		return err
	}
	lose := &Finding{
		ID: ids[0], Severity: Action, Title: "CRDs lose what the cluster has now",
		What: "The cluster's CRDs hold versions or fields that those of " + p.in.Embedded + " do not: mostly they come from a newer Istio.",
		Todo: "See who uses them before the CRDs are replaced; the API server drops fields that it does not know.",
	}
	gain := &Finding{
		ID: ids[1], Severity: Note, Title: "CRDs change", What: "`meshctl install` and `meshctl upgrade` bring the new CRDs; with Helm upgrade the base chart first.",
	}
	found := map[string]bool{}
	for _, o := range p.in.Snapshot.Objects(mesh.CustomResourceDefinition) {
		if want := target[o.Name]; want != nil {
			found[o.Name] = true
			compareCRD(o, newCRD(o.Raw()), want, lose, gain)
		}
	}
	var missing []string
	for _, name := range slices.Sorted(maps.Keys(target)) {
		if !found[name] {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 && len(found) > 0 {
		gain.What += " New: " + strings.Join(missing, ", ") + "."
	}
	for _, f := range []*Finding{lose, gain} {
		if len(f.Hits) > 0 {
			p.add(f)
		}
	}
	return nil
}

func compareCRD(o *mesh.Object, have, want *crd, lose, gain *Finding) {
	stored, _ := o.Field("status", "storedVersions").([]any)
	for _, v := range stored {
		if version, _ := v.(string); !slices.Contains(want.versions, version) {
			lose.Severity = Blocker
			lose.Hits = append(lose.Hits, hit(o.At("status.storedVersions"), "objects may be stored in %s, which goes away: the API server refuses the new CRD; migrate them first", version))
		}
	}
	for _, v := range have.versions {
		if !slices.Contains(want.versions, v) {
			lose.Hits = append(lose.Hits, hit(o.At("spec.versions"), "version %s goes away", v))
		}
	}
	for _, v := range want.versions {
		if have.fields[v] == nil {
			gain.Hits = append(gain.Hits, hit(o.At("spec.versions"), "version %s is new", v))
			continue
		}
		if gone := without(have.fields[v], want.fields[v]); len(gone) > 0 && v == want.versions[0] {
			lose.Hits = append(lose.Hits, hit(o.At("spec.versions"), "%s loses %s", v, some(gone)))
		}
		if fresh := without(want.fields[v], have.fields[v]); len(fresh) > 0 && v == want.versions[0] {
			gain.Hits = append(gain.Hits, hit(o.At("spec.versions"), "%s gains %s", v, some(fresh)))
		}
	}
}

// without are the outermost paths of a that b lacks, sorted.
func without(a, b map[string]bool) []string {
	var gone []string
	for _, path := range slices.Sorted(maps.Keys(a)) {
		if b[path] || (len(gone) > 0 && strings.HasPrefix(path, gone[len(gone)-1]+".")) {
			continue
		}
		gone = append(gone, path)
	}
	return gone
}

// some is the first few of many, and how many there are more.
func some(all []string) string {
	const most = 4
	if len(all) <= most {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:most], ", "), len(all)-most)
}
