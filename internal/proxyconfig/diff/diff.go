package diff

import (
	"bytes"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/hint"
)

// Options say how to compare.
type Options struct {
	// Only are the sections to compare; empty is all.
	Only []string
	// Raw compares what differs between any two pods, too.
	Raw bool
	// Served says that A is what istiod would send and B what Envoy has of it:
	// what Envoy has from elsewhere is no difference.
	Served bool
	// Revisions says that the two are of different revisions of Istio, and do
	// the same work: what names the revision, its istiod and its version is equal.
	Revisions bool
	// Texts keeps both forms of what differs for the format diff.
	Texts bool
}

// Compare compares two dumps. It fails when one can't be read.
func Compare(a, b Side, o Options) (*Report, error) {
	if len(o.Only) == 0 {
		o.Only = Sections()
	}
	d := &comparison{options: o, seed: maphash.MakeSeed(), left: map[string]element{}}
	d.report = &Report{A: a.Name, B: b.Name, Complete: true, Normalised: []Normalised{}, Sections: []Section{}}
	for _, s := range Sections() {
		if slices.Contains(o.Only, s) && (!o.Served || s != "bootstrap") {
			d.report.Sections = append(d.report.Sections, Section{Name: s})
		}
	}
	err := d.hashes(a, b)
	if err == nil {
		d.normalisers()
		err = d.details(a)
	}
	if err != nil {
		return nil, err
	}
	d.report.Owners = grouped(d.changes)
	d.report.Same = len(d.changes) == 0
	return d.report, nil
}

// comparison is a comparison under way.
type comparison struct {
	options Options
	seed    maphash.Seed
	report  *Report
	a, b    *content
	// left are the elements of B that differ from those of A, by key.
	left map[string]element
	// inA are the hashes of A's elements that B does not have alike.
	inA     map[string]uint64
	na, nb  normaliser
	changes []Change
	eds     map[string]bool
}

// hashes finds out which elements differ at all.
func (d *comparison) hashes(a, b Side) (err error) {
	x := index{seed: d.seed, hashes: map[string]uint64{}}
	d.eds = map[string]bool{}
	d.a, err = a.read(d.options.Only, func(e element) error {
		if s := d.report.section(e.section); s != nil {
			s.A++
			return x.add(e)
		}
		return nil
	})
	if err != nil {
		return err
	}
	d.inA = x.hashes
	d.b, err = b.read(d.options.Only, func(e element) error {
		d.fromB(e)
		return nil
	})
	if err != nil {
		return err
	}
	d.skipSections()
	return nil
}

// fromB keeps an element of B unless A has it alike.
func (d *comparison) fromB(e element) {
	s := d.report.section(e.section)
	if s == nil {
		return
	}
	was, inA := d.inA[e.key()]
	if d.options.Served {
		if e.section == "clusters" && text(e.config, "type") == "EDS" {
			d.eds[e.name] = true
		}
		// Of secrets istiod serves a few, of endpoints those of EDS clusters.
		if !inA && (!e.served || e.section == "secrets" || e.section == "endpoints" && !d.eds[e.name]) {
			return
		}
	}
	s.B++
	if inA && was == hash(d.seed, e.config) {
		delete(d.inA, e.key())
		return
	}
	e.config = bytes.Clone(e.config)
	d.left[e.key()] = e
}

// skipSections leaves out sections that are on one side only.
func (d *comparison) skipSections() {
	for i := range d.report.Sections {
		s := &d.report.Sections[i]
		inA, inB := d.a.has(s.Name), d.b.has(s.Name)
		switch {
		case inA == inB:
			continue
		case !inA:
			s.Skipped = d.report.A + " does not have this part"
		default:
			s.Skipped = d.report.B + " does not have this part"
		}
		if s.A+s.B > 0 {
			d.report.Complete = false
		}
	}
}

// normalisers decides what is taken for equal on either side.
func (d *comparison) normalisers() {
	fold := d.a.camel != d.b.camel
	d.na = normaliser{fold: fold, served: d.options.Served, hide: d.a.redacted || d.b.redacted}
	d.nb = d.na
	a, b := d.a.identity, d.b.identity
	if d.options.Raw || a == nil || b == nil || !d.options.Revisions && !sameWorkload(a, b) {
		return
	}
	d.na.pod, d.nb.pod = true, true
	d.na.self, d.nb.self, d.report.Normalised = replacers(a, b)
	if d.options.Revisions {
		d.na.revision, d.nb.revision = true, true
		d.report.Normalised = append(d.report.Normalised, revisionNames(a, b, d.na.self, d.nb.self)...)
	}
}

// details compares the elements that differ, A's from a second reading.
func (d *comparison) details(a Side) error {
	if len(d.inA) > 0 {
		_, err := a.read(d.options.Only, func(e element) error {
			if _, differs := d.inA[e.key()]; !differs || d.skipped(e) {
				return nil
			}
			other, inB := d.left[e.key()]
			if !inB {
				return d.one(e, Removed)
			}
			delete(d.left, e.key())
			return d.both(e, other)
		})
		if err != nil {
			return err
		}
	}
	keys := make([]string, 0, len(d.left))
	for key := range d.left {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if e := d.left[key]; !d.skipped(e) {
			if err := d.one(e, Added); err != nil {
				return err
			}
		}
	}
	return nil
}

// skipped says whether an element does not count: its section is on one side
// only, or it is the bootstrap's and compared with that.
func (d *comparison) skipped(e element) bool {
	s, bootstrap := d.report.section(e.section), d.report.section("bootstrap")
	if s == nil || s.Skipped != "" {
		return true
	}
	return !e.served && e.section != "bootstrap" && bootstrap != nil && bootstrap.A > 0 && bootstrap.B > 0
}

// both compares an element that both sides have.
func (d *comparison) both(a, b element) error {
	ta, err := d.tree(&d.na, a)
	if err != nil {
		return unreadable(d.report.A, a, err)
	}
	tb, err := d.tree(&d.nb, b)
	if err != nil {
		return unreadable(d.report.B, b, err)
	}
	c := comparer{section: a.section, object: a.name}
	owner, _ := ownerOfElement(a, ta, tb)
	c.values(place{owner: owner}, ta, tb)
	if len(c.changes) == 0 {
		return nil
	}
	d.report.section(a.section).Changed++
	d.changes = append(d.changes, c.changes...)
	return d.keep(a, ta, tb)
}

// one notes an element that is on one side only.
func (d *comparison) one(e element, action Action) error {
	n, side, count := &d.nb, d.report.B, &d.report.section(e.section).Added
	if action == Removed {
		n, side, count = &d.na, d.report.A, &d.report.section(e.section).Removed
	}
	tree, err := d.tree(n, e)
	if err != nil {
		return unreadable(side, e, err)
	}
	*count++
	owner, _ := ownerOfElement(e, tree, nil)
	d.changes = append(d.changes, Change{
		Section: e.section, Object: e.name, Action: action, What: strings.TrimSuffix(e.section, "s"), owner: owner,
		Text: objectName(e.section, e.name),
	})
	if action == Removed {
		return d.keep(e, tree, nil)
	}
	return d.keep(e, nil, tree)
}

// tree is an element's normalised form. The pod itself is not replaced in
// endpoints: there every pod is one of many.
func (d *comparison) tree(n *normaliser, e element) (any, error) {
	how := *n
	switch {
	case e.section == "endpoints", e.section == "clusters" && strings.HasPrefix(e.name, "outbound"):
		how.self = nil
	}
	how.served = (how.served || how.fold) && e.section == "endpoints"
	tree, err := how.tree(e.config)
	if err != nil {
		return nil, err
	}
	if e.section == "secrets" && e.name == "default" && !d.options.Raw {
		ownCertificate(tree)
	}
	return e.unwrapped(tree), nil
}

// ownerOfElement is the owner of a whole element.
func ownerOfElement(e element, trees ...any) (Owner, bool) {
	for i := len(trees) - 1; i >= 0; i-- {
		if o, ok := ownerIn(trees[i]); ok {
			return o, true
		}
	}
	switch e.section {
	case "clusters", "endpoints":
		return ownerOfCluster(e.name)
	case "secrets":
		if name, ok := strings.CutPrefix(e.name, "kubernetes://"); ok {
			return Owner{"Secret", name}, true
		}
	}
	return Owner{}, false
}

// keep keeps both forms of an element for -o diff.
func (d *comparison) keep(e element, a, b any) error {
	if !d.options.Texts {
		return nil
	}
	t := texts{name: e.section + "/" + e.name}
	for _, side := range []struct {
		tree any
		text *string
	}{{a, &t.a}, {b, &t.b}} {
		if side.tree == nil {
			continue
		}
		text, err := marshal(sorted("", "", side.tree), "  ")
		if err != nil {
			return err
		}
		*side.text = string(text) + "\n"
	}
	d.report.texts = append(d.report.texts, t)
	return nil
}

func unreadable(side string, e element, err error) error {
	return hint.Unanswerablef("take the dump again", "reading %s of %s: %w", objectName(e.section, e.name), side, err)
}
