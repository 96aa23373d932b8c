// Package profiles has what each install profile is made of, as data.
//
// A profile is an IstioOperator document laid over default.yaml. One key is
// ours: spec.addons says which add-ons come with it. The manifests of the
// add-ons are under addons/.
package profiles

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// FS holds the profiles at its root and the add-ons under addons/.
//
//go:embed *.yaml addons/*.yaml
var FS embed.FS

// Default is the profile that is used when none is named, and the ground under all others.
const Default = "default"

// List is the name of every profile, sorted; aliases are not in it.
func List() []string {
	files, err := fs.Glob(FS, "*.yaml")
	if err != nil {
		return nil // only a malformed pattern fails
	}
	names := make([]string, 0, len(files))
	for _, f := range files {
		names = append(names, strings.TrimSuffix(path.Base(f), ".yaml"))
	}
	slices.Sort(names) // files are sorted with their ending, which puts a-b before a
	return names
}

// Canonical is the name of the profile that name stands for: itself, unless it is an alias.
func Canonical(name string) string {
	if name == "external" {
		return "remote"
	}
	return name
}

// Read is the document of one profile, without default.yaml under it.
func Read(name string) ([]byte, error) {
	b, err := FS.ReadFile(Canonical(name) + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("reading profile %q: %w", name, fs.ErrNotExist)
	}
	return b, nil
}
