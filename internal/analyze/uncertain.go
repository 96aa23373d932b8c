package analyze

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/meshctl/meshctl/internal/mesh"
)

// Uncertain is something unreadable that a finding rests on: had it been
// readable, the finding might not be there.
type Uncertain struct {
	// Position is that of a broken document or a template; absent for a kind
	// that could not be read, and for what another cluster may have.
	Position *mesh.Position `json:"position,omitempty"`
	// Kind is a kind that could not be read.
	Kind   string `json:"kind,omitempty"`
	Reason string `json:"reason"`
}

// conclusions are what a pass concluded absence from, and what it asked for.
type conclusions struct {
	mu            sync.Mutex
	absent, asked map[mesh.Kind]bool
}

// MayBeElsewhere marks a finding that something is missing which another cluster
// of the mesh may have: this one was read alone, and shows that it is one of several.
func (p *Pass) MayBeElsewhere(f *Finding) *Finding {
	if sign := p.OneOfSeveral(); sign != "" {
		f.Uncertain = append(f.Uncertain, Uncertain{
			Reason: "another cluster of the mesh may have it, which --contexts or --remote would read: " + sign,
		})
	}
	return f
}

// listen has the pass remember its conclusions, when something is unreadable.
func (p *Pass) listen() {
	if len(p.Unreadable()) == 0 && len(p.SkippedKinds()) == 0 {
		return
	}
	c := &conclusions{absent: map[mesh.Kind]bool{}, asked: map[mesh.Kind]bool{}}
	p.conclusions = c
	p.Snapshot = p.Concluding(
		func(k mesh.Kind) { c.note(c.absent, k) },
		func(k mesh.Kind) { c.note(c.asked, k) },
	)
}

func (c *conclusions) note(kinds map[mesh.Kind]bool, k mesh.Kind) {
	c.mu.Lock()
	kinds[k] = true
	c.mu.Unlock()
}

// doubt marks the findings of a pass that rest on something unreadable: its
// check concluded from the absence of a kind that may stand there, and what the
// finding names may be there.
func (p *Pass) doubt() {
	c := p.conclusions
	if c == nil || len(c.absent) == 0 {
		return
	}
	for _, u := range p.Unreadable() {
		if !c.mayRestOn(u) {
			continue
		}
		for _, f := range p.findings {
			if u.MayBe(f.words()) {
				at := u.Position
				f.Uncertain = append(f.Uncertain, Uncertain{Position: &at, Reason: u.Reason})
			}
		}
	}
	for _, k := range p.SkippedKinds() {
		// Without the mesh config its defaults are assumed, which is said once, not here.
		if reason, _ := p.Skipped(k); c.asked[k] && k != mesh.ConfigMap {
			for _, f := range p.findings {
				f.Uncertain = append(f.Uncertain, Uncertain{Kind: k.String(), Reason: reason})
			}
		}
	}
}

func (c *conclusions) mayRestOn(u mesh.Unreadable) bool {
	for k := range c.absent {
		if u.MayHold(k) {
			return true
		}
	}
	return false
}

var (
	quoted          = regexp.MustCompile(`"([^"]+)"`)
	quotedNamespace = regexp.MustCompile(`namespaces? "[^"]+"`)
)

// words are the names that a finding is about: what its message quotes, of a
// host the first label as well, of a label the value. Namespaces say too little.
func (f *Finding) words() []string {
	var words []string
	for _, m := range quoted.FindAllStringSubmatch(quotedNamespace.ReplaceAllString(f.Message, ""), -1) {
		word := m[1]
		words = append(words, word)
		if first, _, found := strings.Cut(word, "."); found && len(first) > 1 {
			words = append(words, first)
		}
		for _, pair := range strings.Split(word, ",") {
			if _, value, found := strings.Cut(pair, "="); found {
				words = append(words, value)
			}
		}
	}
	return words
}

// doubts is what a finding rests on in a line; empty when it is sure.
func (f *Finding) doubts() string {
	const few = 2
	var parts, whole []string
	for i, u := range f.Uncertain {
		switch {
		case u.Position == nil && u.Kind == "":
			whole = append(whole, u.Reason)
		case i == few:
			parts = append(parts, fmt.Sprintf("and %d more", len(f.Uncertain)-few))
		case i > few:
		case u.Position != nil:
			parts = append(parts, u.Position.String())
		default:
			parts = append(parts, "any "+u.Kind)
		}
	}
	if len(parts) > 0 {
		whole = append(whole, strings.Join(parts, ", ")+" could not be read, and may hold what is missing")
	}
	return strings.Join(whole, "; ")
}
