package analyze

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
)

// Fingerprint says which defect a finding is, in a form that stays the same
// when the object gets another line, list index or version, moves to another
// file or cluster, or when the check becomes milder. It rests on the code, the
// object's name, the field and the message. Two equal defects of one object,
// such as the same unknown host in two routes, have the same fingerprint:
// compare with [Fingerprints], which counts.
func (f *Finding) Fingerprint() string {
	group, _, found := strings.Cut(f.Object.APIVersion, "/")
	if !found {
		group = ""
	}
	sum := sha256.New()
	for _, part := range []string{
		f.Code, group, f.Object.Kind, f.Object.Namespace, f.Object.Name, withoutIndices(f.Field), strings.Join(strings.Fields(withoutIndices(f.Message)), " "),
	} {
		sum.Write([]byte(part))
		sum.Write([]byte{0})
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

var listIndex = regexp.MustCompile(`\[\d+\]`)

func withoutIndices(s string) string { return listIndex.ReplaceAllString(s, "[]") }

// Fingerprints counts findings that are known, by their fingerprint.
type Fingerprints map[string]int

// FingerprintsOf are those of some findings.
func FingerprintsOf(findings []*Finding) Fingerprints {
	known := Fingerprints{}
	for _, f := range findings {
		known[f.Fingerprint()]++
	}
	return known
}

// Take says whether a finding is among them, and takes it away: a defect that
// is known once and found twice is new once.
func (k Fingerprints) Take(f *Finding) bool {
	id := f.Fingerprint()
	if k[id] == 0 {
		return false
	}
	k[id]--
	return true
}

// Left is how many have not been taken: what is known and not found any more.
func (k Fingerprints) Left() int {
	n := 0
	for _, count := range k {
		n += count
	}
	return n
}
