package trace

import (
	"encoding/json"
	"fmt"
	"strings"
)

// match says whether the dynamic metadata that the filters left matches.
func (m *metadataMatcher) match(c *Call) Verdict {
	keys := make([]string, 0, len(m.Path))
	for _, p := range m.Path {
		keys = append(keys, p.Key)
	}
	what := "metadata " + m.Filter + " " + strings.Join(keys, ".")
	if why := c.Unknown["metadata "+m.Filter]; why != "" {
		return maybe(what + " may have been set by " + why)
	}
	value := c.Metadata[m.Filter]
	for _, key := range keys {
		object, _ := value.(map[string]any)
		value = object[key]
	}
	v := matchValue(m.Value, what, value)
	if m.Invert {
		return v.not(what + " has the value that is excluded")
	}
	return v
}

// valueMatcher is Envoy's ValueMatcher.
type valueMatcher struct {
	Null    *struct{}      `json:"null_match"`
	Double  *doubleMatcher `json:"double_match"`
	String  *stringMatcher `json:"string_match"`
	Bool    *bool          `json:"bool_match"`
	Present *bool          `json:"present_match"`
	List    *struct {
		OneOf json.RawMessage `json:"one_of"`
	} `json:"list_match"`
	Or *struct {
		Matchers []json.RawMessage `json:"value_matchers"`
	} `json:"or_match"`
}

type doubleMatcher struct {
	Exact *float64 `json:"exact"`
	Range *struct {
		Start, End float64
	} `json:"range"`
}

// matchValue matches a JSON value, nil for one that is not there.
func matchValue(matcher json.RawMessage, what string, value any) Verdict {
	var m valueMatcher
	if len(matcher) == 0 || json.Unmarshal(matcher, &m) != nil {
		return maybe("the condition on " + what + " cannot be read here")
	}
	switch {
	case m.Present != nil:
		if *m.Present == (value != nil) {
			return yes()
		}
		return no(what + map[bool]string{true: " is missing", false: " is there"}[*m.Present])
	case m.Or != nil:
		verdicts := make([]Verdict, 0, len(m.Or.Matchers))
		for _, one := range m.Or.Matchers {
			verdicts = append(verdicts, matchValue(one, what, value))
		}
		return anyOf(what+" matches none of the conditions", verdicts...)
	case value == nil && m.Null == nil:
		return no(what + " is missing")
	}
	return m.matchKind(what, value)
}

func (m *valueMatcher) matchKind(what string, value any) Verdict {
	fail := no(fmt.Sprintf("%s is %v", what, value))
	switch v := value.(type) {
	case nil:
		return yes()
	case string:
		if m.String != nil {
			return m.String.match(what, v)
		}
	case bool:
		if m.Bool != nil && *m.Bool == v {
			return yes()
		}
	case float64:
		if d := m.Double; d != nil && (d.Exact != nil && *d.Exact == v || d.Range != nil && d.Range.Start <= v && v < d.Range.End) {
			return yes()
		}
	case []any:
		if m.List == nil {
			return fail
		}
		verdicts := make([]Verdict, 0, len(v))
		for _, item := range v {
			verdicts = append(verdicts, matchValue(m.List.OneOf, what, item))
		}
		return anyOf(fmt.Sprintf("%s is %v, of which none matches", what, v), verdicts...)
	}
	return fail
}
