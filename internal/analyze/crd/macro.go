package crd

import (
	"slices"

	"github.com/google/cel-go/common/ast"
)

// macro is a term about all items of a list, or keys of a map.
func (r *reader) macro(name string, over ast.Expr, variable string, about ast.Expr) term {
	list := r.read(over)
	slot := len(r.names)
	if slot >= len(frame{}.vars) || slices.Contains(r.names, variable) || !slices.Contains([]string{"all", "exists", "exists_one", "filter"}, name) {
		return constant(nil)
	}
	r.names = append(r.names, variable)
	judge := r.read(about)
	r.names = r.names[:slot]
	return func(f *frame) value {
		kept, total, sure := pick(f, list(f), slot, judge, name == "filter")
		switch {
		case !sure:
			return value{}
		case name == "all":
			return value{of: kept.count == total}
		case name == "exists":
			return value{of: kept.count > 0}
		case name == "exists_one":
			return value{of: kept.count == 1}
		}
		return value{of: kept.items, level: kept.level}
	}
}

// picked are the items of which a term is true.
type picked struct {
	value
	items []any
	count int
}

// pick looks at all items; sure is false when one of them is not known.
func pick(f *frame, list value, slot int, judge term, keep bool) (kept picked, total int, sure bool) {
	kept.level = list.level
	look := func(item value) bool {
		f.vars[slot] = item
		f.steps++
		switch judge(f).of {
		case true:
			kept.count++
			if keep {
				kept.items = append(kept.items, item.of)
			}
			return true
		case false:
			return true
		}
		return false
	}
	switch v := list.of.(type) {
	case []any:
		if len(v) == 0 {
			return kept, 0, true
		}
		if list.level == nil || list.level.items == nil || list.level.items.opaque {
			return kept, 0, false
		}
		for _, item := range v {
			if item == nil || f.steps > mostSteps || !look(value{item, list.level.items}) {
				return kept, 0, false
			}
		}
		return kept, len(v), true
	case map[string]any:
		if keep {
			return kept, 0, false
		}
		for key := range v {
			if f.steps > mostSteps || !look(value{of: key}) {
				return kept, 0, false
			}
		}
		return kept, len(v), true
	}
	return kept, 0, false
}
