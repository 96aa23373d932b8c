package crd

import (
	"math"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/cel-go/common/operators"
)

// unary are CEL's functions of one value. nil is unknown, in all of them.
var unary = map[string]func(any) any{
	operators.LogicalNot: func(a any) any {
		if b, ok := a.(bool); ok {
			return !b
		}
		return nil
	},
	"size":     size,
	"duration": duration,
}

// binary are CEL's functions of two values, neither unknown.
var binary = map[string]func(a, b any) any{
	operators.Equals:        equal,
	operators.NotEquals:     func(a, b any) any { return not(equal(a, b)) },
	operators.Less:          func(a, b any) any { return compared(a, b, func(c int) bool { return c < 0 }) },
	operators.LessEquals:    func(a, b any) any { return compared(a, b, func(c int) bool { return c <= 0 }) },
	operators.Greater:       func(a, b any) any { return compared(a, b, func(c int) bool { return c > 0 }) },
	operators.GreaterEquals: func(a, b any) any { return compared(a, b, func(c int) bool { return c >= 0 }) },
	operators.Add:           func(a, b any) any { return summed(a, b, 1) },
	operators.Subtract:      func(a, b any) any { return summed(a, b, -1) },
	operators.In:            in,
	"startsWith":            func(a, b any) any { return ofTexts(a, b, strings.HasPrefix) },
	"endsWith":              func(a, b any) any { return ofTexts(a, b, strings.HasSuffix) },
	"contains":              func(a, b any) any { return ofTexts(a, b, strings.Contains) },
}

// matches is a term about a regular expression.
func matches(text term, pattern any) term {
	expression, ok := pattern.(string)
	re, err := regexp.Compile(expression)
	if !ok || err != nil {
		return constant(nil)
	}
	return func(f *frame) value {
		f.steps++
		if s, ok := text(f).of.(string); ok {
			return value{of: re.MatchString(s)}
		}
		return value{}
	}
}

func not(a any) any {
	if b, ok := a.(bool); ok {
		return !b
	}
	return nil
}

func size(a any) any {
	switch v := a.(type) {
	case string:
		return int64(utf8.RuneCountInString(v))
	case []any:
		return int64(len(v))
	case map[string]any:
		return int64(len(v))
	}
	return nil
}

// duration is a text as a duration of less than a century.
func duration(a any) any {
	text, ok := a.(string)
	if !ok {
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > 100*365*24*time.Hour {
		return nil
	}
	return d
}

// equal compares values that are plain and of one type.
func equal(a, b any) any {
	switch a := a.(type) {
	case bool:
		if b, ok := b.(bool); ok {
			return a == b
		}
	case string:
		if b, ok := b.(string); ok {
			return a == b
		}
	}
	return compared(a, b, func(c int) bool { return c == 0 })
}

func compared(a, b any, is func(int) bool) any {
	switch a := a.(type) {
	case int64:
		if b, ok := b.(int64); ok && small(a) && small(b) {
			return is(int(a - b))
		}
	case time.Duration:
		if b, ok := b.(time.Duration); ok {
			return is(int(a - b))
		}
	}
	return nil
}

func summed(a, b any, sign int64) any {
	x, isX := a.(int64)
	y, isY := b.(int64)
	if !isX || !isY || !small(x) || !small(y) {
		return nil
	}
	return x + sign*y
}

// small says whether a number is far from every overflow.
func small(n int64) bool { return n > -math.MaxUint32 && n <= math.MaxUint32 }

func in(a, b any) any {
	switch b := b.(type) {
	case map[string]any:
		if key, ok := a.(string); ok {
			_, there := b[key]
			return there
		}
	case []any:
		found := false
		for _, item := range b {
			same, sure := equal(a, item).(bool)
			if !sure {
				return nil
			}
			found = found || same
		}
		return found
	}
	return nil
}

// item is an item of a list.
func item(list, index value) value {
	items, isList := list.of.([]any)
	i, isInt := index.of.(int64)
	if !isList || !isInt || i < 0 || i >= int64(len(items)) || list.level == nil || list.level.items == nil || list.level.items.opaque {
		return value{}
	}
	return value{items[i], list.level.items}
}

func ofTexts(a, b any, is func(a, b string) bool) any {
	x, isX := a.(string)
	y, isY := b.(string)
	if !isX || !isY {
		return nil
	}
	return is(x, y)
}
