package checks

import (
	"embed"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/analyze"
)

//go:embed catalog/*.tsv
var catalog embed.FS

// PeerCode is a code of istioctl's or Kiali's.
type PeerCode struct {
	Code     string
	Severity string
	// Name is istioctl's name of the code; of Kiali's, the kind of object.
	Name string
	// What is Kiali's condition.
	What string
	// Twin is istioctl's nearest code to one of Kiali's.
	Twin string
	// Unused says why istioctl's analyze does not emit the code: retired,
	// never emitted, never used, precheck; empty when it does.
	Unused string
	// Instead is what we do where we have no check for it.
	Instead string
}

// IstioctlCodes are all codes of istioctl, the retired ones included.
func IstioctlCodes() []PeerCode {
	var codes []PeerCode
	for _, f := range rows("catalog/istioctl.tsv", 5) {
		codes = append(codes, PeerCode{Code: f[0], Name: f[1], Severity: f[2], Unused: f[3], Instead: f[4]})
	}
	return codes
}

// KialiCodes are all codes of Kiali.
func KialiCodes() []PeerCode {
	var codes []PeerCode
	for _, f := range rows("catalog/kiali.tsv", 6) {
		codes = append(codes, PeerCode{Code: f[0], Severity: f[1], Name: f[2], What: f[3], Twin: f[4], Instead: f[5]})
	}
	return codes
}

// rows are the lines of a table with so many fields.
func rows(file string, fields int) [][]string {
	text, err := catalog.ReadFile(file)
	if err != nil {
		return nil
	}
	var all [][]string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		row := strings.Split(line, "\t")
		for len(row) < fields {
			row = append(row, "")
		}
		all = append(all, row)
	}
	return all
}

// Has says whether a word names a check of ours, or "*" all.
func Has(word string) bool {
	_, unknown := analyze.Select(Known(), []string{word}, nil)
	return word == "*" || unknown == ""
}

// Knows says whether a word names a check of ours or a code of istioctl's or Kiali's.
func Knows(word string) bool {
	return Has(word) || slices.ContainsFunc(slices.Concat(IstioctlCodes(), KialiCodes()), func(c PeerCode) bool { return strings.EqualFold(c.Code, word) })
}
