package diff

import (
	"cmp"
	"slices"
	"strings"
)

// Report is the result of a comparison.
type Report struct {
	// A and B name the two sides.
	A string `json:"a"`
	B string `json:"b"`
	// Same says that nothing differs that was compared.
	Same bool `json:"same"`
	// Complete is false when a section is on one side only, and so was not compared.
	Complete bool `json:"complete"`
	// Normalised is what differs between any two pods and was taken for equal.
	Normalised []Normalised `json:"normalised"`
	Sections   []Section    `json:"sections"`
	// Owners are the differences, by the object that each part comes from.
	Owners []OwnerChanges `json:"owners"`

	texts   []texts
	summary bool
}

// Section is what was compared of one kind.
type Section struct {
	Name string `json:"name"`
	// A and B are how many elements each side has.
	A int `json:"a"`
	B int `json:"b"`
	// Added, Removed and Changed are how many elements differ so, on the way from A to B.
	Added   int `json:"added"`
	Removed int `json:"removed"`
	Changed int `json:"changed"`
	// Skipped is why it was not compared.
	Skipped string `json:"skipped,omitempty"`
}

// Differs says whether any element differs.
func (s Section) Differs() bool { return s.Added+s.Removed+s.Changed > 0 }

// OwnerChanges are the differences in what comes from one object.
type OwnerChanges struct {
	Owner   Owner    `json:"owner"`
	Changes []Change `json:"changes"`
}

// texts are both forms of an element that differs, for -o diff.
type texts struct{ name, a, b string }

// grouped groups changes by their owners; those that no object owns come last.
func grouped(changes []Change) []OwnerChanges {
	at := map[Owner]int{}
	out := []OwnerChanges{}
	for _, c := range changes {
		i, there := at[c.owner]
		if !there {
			i = len(out)
			at[c.owner] = i
			out = append(out, OwnerChanges{Owner: c.owner})
		}
		out[i].Changes = append(out[i].Changes, c)
	}
	order := Sections()
	for _, o := range out {
		slices.SortStableFunc(o.Changes, func(a, b Change) int {
			return cmp.Or(slices.Index(order, a.Section)-slices.Index(order, b.Section), strings.Compare(a.Object, b.Object))
		})
	}
	slices.SortFunc(out, func(a, b OwnerChanges) int {
		if (a.Owner.Kind == "") != (b.Owner.Kind == "") {
			return strings.Compare(b.Owner.Kind, a.Owner.Kind)
		}
		return cmp.Or(strings.Compare(a.Owner.Kind, b.Owner.Kind), strings.Compare(a.Owner.Name, b.Owner.Name))
	})
	return out
}

// section is the section of a name.
func (r *Report) section(name string) *Section {
	i := slices.IndexFunc(r.Sections, func(s Section) bool { return s.Name == name })
	if i < 0 {
		return nil
	}
	return &r.Sections[i]
}
