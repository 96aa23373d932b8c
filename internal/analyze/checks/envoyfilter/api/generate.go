//go:build ignore

// Command generate writes lacking.txt: which messages and fields of Envoy's API
// each release lacks that a later one has. It reads the generated Go code of
// the modules that go-control-plane tags for each release.
package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"log"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// api is what one release has: message, then field.
type api map[string]map[string]bool

func main() {
	log.SetFlags(0)
	// The module v1.32.4 was made of Envoy's main branch on 2025-02-03, after the
	// release of Envoy 1.33: what it lacks, 1.33 lacks.
	releases := []struct{ envoy, module string }{
		{"1.33", "v1.32.4"}, {"1.35", "v1.35.0"}, {"1.36", "v1.36.0"}, {"1.37", "v1.37.0"},
		{"1.38", "v1.38.0"}, {"1.39", "v1.39.0"}, {"1.40", "v1.40.0"},
	}
	var apis []api
	for _, r := range releases {
		apis = append(apis, read(download(r.module)))
	}
	var out strings.Builder
	out.WriteString("# Written by generate.go from github.com/envoyproxy/go-control-plane/envoy; do not edit.\n" +
		"# Below each release: what it and all before it lack, and the next of this list has.\n")
	for i := range len(apis) - 1 {
		fmt.Fprintf(&out, "%s\n", releases[i].envoy)
		for _, line := range missing(apis[:i+1], apis[i+1]) {
			fmt.Fprintf(&out, "\t%s\n", line)
		}
	}
	if err := os.WriteFile("lacking.txt", []byte(out.String()), 0o644); err != nil {
		log.Fatal(err)
	}
}

// missing is what none of the older has.
func missing(older []api, newer api) []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(newer)) {
		known, fields := false, []string(nil)
		for _, field := range slices.Sorted(maps.Keys(newer[name])) {
			if !slices.ContainsFunc(older, func(a api) bool { return a[name][field] }) {
				fields = append(fields, field)
			}
		}
		for _, a := range older {
			_, has := a[name]
			known = known || has
		}
		switch {
		case !known:
			lines = append(lines, name)
		case len(fields) > 0:
			lines = append(lines, name+" "+strings.Join(fields, " "))
		}
	}
	return lines
}

func download(version string) string {
	out, err := exec.Command("go", "mod", "download", "-json", "github.com/envoyproxy/go-control-plane/envoy@"+version).Output()
	if err != nil {
		log.Fatalf("downloading %s: %v", version, err)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		log.Fatal(err)
	}
	return module.Dir
}

var (
	messages = regexp.MustCompile(`(?s)\ntype (\w+) struct \{\n\tstate +protoimpl\.MessageState(.*?)\n\}\n`)
	wrappers = regexp.MustCompile(`(?s)\ntype (\w+) struct \{\n([^}]*?protobuf:"[^"]*,oneof"[^}]*?)\n\}\n`)
	field    = regexp.MustCompile(`protobuf:"[^"]*\bname=(\w+)`)
)

// read reads the API of a module: Outer_Inner is what Go calls Outer.Inner.
func read(dir string) api {
	a := api{}
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".pb.go") || strings.HasSuffix(path, "_vtproto.pb.go") || strings.HasSuffix(path, "_grpc.pb.go") {
			return err
		}
		folder, err := filepath.Rel(dir, filepath.Dir(path))
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		a.add("envoy."+strings.ReplaceAll(folder, "/", ".")+".", string(text))
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	return a
}

func (a api) add(pkg, text string) {
	fields := map[string][]string{}
	for _, m := range messages.FindAllStringSubmatch(text, -1) {
		fields[m[1]] = names(m[2])
	}
	for _, w := range wrappers.FindAllStringSubmatch(text, -1) {
		if _, is := fields[w[1]]; is {
			continue
		}
		owner := w[1] // Message_Field, with the longest message there is
		for fields[owner] == nil && strings.Contains(owner, "_") {
			owner = owner[:strings.LastIndexByte(owner, '_')]
		}
		fields[owner] = append(fields[owner], names(w[2])...)
	}
	for name, list := range fields {
		full := pkg + strings.ReplaceAll(name, "_", ".")
		if a[full] == nil {
			a[full] = map[string]bool{}
		}
		for _, f := range list {
			a[full][f] = true
		}
	}
}

func names(text string) []string {
	found := []string{}
	for _, m := range field.FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	return found
}
