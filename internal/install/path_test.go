package install

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParsePath(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a.b.c":                 "a|b|c",
		"a[0].b":                "a|[0]|b",
		"a.[0].b":               "a|[0]|b",
		"a[-1]":                 "a|[-1]",
		"a[name:x].b":           "a|[name:x]|b",
		"a.[name:x.y].b":        "a|[name:x.y]|b",
		"a.[:--flag=1.5].b":     "a|[:--flag=1.5]|b",
		`a.b\.c/d.e`:            "a|b.c/d|e",
		`a.b\[c`:                "a|b[c",
		"a[0][1]":               "a|[0]|[1]",
		".a.b.":                 "a|b",
		"a[x]":                  "a|[:x]",
		`a[image:x\.y/z:1.2].b`: "a|[image:x.y/z:1.2]|b",
	} {
		steps, err := parsePath(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		var got []string
		for _, s := range steps {
			got = append(got, s.String())
		}
		if g := strings.Join(got, "|"); g != want {
			t.Errorf("%s = %s, want %s", in, g, want)
		}
	}
	for _, bad := range []string{"", ".", "a[0", "a[]", "a[:]", "a[-2]"} {
		if steps, err := parsePath(bad); err == nil {
			t.Errorf("%q = %v, want an error", bad, steps)
		}
	}
}

func TestSetAt(t *testing.T) {
	t.Parallel()
	tree := func() map[string]any {
		return map[string]any{"list": []any{
			map[string]any{"name": "a", "v": int64(1)}, map[string]any{"name": "b"}, "--arg=1",
		}, "scalar": "x"}
	}
	for _, tt := range []struct {
		path string
		want any // what stands at path's first key afterwards; nil: an error
	}{
		{"new.deep", map[string]any{"deep": "!"}},
		{"new[0].x", []any{map[string]any{"x": "!"}}},
		{"list[name:b].v", []any{map[string]any{"name": "a", "v": int64(1)}, map[string]any{"name": "b", "v": "!"}, "--arg=1"}},
		{"list[0].v", []any{map[string]any{"name": "a", "v": "!"}, map[string]any{"name": "b"}, "--arg=1"}},
		{"list[9]", []any{map[string]any{"name": "a", "v": int64(1)}, map[string]any{"name": "b"}, "--arg=1", "!"}},
		{"list[-1]", []any{map[string]any{"name": "a", "v": int64(1)}, map[string]any{"name": "b"}, "--arg=1", "!"}},
		{"list[:--arg=1]", []any{map[string]any{"name": "a", "v": int64(1)}, map[string]any{"name": "b"}, "!"}},
		{"list[:--ar.*]", []any{map[string]any{"name": "a", "v": int64(1)}, map[string]any{"name": "b"}, "!"}},
		{"list[--arg]", []any{map[string]any{"name": "a", "v": int64(1)}, map[string]any{"name": "b"}, "!"}},
		{"list[name:zz].v", nil},
		{"scalar.below", nil},
		{"scalar[0]", nil},
		{"list.key", nil},
	} {
		steps, err := parsePath(tt.path)
		if err != nil {
			t.Fatal(err)
		}
		got := tree()
		if _, err := setAt(got, steps, "!"); (err == nil) != (tt.want != nil) {
			t.Errorf("%s: error = %v", tt.path, err)
		}
		if d := cmp.Diff(tt.want, got[steps[0].key]); tt.want != nil && d != "" {
			t.Errorf("%s: -want +got\n%s", tt.path, d)
		}
	}
}

func TestRemoveAt(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]any{
		"a.b":          map[string]any{"a": map[string]any{}, "l": []any{"x", "y"}},
		"l[0]":         map[string]any{"a": map[string]any{"b": "1"}, "l": []any{"y"}},
		"l[:y]":        map[string]any{"a": map[string]any{"b": "1"}, "l": []any{"x"}},
		"a.none.there": map[string]any{"a": map[string]any{"b": "1"}, "l": []any{"x", "y"}},
	} {
		steps, err := parsePath(path)
		if err != nil {
			t.Fatal(err)
		}
		tree := map[string]any{"a": map[string]any{"b": "1"}, "l": []any{"x", "y"}}
		if _, err := removeAt(tree, steps); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if d := cmp.Diff(want, any(tree)); d != "" {
			t.Errorf("%s: -want +got\n%s", path, d)
		}
	}
}
