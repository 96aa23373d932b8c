package cmd

import (
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

// clientVersion is the version of this program.
const clientVersion = "0.1.0"

// versions is the result of `meshctl version`.
type versions struct {
	Client clientInfo `json:"client"`
	// ControlPlane has one entry per istiod, DataPlane one per version.
	ControlPlane []controlPlaneVersion `json:"controlPlane"`
	DataPlane    []dataPlaneVersion    `json:"dataPlane"`

	asked bool
}

type clientInfo struct {
	Version string `json:"version"`
	// Istio is the version of Istio that `meshctl install` installs.
	Istio    string `json:"istio"`
	Commit   string `json:"commit,omitempty"`
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

type controlPlaneVersion struct {
	Istiod   string `json:"istiod"`
	Revision string `json:"revision"`
	Version  string `json:"version,omitempty"`
	// Build is what istiod says of itself, commit included.
	Build string `json:"build,omitempty"`
	Error string `json:"error,omitempty"`
}

type dataPlaneVersion struct {
	Version string `json:"version"`
	Proxies int    `json:"proxies"`
}

func newVersions(client, istio string) *versions {
	v := &versions{
		Client:       clientInfo{Version: client, Istio: istio, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH},
		ControlPlane: []controlPlaneVersion{}, DataPlane: []dataPlaneVersion{},
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				v.Client.Commit = s.Value
			case "vcs.modified":
				v.Client.Modified = s.Value == "true"
			}
		}
	}
	return v
}

func (v *versions) add(istiods []controlPlaneVersion, report *proxyconfig.SyncReport) {
	v.asked = true
	v.ControlPlane = append(v.ControlPlane, istiods...)
	v.DataPlane = proxyCounts(report)
}

// DocumentKind is the kind of the JSON document.
func (*versions) DocumentKind() string { return "Versions" }

// Tables are the versions part by part; wide has one row per istiod.
func (v *versions) Tables(wide bool) []output.Table {
	t := output.Table{Columns: []string{"PART", "VERSION"}, Rows: [][]string{{"meshctl", v.Client.Version + " (installs Istio " + v.Client.Istio + ")"}}}
	if !v.asked {
		return []output.Table{t}
	}
	var control, data []string
	for _, c := range v.ControlPlane {
		version := c.Version
		if c.Error != "" {
			version = "unknown"
		}
		if wide {
			t.Rows = append(t.Rows, []string{"istiod " + c.Istiod, version})
		} else if !slices.Contains(control, version) {
			control = append(control, version)
		}
	}
	if !wide {
		t.Rows = append(t.Rows, []string{"control plane", strings.Join(control, ", ")})
	}
	for _, d := range v.DataPlane {
		data = append(data, d.String())
	}
	if len(data) == 0 {
		data = []string{"none"}
	}
	t.Rows = append(t.Rows, []string{"data plane", strings.Join(data, ", ")})
	return []output.Table{t}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
