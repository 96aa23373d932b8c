package install

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// step is one part of a path: a key of a map, or the choice of a list element
// by index, by a key's value, or by its own value.
type step struct {
	key        string
	list       bool   // the step chooses an element of a list
	index      int    // its position; -1 is one past the end
	field, val string // or: the element whose field has this value
	text       string // or: the text element that this regular expression matches
}

// byIndex is whether the step chooses an element by its position.
func (s step) byIndex() bool { return s.list && s.text == "" }

// parsePath reads a.b\.c[0].d[name:x].e; brackets may also stand as parts of
// their own, as in a.[0].b. A backslash takes the meaning from . and [.
func parsePath(s string) ([]step, error) {
	var steps []step
	var key strings.Builder
	flush := func() {
		if key.Len() > 0 {
			steps = append(steps, step{key: key.String()})
			key.Reset()
		}
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && (s[i+1] == '.' || s[i+1] == '[' || s[i+1] == ','):
			i++
			key.WriteByte(s[i])
		case c == '.':
			flush()
		case c == '[':
			flush()
			end := strings.IndexByte(s[i:], ']')
			if end < 0 {
				return nil, fmt.Errorf("%q has an open bracket", s)
			}
			st, err := parseSelector(s[i+1 : i+end])
			if err != nil {
				return nil, err
			}
			steps = append(steps, st)
			i += end
		default:
			key.WriteByte(c)
		}
	}
	flush()
	if len(steps) == 0 {
		return nil, fmt.Errorf("%q names no key", s)
	}
	return steps, nil
}

func parseSelector(s string) (step, error) {
	switch n, err := strconv.Atoi(s); {
	case err == nil && n >= -1:
		return step{list: true, index: n}, nil
	case err == nil:
		return step{}, fmt.Errorf("[%d] is no index; -1 appends", n)
	}
	s = strings.ReplaceAll(s, `\.`, ".")
	field, val, ok := strings.Cut(s, ":")
	st := step{list: true, text: strings.TrimPrefix(s, ":")}
	if ok && field != "" && val != "" {
		st.field, st.val = field, val
	}
	if st.text == "" {
		return step{}, fmt.Errorf("[%s] chooses nothing: it is neither an index, nor [key:value], nor [:value]", s)
	}
	return st, nil
}

func (s step) String() string {
	switch {
	case !s.list:
		return s.key
	case s.field != "":
		return "[" + s.field + ":" + s.val + "]"
	case s.text != "":
		return "[:" + s.text + "]"
	}
	return "[" + strconv.Itoa(s.index) + "]"
}

// setAt is node with value put at path. Maps, and lists chosen by index, are
// made where missing; an element chosen by value must exist.
func setAt(node any, path []step, value any) (any, error) {
	if len(path) == 0 {
		return value, nil
	}
	st := path[0]
	if !st.list {
		m, err := asMap(node, st)
		if err != nil {
			return nil, err
		}
		child, err := setAt(m[st.key], path[1:], value)
		if err != nil {
			return nil, err
		}
		m[st.key] = child
		return m, nil
	}
	l, err := asList(node, st)
	if err != nil {
		return nil, err
	}
	i, err := st.find(l)
	if err != nil {
		return nil, err
	}
	if i == len(l) {
		l = append(l, nil)
	}
	l[i], err = setAt(l[i], path[1:], value)
	return l, err
}

// removeAt is node without what path names; what is not there is no error.
func removeAt(node any, path []step) (any, error) {
	st := path[0]
	if !st.list {
		m, err := asMap(node, st)
		if err != nil || m[st.key] == nil {
			return node, err
		}
		if len(path) == 1 {
			delete(m, st.key)
			return m, nil
		}
		m[st.key], err = removeAt(m[st.key], path[1:])
		return m, err
	}
	l, err := asList(node, st)
	if err != nil {
		return nil, err
	}
	i, err := st.find(l)
	if err != nil || i >= len(l) {
		return l, err
	}
	if len(path) == 1 {
		return append(l[:i:i], l[i+1:]...), nil
	}
	l[i], err = removeAt(l[i], path[1:])
	return l, err
}

// find is the position that the step chooses; one past the end to append.
func (s step) find(l []any) (int, error) {
	if s.byIndex() {
		if s.index < 0 || s.index > len(l) {
			return len(l), nil
		}
		return s.index, nil
	}
	like, err := regexp.Compile(s.text)
	if err != nil {
		like = regexp.MustCompile(regexp.QuoteMeta(s.text))
	}
	for i, e := range l {
		m, isMap := e.(map[string]any)
		if isMap && s.field != "" && fmt.Sprint(m[s.field]) == s.val || !isMap && like.MatchString(fmt.Sprint(e)) {
			return i, nil
		}
	}
	return 0, fmt.Errorf("no element %s in the list of %d", s, len(l))
}

func asMap(node any, st step) (map[string]any, error) {
	switch n := node.(type) {
	case nil:
		return map[string]any{}, nil
	case map[string]any:
		if n == nil {
			n = map[string]any{}
		}
		return n, nil
	}
	return nil, fmt.Errorf("there is no %s below %s", st, describe(node))
}

func asList(node any, st step) ([]any, error) {
	switch n := node.(type) {
	case nil:
		return nil, nil
	case []any:
		return n, nil
	}
	return nil, fmt.Errorf("%s chooses from a list, but this is %s", st, describe(node))
}

// describe says what kind of value v is, for a message.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case map[string]any:
		return "a map"
	case []any:
		return "a list"
	case string:
		const enough = 40 // a whole file may be one text
		if r := []rune(v); len(r) > enough {
			v = string(r[:enough]) + "…"
		}
		return fmt.Sprintf("the text %q", v)
	case bool:
		return fmt.Sprintf("the boolean %v", v)
	}
	return fmt.Sprintf("the number %v", v)
}
