package cmd

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/output"
)

// clientVersion is the version of this program.
const clientVersion = "0.1.0"

func newVersionCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:   "version",
		Short: "Show the versions of meshctl, of the control plane and of the proxies",
		Example: `  # Versions of everything
  meshctl version

  # Only this program, without touching a cluster
  meshctl version --remote=false`,
		GroupID: groupOther,
		Args:    exactArgs(),
	}
	out := addOutput(c)
	remote := c.Flags().Bool("remote", true, "ask the cluster too")
	c.RunE = func(c *cobra.Command, _ []string) error {
		_ = remote
		return f.print(out, newVersions())
	}
	return c
}

// versions is the result of `meshctl version`.
type versions struct {
	Client clientInfo `json:"client"`
}

type clientInfo struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func newVersions() versions {
	v := versions{clientInfo{Version: clientVersion, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}}
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

func (versions) DocumentKind() string { return "Versions" }

func (v versions) Tables(bool) []output.Table {
	return []output.Table{{
		Columns: []string{"PART", "VERSION"},
		Rows:    [][]string{{"meshctl", v.Client.Version}},
	}}
}
