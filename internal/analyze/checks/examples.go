package checks

import (
	"embed"
	"io/fs"
	"path"

	"golang.org/x/tools/txtar"
)

//go:embed */testdata/*/bad.txtar */testdata/*/good.txtar
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
