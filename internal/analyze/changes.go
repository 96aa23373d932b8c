package analyze

// Change is what files that are laid over a cluster do to a finding.
type Change string

// The changes.
const (
	New       Change = "new"       // the files bring it
	Unchanged Change = "unchanged" // the cluster has it with and without the files
	Fixed     Change = "fixed"     // the cluster has it, with the files it would not
)

// Changes makes the report one of what files change: before is the report of
// the cluster without them. Findings that the files bring stay, marked new;
// those that were there before are counted and, unless all is set, go; those
// that the files would mend are listed apart. Findings are the same when their
// fingerprints are.
func (r *Report) Changes(before *Report, all bool) {
	known := FingerprintsOf(before.found)
	var stay []*Finding
	for _, f := range r.found {
		f.Change = New
		if known.Take(f) {
			f.Change = Unchanged
			r.Summary.Unchanged++
		}
		if all || f.Change == New {
			stay = append(stay, f)
		}
	}
	for _, f := range before.found {
		// What is still known was taken by no finding.
		if known.Take(f) {
			f.Change = Fixed
			r.Fixed = append(r.Fixed, f)
		}
	}
	r.Summary.Fixed = len(r.Fixed)
	r.show(stay)
}
