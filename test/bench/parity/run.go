package parity

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Tools are the two programs, and the images that the peer, which is built
// without a release's name, must be told.
type Tools struct {
	Meshctl, Istioctl string
	hub, tag          string
}

// NewTools asks meshctl for its images. The paths are those of the binaries.
func NewTools(ctx context.Context, meshctl, istioctl string) (Tools, error) {
	t := Tools{Meshctl: meshctl, Istioctl: istioctl}
	out, err := generate(ctx, meshctl, "--set", "profile=minimal")
	if err != nil {
		return t, err
	}
	m := regexp.MustCompile(`image: "?([^"\s]+)/pilot:([^"\s]+)`).FindSubmatch(out)
	if m == nil {
		return t, fmt.Errorf("finding istiod's image in the output of %s: there is none", meshctl)
	}
	t.hub, t.tag = string(m[1]), string(m[2])
	return t, nil
}

// Row is the outcome of one case.
type Row struct {
	Case      Case
	Result    Result
	Accepted  []Difference // on the list of accepted differences
	Open      []Difference // not on it
	SameOrder bool
}

// Run renders the case with both tools, in a folder that has testdata, and compares.
func (t Tools) Run(ctx context.Context, c Case) (Row, error) {
	row := Row{Case: c}
	args, remove, err := c.files()
	if err != nil {
		return row, err
	}
	defer remove()
	c.Args = args
	peerArgs := append([]string{"--set", "hub=" + t.hub, "--set", "tag=" + t.tag}, c.Args...)
	load := func(tool string, args ...string) ([]Object, error) {
		out, err := generate(ctx, tool, args...)
		if err != nil {
			return nil, err
		}
		return Load(out)
	}
	ours, err := load(t.Meshctl, c.Args...)
	if err != nil {
		return row, err
	}
	peer, err := load(t.Istioctl, append(peerArgs, c.PeerArgs...)...)
	if err != nil {
		return row, err
	}
	row.SameOrder = SameOrder(ours, peer)
	row.Result = Compare(ours, peer)
	for _, d := range row.Result.Differences {
		if accepted(d) {
			row.Accepted = append(row.Accepted, d)
		} else {
			row.Open = append(row.Open, d)
		}
	}
	return row, nil
}

// Refusals are what the two tools say against a case, "" when they take it.
func (t Tools) Refusals(ctx context.Context, c Case) (ours, peer string, err error) {
	args, remove, err := c.files()
	if err != nil {
		return "", "", err
	}
	defer remove()
	if _, err := generate(ctx, t.Meshctl, args...); err != nil {
		ours = err.Error()
	}
	if _, err := generate(ctx, t.Istioctl, append(args, c.PeerArgs...)...); err != nil {
		peer = err.Error()
	}
	return ours, peer, nil
}

// files writes the case's files; args are all arguments, remove ends the files.
func (c Case) files() (args []string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "parity-")
	if err != nil {
		return nil, nil, fmt.Errorf("making a folder for the files: %w", err)
	}
	args = slices.Clone(c.Args)
	for i, spec := range c.Files {
		name := filepath.Join(dir, fmt.Sprintf("%d.yaml", i))
		if err := os.WriteFile(name, []byte(document(spec)), 0o600); err != nil {
			return nil, nil, fmt.Errorf("writing a file of the case: %w", err)
		}
		args = append(args, "-f", name)
	}
	return args, func() { _ = os.RemoveAll(dir) }, nil
}

// document is the IstioOperator document with this spec.
func document(spec string) string {
	return "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec:\n  " +
		strings.ReplaceAll(strings.TrimSpace(spec), "\n", "\n  ") + "\n"
}

func accepted(d Difference) bool {
	for _, a := range AcceptedDifferences() {
		if strings.Contains(d.ID, " "+a.Kind+" ") && d.Path == a.Path && d.Ours == a.Ours && d.Peer == a.Peer {
			return true
		}
	}
	return false
}

func generate(ctx context.Context, tool string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, tool, append([]string{"manifest", "generate"}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	// Each lives for a moment: collecting garbage would be half of their work.
	cmd.Env = append(os.Environ(), "GOGC=off", "GOMEMLIMIT=1GiB")
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("running %s: %w: %s", strings.Join(cmd.Args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.Bytes(), nil
}

// Table is the rows for people to read.
func Table(rows []Row) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-36s%9s%9s%9s%11s%10s\n", "RENDERING", "MESHCTL", "ISTIOCTL", "EQUAL", "DIFFERING", "ACCEPTED")
	for _, r := range rows {
		fmt.Fprintf(&b, "%-36s%9d%9d%9d%11d%10d\n", r.Case.Name, r.Result.Ours, r.Result.Peer, r.Result.Equal, len(r.Open), len(r.Accepted))
	}
	return b.String()
}
