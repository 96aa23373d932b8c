package checks

import (
	"embed"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/txtar"
)

//go:embed */testdata/*/*.txtar
var cases embed.FS

// Example is a case of a check's tests.
type Example struct {
	// About is what the example shows; may be empty.
	About string
	// Files are its files, in order; Want is what the check reports.
	Files []txtar.File
	Want  string
}

// Examples are the bad and the good example of a check; ok is false when it has none.
func Examples(check string) (bad, good Example, ok bool) {
	bad, okBad := example(check, "bad")
	good, okGood := example(check, "good")
	return bad, good, okBad && okGood
}

// Issues are the public issues that a check's cases name, by address.
func Issues(check string) []string {
	files, err := fs.Glob(cases, path.Join("*", "testdata", check, "*.txtar"))
	if err != nil {
		return nil
	}
	found := []string{}
	for _, file := range files {
		text, err := cases.ReadFile(file)
		if err != nil {
			continue
		}
		comment := string(txtar.Parse(text).Comment)
		for _, m := range issue.FindAllStringSubmatch(comment, -1) {
			address := "https://github.com/istio/istio/issues/" + m[1]
			if !slices.Contains(found, address) && !strings.HasPrefix(m[1], "150") {
				found = append(found, address) // 150xx are ports
			}
		}
	}
	slices.Sort(found)
	return found
}

// issue is how a case's comment names a public issue of Istio.
var issue = regexp.MustCompile(`(?:#|[Ii]ssues?[ /]#?|\()(\d{5})\b`)

func example(check, name string) (Example, bool) {
	found, err := fs.Glob(cases, path.Join("*", "testdata", check, name+".txtar"))
	if err != nil || len(found) == 0 {
		return Example{}, false
	}
	text, err := cases.ReadFile(found[0])
	if err != nil {
		return Example{}, false
	}
	archive := txtar.Parse(text)
	e := Example{About: string(archive.Comment)}
	for _, f := range archive.Files {
		if f.Name == "want" {
			e.Want = string(f.Data)
		} else {
			e.Files = append(e.Files, f)
		}
	}
	return e, true
}
