package analyze

import (
	"encoding/json"
	"errors"
	"fmt"
)

// ReadBaseline reads what is known already: a report that was written as JSON.
func ReadBaseline(text []byte) (Fingerprints, error) {
	var report struct {
		Kind     string     `json:"kind"`
		Findings []*Finding `json:"findings"`
	}
	if err := json.Unmarshal(text, &report); err != nil {
		return nil, fmt.Errorf("it is not JSON: %w", err)
	}
	if report.Kind != (&Report{}).DocumentKind() {
		return nil, errors.New("it is no report of analyze")
	}
	return FingerprintsOf(report.Findings), nil
}

// Without leaves out what is known: those findings are counted, and in no list.
func (r *Report) Without(known Fingerprints) {
	stay := []*Finding{}
	for _, f := range r.kept {
		if known.Take(f) {
			r.Summary.Known++
		} else {
			stay = append(stay, f)
		}
	}
	r.show(stay)
}

// Whole is the report with the findings below the threshold, for a baseline.
func (r *Report) Whole() *Report {
	whole := *r
	whole.threshold = ""
	whole.show(r.kept)
	return &whole
}
