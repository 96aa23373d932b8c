package cmd

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/meshctl/meshctl/internal/ui"
)

// testdata/secrets.json has a secret, S3CR3T with a number, in every place of a
// dump where one may stand.
func TestNoSecretGetsOut(t *testing.T) {
	t.Parallel()
	dump, err := os.ReadFile("testdata/secrets.json")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name string, text []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	envoy := file("envoy.json", dump)
	camel := file("istiod.json", camelKeys(dump))
	other := file("other.json", regexp.MustCompile(`S3CR3T`).ReplaceAll(dump, []byte("XS3CR3TX")))
	var lines [][]string
	for _, path := range []string{envoy, camel} {
		for _, sub := range []string{"all", "bootstrap", "cluster", "listener", "route", "endpoint", "eds", "secret", "ecds"} {
			lines = append(lines, []string{"proxy-config", sub, "-f", path})
		}
		lines = append(lines,
			[]string{"proxy-config", "route", "-f", path, "-f", other},
			[]string{"proxy-config", "listener", "--waypoint", "-f", path},
			[]string{"routes", "-f", path},
			[]string{"proxy-config", "diff", path, other},
			[]string{"trace", "-f", path, "--", "GET", "http://shop.example.com/a"},
			[]string{"trace", "-f", path, "--", "GET", "http://shop.example.com/b"},
		)
	}
	for _, line := range lines {
		for _, format := range []string{"table", "wide", "json", "yaml"} {
			args := append([]string{line[0], "-o", format}, line[1:]...)
			if line[0] == "proxy-config" {
				args = append([]string{line[0], line[1], "-o", format}, line[2:]...)
			}
			got := runHere(t, args)
			if out := regexp.MustCompile(`S3CR3T.{0,3}`).FindAllString(got, -1); len(out) > 0 {
				t.Errorf("%s: %s", strings.Join(args, " "), out)
			}
			if len(got) < 20 {
				t.Errorf("%s says nothing: %q", strings.Join(args, " "), got)
			}
		}
	}
	// What is public stays.
	for sub, public := range map[string]string{"route": "plain-value", "listener": "public-modulus", "bootstrap": "istiod:15012", "cluster": "/health"} {
		if got := runHere(t, []string{"proxy-config", sub, "-o", "json", "-f", envoy}); !strings.Contains(got, public) {
			t.Errorf("%s: %s is hidden:\n%s", sub, public, got)
		}
	}
}

// runHere runs a command line in this process, and returns all that it says.
func runHere(t *testing.T, args []string) string {
	t.Helper()
	var out bytes.Buffer
	root := newRootCmd(newFactory(&ui.IO{In: strings.NewReader(""), Out: &out, Err: &out}))
	root.SetArgs(args)
	root.SetOut(&out)
	root.SetErr(&out)
	if err := root.ExecuteContext(context.WithValue(t.Context(), argsKey{}, args)); err != nil {
		out.WriteString("error: " + err.Error())
	}
	return out.String()
}

// camelKeys spells the members of a dump as istiod does, but for those with
// capitals, which are none of Envoy's.
func camelKeys(text []byte) []byte {
	return regexp.MustCompile(`"([a-z@]+(?:_[a-z0-9]+)+)":`).ReplaceAllFunc(text, func(key []byte) []byte {
		return regexp.MustCompile(`_.`).ReplaceAllFunc(key, func(b []byte) []byte { return bytes.ToUpper(b[1:]) })
	})
}
