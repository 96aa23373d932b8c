package upgrade

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"sigs.k8s.io/yaml"
)

// Severity is how much a finding matters to the upgrade.
type Severity string

// The severities, the worst first.
const (
	// Blocker is what breaks, or is not supported: mend it before the upgrade.
	Blocker Severity = "blocker"
	// Action is what somebody has to look at or do.
	Action Severity = "action"
	// Note is what is good to know.
	Note Severity = "note"
)

func severityRank(s Severity) int { return slices.Index([]Severity{Blocker, Action, Note}, s) }

// Rule is one change of Istio that an upgrade brings. Its texts are sentences
// for people.
type Rule struct {
	// ID is the rule's name, unique over all versions.
	ID string `json:"id"`
	// Version is the minor release that brought the change, such as 1.27.
	Version string `json:"version"`
	// Until is the minor release from which on the rule says nothing any more,
	// because the change was undone or a later rule says the same or worse.
	Until string `json:"until,omitempty"`
	Title string `json:"title"`
	// What changed, Why it matters, and what to do.
	What     string   `json:"what"`
	Why      string   `json:"why"`
	Todo     string   `json:"todo"`
	Severity Severity `json:"severity"`
	// Link is the public note.
	Link string `json:"link"`
	// Keep is how Istio lets one keep the old behaviour; nil when it does not.
	Keep *Keep `json:"keep,omitempty"`
	// When is an expression over the mesh; the rule is silent where it is
	// false.
	When string `json:"when,omitempty"`
	// Everyone says that the change concerns every mesh for which When holds,
	// whether or not Match finds an object to show.
	Everyone bool `json:"everyone,omitempty"`
	// Match finds the objects concerned; one match is enough.
	Match []Match `json:"match,omitempty"`
	// Func is a named function of this package that finds them.
	Func string `json:"func,omitempty"`
	// Reads are the kinds that When and Func look at.
	Reads []string `json:"reads,omitempty"`

	since, until Version
}

// Keep is the switches that bring the old behaviour back.
type Keep struct {
	// CompatibilityVersion is the newest value of compatibilityVersion that does.
	CompatibilityVersion string `json:"compatibilityVersion,omitempty"`
	// Env are variables of istiod, Values values of the charts.
	Env    map[string]string `json:"env,omitempty"`
	Values map[string]string `json:"values,omitempty"`
	// Until is the minor release that took the switches away; empty while they are there.
	Until string `json:"until,omitempty"`
}

// at is what is left of the switches in a version.
func (k *Keep) at(v Version) *Keep {
	if k == nil || k.Until == "" {
		return k
	}
	if gone, err := ParseVersion(k.Until); err != nil || gone.Compare(v.release()) <= 0 {
		return nil
	}
	return k
}

// Match finds objects of one kind.
type Match struct {
	// Kind is a kind of mesh, with its group after a dot when it is not unique
	// or not known, or one of the kinds in subjects.go.
	Kind string `json:"kind"`
	// Where is an expression over the object; empty for every object.
	Where string `json:"where,omitempty"`
	// At is the field to point at.
	At string `json:"at,omitempty"`
	// Say is an expression: what to say of the object.
	Say string `json:"say,omitempty"`
}

//go:embed rules
var ruleFiles embed.FS

// Rules are all rules, by version and name.
var Rules = sync.OnceValues(func() ([]*Rule, error) { return readRules(ruleFiles) })

func readRules(files fs.FS) ([]*Rule, error) {
	var all []*Rule
	err := fs.WalkDir(files, "rules", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, file)
		if err != nil {
			return err
		}
		r := &Rule{}
		if err := yaml.UnmarshalStrict(text, r); err != nil {
			return fmt.Errorf("reading the rule %s: %w", file, err)
		}
		if r.since, err = ParseVersion(r.Version); err != nil {
			return fmt.Errorf("reading the rule %s: %w", file, err)
		}
		if r.Until != "" {
			if r.until, err = ParseVersion(r.Until); err != nil {
				return fmt.Errorf("reading the rule %s: %w", file, err)
			}
		}
		if want := path.Join("rules", r.Version, r.ID+".yaml"); want != file {
			return fmt.Errorf("reading the rule %s: by its id and version it belongs to %s", file, want)
		}
		all = append(all, r)
		return nil
	})
	slices.SortFunc(all, func(a, b *Rule) int {
		if c := a.since.Compare(b.since); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return all, err
}

// between are the rules whose change lies after from, up to to.
func between(rules []*Rule, from, to Version) []*Rule {
	var selected []*Rule
	for _, r := range rules {
		over := !r.until.IsZero() && r.until.Compare(to.release()) <= 0
		if r.since.Compare(from) > 0 && r.since.Compare(to.release()) <= 0 && !over {
			selected = append(selected, r)
		}
	}
	return selected
}
