package upgrade

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"istio.io/istio/manifests"
	"sigs.k8s.io/yaml"
)

// TestKeepsWhatTheProfilesKeep holds the rules against the official
// compatibility profiles: every switch in one is a rule's, and a rule names the
// newest profile that has its switches.
func TestKeepsWhatTheProfilesKeep(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(manifests.FS, "charts/istio-control/istio-discovery/files/profile-compatibility-version-*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no profiles", err)
	}
	newest := map[string]Version{}
	for _, file := range files {
		version := parse(t, strings.TrimSuffix(strings.TrimPrefix(path.Base(file), "profile-compatibility-version-"), ".yaml"))
		text, err := fs.ReadFile(manifests.FS, file)
		if err != nil {
			t.Fatal(err)
		}
		var profile struct {
			Pilot struct {
				Env map[string]string `json:"env"`
			} `json:"pilot"`
			CNI struct {
				Ambient map[string]any `json:"ambient"`
			} `json:"cni"`
			Ambient map[string]any `json:"ambient"`
		}
		if err := yaml.Unmarshal(text, &profile); err != nil {
			t.Fatal(err)
		}
		seen := func(name string) {
			if newest[name].Compare(version) < 0 {
				newest[name] = version
			}
		}
		for name, value := range profile.Pilot.Env {
			seen(name + "=" + value)
		}
		for name, value := range profile.CNI.Ambient {
			seen(fmt.Sprintf("cni.ambient.%s=%v", name, value))
		}
		for name, value := range profile.Ambient {
			seen(fmt.Sprintf("cni.ambient.%s=%v", name, value))
		}
	}
	// The 1.30 profile sets a variable that 1.31 no longer reads.
	newest["PILOT_SPAWN_UPSTREAM_SPAN_FOR_GATEWAY=false"] = parse(t, "1.27")

	rules, err := Rules()
	if err != nil {
		t.Fatal(err)
	}
	kept := map[string]Version{}
	for _, r := range rules {
		if r.Keep == nil || r.Keep.CompatibilityVersion == "" {
			continue
		}
		for name, value := range r.Keep.Env {
			kept[name+"="+value] = parse(t, r.Keep.CompatibilityVersion)
		}
		for name, value := range r.Keep.Values {
			kept[name+"="+value] = parse(t, r.Keep.CompatibilityVersion)
		}
	}
	for name, version := range newest {
		if kept[name] != version && kept[name].Compare(version) != 0 {
			t.Errorf("%s: the profiles keep it up to %s, the rules say %q", name, version, kept[name])
		}
	}
	for name, version := range kept {
		if _, ok := newest[name]; !ok {
			t.Errorf("%s: the rules say %s, no profile has it", name, version)
		}
	}
}

// TestRulesNameWhatConditionsRead checks that the kinds behind a rule's
// condition are among those it names, so that a cluster where they may not be
// read leaves it undecided.
func TestRulesNameWhatConditionsRead(t *testing.T) {
	t.Parallel()
	needs := map[string][]string{
		"ambient": {"Namespace", workloadSubject}, "sidecars": {workloadSubject}, "env": {istiodSubject}, "config": {configSubject}, "values": {valuesSubject},
	}
	word := regexp.MustCompile(`mesh\.(\w+)`)
	rules, err := Rules()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		named := slices.Clone(r.Reads)
		expressions := []string{r.When}
		for _, m := range r.Match {
			named = append(named, m.Kind)
			expressions = append(expressions, m.Where, m.Say)
		}
		for _, found := range word.FindAllStringSubmatch(strings.Join(expressions, " "), -1) {
			for _, kind := range needs[found[1]] {
				if !slices.Contains(named, kind) {
					t.Errorf("%s looks at mesh.%s and does not name %s in reads", r.ID, found[1], kind)
				}
			}
		}
	}
}
