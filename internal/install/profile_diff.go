package install

import (
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"

	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/output"
)

// ProfileDiff is how the settings of two installs differ.
type ProfileDiff struct {
	From string `json:"from"`
	To   string `json:"to"`
	// Settings are sorted by path.
	Settings []SettingDiff `json:"settings"`

	a, b map[string]any
}

// SettingDiff is a path under spec; a side is absent where nothing stands there.
type SettingDiff struct {
	Path string `json:"path"`
	From any    `json:"from,omitempty"`
	To   any    `json:"to,omitempty"`
}

// DiffDocuments compares two IstioOperator documents, whose names from and to
// are. The name of a profile is no setting.
func DiffDocuments(from, to string, a, b map[string]any) *ProfileDiff {
	d := &ProfileDiff{From: from, To: to, Settings: []SettingDiff{}, a: cloneMap(a), b: cloneMap(b)}
	for _, doc := range []map[string]any{d.a, d.b} {
		delete(lookupMap(doc, "spec"), "profile")
		if meta := lookupMap(doc, "metadata"); meta != nil {
			delete(meta, "name")
		}
	}
	d.compare("", d.a["spec"], d.b["spec"])
	return d
}

func (d *ProfileDiff) compare(at string, a, b any) {
	if am, ok := a.(map[string]any); ok {
		if bm, ok := b.(map[string]any); ok {
			both := maps.Clone(am)
			maps.Copy(both, bm)
			for _, k := range slices.Sorted(maps.Keys(both)) {
				d.compare(join(at, k), am[k], bm[k])
			}
			return
		}
	}
	al, aIsList := a.([]any)
	bl, bIsList := b.([]any)
	switch {
	case aIsList && bIsList && len(al) == len(bl):
		for i := range al {
			d.compare(fmt.Sprintf("%s[%d]", at, i), al[i], bl[i])
		}
	case !reflect.DeepEqual(a, b):
		d.Settings = append(d.Settings, SettingDiff{Path: at, From: a, To: b})
	}
}

// WriteDiff writes the difference of the documents line by line.
func (d *ProfileDiff) WriteDiff(w io.Writer) error {
	a, err := yaml.Marshal(d.a)
	if err != nil {
		return fmt.Errorf("writing %s: %w", d.From, err)
	}
	b, err := yaml.Marshal(d.b)
	if err != nil {
		return fmt.Errorf("writing %s: %w", d.To, err)
	}
	_, err = io.WriteString(w, output.Diff(d.From, d.To, string(a), string(b)))
	return err
}

// DocumentKind is the kind of the difference's JSON and YAML.
func (d *ProfileDiff) DocumentKind() string { return "ProfileDiff" }

// Tables has a line per setting.
func (d *ProfileDiff) Tables(bool) []output.Table {
	t := output.Table{Columns: []string{"SETTING", "FROM", "TO"}, Empty: "no difference"}
	side := func(v any) string {
		if v == nil {
			return "-"
		}
		return inline(v)
	}
	for _, s := range d.Settings {
		t.Rows = append(t.Rows, []string{s.Path, side(s.From), side(s.To)})
	}
	return []output.Table{t}
}
