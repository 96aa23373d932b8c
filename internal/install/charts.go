package install

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/profiles"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"istio.io/istio/manifests"
	"sigs.k8s.io/yaml"
)

// chartSource is where charts and profiles are read from.
type chartSource struct {
	fsys fs.FS
	// custom is whether the user named a directory, which may have profiles of its own.
	custom bool
}

// newChartSource reads from dir, or from what is in the binary when dir is "".
func newChartSource(dir string) (*chartSource, error) {
	if dir == "" {
		return &chartSource{fsys: manifests.FS}, nil
	}
	fsys := os.DirFS(dir)
	if info, err := fs.Stat(fsys, "charts"); err != nil || !info.IsDir() {
		return nil, hint.Usagef("name the manifests directory of an Istio release",
			"reading manifests: there is no directory charts in %s", dir)
	}
	return &chartSource{fsys: fsys, custom: true}, nil
}

// profile is the document of one profile.
func (c *chartSource) profile(name string) ([]byte, error) {
	if c.custom && fs.ValidPath(name) {
		if data, err := fs.ReadFile(c.fsys, "profiles/"+name+".yaml"); err == nil {
			return data, nil
		}
	}
	return profiles.Read(name)
}

// profileNames are the profiles that there are, sorted.
func (c *chartSource) profileNames() []string {
	names := profiles.List()
	if c.custom {
		files, err := fs.Glob(c.fsys, "profiles/*.yaml")
		if err != nil {
			return names // only a malformed pattern fails
		}
		for _, f := range files {
			names = append(names, strings.TrimSuffix(path.Base(f), ".yaml"))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// load reads the chart in a directory below charts/, without what only people read.
func (c *chartSource) load(dir string) (*chart.Chart, error) {
	root := path.Join("charts", dir)
	var files []*archive.BufferedFile
	err := fs.WalkDir(c.fsys, root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(p) == ".md" {
			return err
		}
		data, err := fs.ReadFile(c.fsys, p)
		files = append(files, &archive.BufferedFile{Name: strings.TrimPrefix(p, root+"/"), Data: data})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading chart %s: %w", dir, err)
	}
	ch, err := loader.LoadFiles(files)
	if err != nil {
		return nil, fmt.Errorf("loading chart %s: %w", dir, err)
	}
	return ch, nil
}

// defaults are the default values of the chart in a directory, nil if it has
// none. Istio's charts keep them below a key of their own.
func (c *chartSource) defaults(dir string) map[string]any {
	data, err := fs.ReadFile(c.fsys, path.Join("charts", dir, "values.yaml"))
	if err != nil {
		return nil
	}
	var m map[string]any
	if err := yaml.Unmarshal(data, &m); err != nil {
		return nil
	}
	if inner := lookupMap(m, "_internal_defaults_do_not_set"); inner != nil {
		return inner
	}
	return m
}

// variants are the names that a value such as platform may have: the charts keep
// a file for each, whose name starts with prefix.
func (c *chartSource) variants(prefix string) []string {
	files, err := fs.Glob(c.fsys, "charts/"+dirDiscovery+"/files/"+prefix+"*.yaml")
	if err != nil {
		return nil // only a malformed pattern fails
	}
	names := []string{}
	for _, f := range files {
		names = append(names, strings.TrimSuffix(strings.TrimPrefix(path.Base(f), prefix), ".yaml"))
	}
	return names
}
