package analyze

import (
	"slices"
	"strings"
)

// CantTell is how many things could not be judged.
func (r *Report) CantTell() int {
	n := 0
	for _, u := range r.Undecided {
		n += u.Count
	}
	return n
}

// Unknown is what the input would have to hold to judge them, such as
// "Service of shop, Gateway of istio-system": the first few.
func (r *Report) Unknown() string {
	const few = 4
	var names []string
	for _, u := range r.Undecided {
		name := u.Kind
		if u.Namespace != "" {
			name += " of namespace " + u.Namespace
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) > few {
		names = append(names[:few], "...")
	}
	return strings.Join(names, ", ")
}
