package analyze

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/meshctl/meshctl/internal/mesh"
	"github.com/meshctl/meshctl/internal/output"
)

// Fix is what the edits of some findings make of the files they stand in.
type Fix struct {
	Files []FixedFile `json:"files"`
	// Mended is the number of findings whose edits are made.
	Mended int `json:"mended"`
	// Refused are findings whose edits overlap with those of another one; a
	// second run may mend them.
	Refused []*Finding `json:"refused"`
}

// FixedFile is one file before and after.
type FixedFile struct {
	File   string `json:"file"`
	Diff   string `json:"diff"`
	Before []byte `json:"-"`
	After  []byte `json:"-"`
}

// Fixable is how many findings have edits.
func (r *Report) Fixable() int {
	n := 0
	for _, f := range r.Findings {
		if len(f.Edits) > 0 {
			n++
		}
	}
	return n
}

// PlanFix works out what the files would be with the findings' edits made. It
// writes nothing; read returns a file as it is now.
func PlanFix(findings []*Finding, read func(file string) ([]byte, error)) (*Fix, error) {
	plan := &Fix{Files: []FixedFile{}, Refused: []*Finding{}}
	texts := map[string][]byte{}
	changes := map[string][]span{}
	for _, f := range findings {
		if len(f.Edits) == 0 {
			continue
		}
		spans, err := spansOf(f.Edits, texts, read)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(spans, func(s span) bool { return slices.ContainsFunc(changes[s.File], s.overlaps) }) {
			plan.Refused = append(plan.Refused, f)
			continue
		}
		for _, s := range spans {
			if !slices.Contains(changes[s.File], s) {
				changes[s.File] = append(changes[s.File], s)
			}
		}
		plan.Mended++
	}
	for _, file := range sortedKeys(changes) {
		before := texts[file]
		after := made(before, changes[file])
		plan.Files = append(plan.Files, FixedFile{File: file, Before: before, After: after, Diff: output.Diff(file, file, string(before), string(after))})
	}
	return plan, nil
}

// span is a change with its place in bytes.
type span struct {
	mesh.Change
	start, end int
}

// overlaps says whether two changes cannot both be made; equal ones can.
func (s span) overlaps(other span) bool {
	if s == other {
		return false
	}
	if s.start == s.end || other.start == other.end {
		return s.start <= other.end && other.start <= s.end
	}
	return s.start < other.end && other.start < s.end
}

func spansOf(edits []mesh.Change, texts map[string][]byte, read func(string) ([]byte, error)) ([]span, error) {
	var spans []span
	for _, e := range edits {
		if _, done := texts[e.File]; !done {
			text, err := read(e.File)
			if err != nil {
				return nil, err
			}
			texts[e.File] = text
		}
		text := texts[e.File]
		start, end := offset(text, e.Line, e.Column), offset(text, e.EndLine, e.EndColumn)
		if start < 0 || end < start || string(text[start:end]) != e.Old {
			return nil, fmt.Errorf("fixing %s: line %d is not what it was when the file was read", e.File, e.Line)
		}
		spans = append(spans, span{e, start, end})
	}
	return spans, nil
}

// offset is the place of a line and column in bytes, -1 when there is no such.
func offset(text []byte, line, column int) int {
	at := 0
	if bytes.HasPrefix(text, []byte("\xef\xbb\xbf")) {
		at = 3
	}
	for range line - 1 {
		next := bytes.IndexByte(text[at:], '\n')
		if next < 0 {
			return -1
		}
		at += next + 1
	}
	for range column - 1 {
		if at >= len(text) {
			return -1
		}
		_, size := utf8.DecodeRune(text[at:])
		at += size
	}
	return at
}

// made is a text with changes that do not overlap.
func made(text []byte, changes []span) []byte {
	slices.SortFunc(changes, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	var out []byte
	at := 0
	for _, c := range changes {
		out = append(append(out, text[at:c.start]...), c.New...)
		at = c.end
	}
	return append(out, text[at:]...)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// DocumentKind is the kind of the plan's JSON and YAML.
func (f *Fix) DocumentKind() string { return "FixPlan" }

// Tables is the plan with a line per file, for -o wide.
func (f *Fix) Tables(bool) []output.Table {
	t := output.Table{Columns: []string{"FILE"}}
	for _, file := range f.Files {
		t.Rows = append(t.Rows, []string{file.File})
	}
	return []output.Table{t}
}

// Text is the plan as a unified diff.
func (f *Fix) Text(paint func(output.Tone, string) string) []string {
	var lines []string
	for _, file := range f.Files {
		for _, line := range strings.Split(strings.TrimSuffix(file.Diff, "\n"), "\n") {
			switch {
			case strings.HasPrefix(line, "+"):
				line = paint(output.Good, line)
			case strings.HasPrefix(line, "-"):
				line = paint(output.Bad, line)
			}
			lines = append(lines, line)
		}
	}
	return lines
}
