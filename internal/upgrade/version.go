package upgrade

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// Version is a version of Istio, compared as a version: 1.30.10 comes after 1.30.9.
type Version struct {
	text string
	v    *semver.Version
}

// variants are the suffixes of image tags that name the image's make, not its version.
var variants = []string{"-distroless", "-debug", "-fips"}

// preReleases begin the suffix of what comes before a release. Other suffixes
// are a vendor's, whose 1.28.1-solo is 1.28.1.
var preReleases = []string{"alpha", "beta", "rc", "dev", "pre"}

// ParseVersion reads a version or the tag of an Istio image: 1.30.10, v1.31,
// 1.30.2-distroless, 1.31.0-rc.1.
func ParseVersion(text string) (Version, error) {
	bare := text
	for _, variant := range variants {
		bare = strings.TrimSuffix(bare, variant)
	}
	v, err := semver.NewVersion(bare)
	if err != nil || v.Major() == 0 || !strings.Contains(bare, ".") {
		return Version{}, fmt.Errorf("%q is not a version such as 1.30.2", text)
	}
	pre := v.Prerelease()
	if !slices.ContainsFunc(preReleases, func(word string) bool { return strings.HasPrefix(pre, word) }) {
		pre = ""
	}
	v = semver.New(v.Major(), v.Minor(), v.Patch(), pre, "")
	return Version{text: v.String(), v: v}, nil
}

// String is the version without what the image's variant added.
func (v Version) String() string { return v.text }

// MarshalText is the version's text; empty for none.
func (v Version) MarshalText() ([]byte, error) { return []byte(v.text), nil }

// IsZero says whether v is no version at all.
func (v Version) IsZero() bool { return v.v == nil }

// Compare is negative when v comes before other.
func (v Version) Compare(other Version) int {
	switch {
	case v.v == nil && other.v == nil:
		return 0
	case v.v == nil:
		return -1
	case other.v == nil:
		return 1
	}
	return v.v.Compare(other.v)
}

// release is v without its pre-release: what a candidate will be.
func (v Version) release() Version {
	r := semver.New(v.v.Major(), v.v.Minor(), v.v.Patch(), "", "")
	return Version{text: r.String(), v: r}
}

// Minor is the version's minor release, such as 1.30.
func (v Version) Minor() string {
	if v.v == nil {
		return ""
	}
	return fmt.Sprintf("%d.%d", v.v.Major(), v.v.Minor())
}

// minorsTo counts the minor releases from v up to other; negative is a way down.
func (v Version) minorsTo(other Version) int {
	return int(other.v.Minor()) - int(v.v.Minor()) //nolint:gosec // minors are small
}

// plusMinors is the minor release n after v.
func (v Version) plusMinors(n int) string {
	return strconv.FormatUint(v.v.Major(), 10) + "." + strconv.Itoa(int(v.v.Minor())+n) //nolint:gosec // minors are small
}

// revision is how a revision for v is usually named: 1-31-1.
func (v Version) revision() string {
	return strings.ReplaceAll(v.release().text, ".", "-")
}
