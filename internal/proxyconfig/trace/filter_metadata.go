package trace

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// unknownValue stands in dynamic metadata for what an earlier filter would
// have left there; it says why it is not known.
type unknownValue string

// metadataMatcher is Envoy's MetadataMatcher on dynamic metadata.
type metadataMatcher struct {
	Filter string `json:"filter"`
	Path   []struct {
		Key string `json:"key"`
	} `json:"path"`
	Value  *valueMatcher `json:"value"`
	Invert bool          `json:"invert"`
}

// valueMatcher is Envoy's ValueMatcher.
type valueMatcher struct {
	Null   *struct{}      `json:"null_match"`
	Double *doubleMatcher `json:"double_match"`
	Text   *stringMatcher `json:"string_match"`
	Bool   *bool          `json:"bool_match"`
	// Present is true or false: both are conditions.
	Present *bool `json:"present_match"`
	List    *struct {
		OneOf *valueMatcher `json:"one_of"`
	} `json:"list_match"`
	Or *struct {
		Values []*valueMatcher `json:"value_matchers"`
	} `json:"or_match"`
}

type doubleMatcher struct {
	Exact *float64 `json:"exact"`
	Range *struct {
		Start float64 `json:"start"`
		End   float64 `json:"end"`
	} `json:"range"`
}

// what names the value for people: a claim of the token where it is one.
func (m *metadataMatcher) what() string {
	keys := make([]string, len(m.Path))
	for i, segment := range m.Path {
		keys[i] = segment.Key
	}
	if m.Filter == jwtFilter && len(keys) > 1 {
		return "claim " + strings.Join(keys[1:], ".")
	}
	return "metadata " + m.Filter + "." + strings.Join(keys, ".")
}

// jwtFilter is the namespace of what the JWT filter leaves.
const jwtFilter = "envoy.filters.http.jwt_authn"

// find is the value in metadata; present is false where there is none.
func (m *metadataMatcher) find(metadata map[string]any) (value any, present bool) {
	value, present = metadata[m.Filter]
	for i, segment := range m.Path {
		switch at := value.(type) {
		case unknownValue:
			return at, true
		case map[string]any:
			value, present = at[segment.Key]
		case claims:
			return at.find(m.keys()[i:])
		default:
			return nil, false
		}
	}
	return value, present
}

func (m *metadataMatcher) keys() []string {
	keys := make([]string, len(m.Path))
	for i, segment := range m.Path {
		keys[i] = segment.Key
	}
	return keys
}

func (m *metadataMatcher) match(metadata map[string]any) Verdict {
	value, present := m.find(metadata)
	if why, ok := value.(unknownValue); ok {
		return maybe(m.what() + " is not known: " + string(why))
	}
	if m.Value == nil {
		return maybe("the condition on " + m.what() + " is of a kind unknown here")
	}
	answer := m.Value.match(value, present)
	switch {
	case answer == Maybe:
		return maybe("the condition on " + m.what() + " is of a kind unknown here")
	case (answer == Yes) != m.Invert:
		return yes()
	case !present:
		return no("there is no " + m.what())
	case m.Invert:
		return no(fmt.Sprintf("%s is %s, which is excluded", m.what(), valueText(value)))
	}
	return no(fmt.Sprintf("%s is %s, not %s", m.what(), valueText(value), m.Value))
}

func (m *valueMatcher) match(value any, present bool) Answer {
	if m == nil {
		return Maybe
	}
	is := func(ok bool) Answer {
		if ok {
			return Yes
		}
		return No
	}
	if values, ok := value.(claimValues); ok {
		return m.matchClaim(values)
	}
	switch {
	case m.Null != nil:
		return is(present && value == nil)
	case m.Double != nil:
		n, ok := value.(float64)
		return is(ok && m.Double.match(n))
	case m.Text != nil:
		s, ok := value.(string)
		if !ok {
			return No
		}
		return m.Text.match("", s).Answer
	case m.Bool != nil:
		b, ok := value.(bool)
		return is(ok && b == *m.Bool)
	case m.Present != nil:
		return is(present == *m.Present)
	case m.List != nil:
		list, ok := value.([]any)
		if !ok || m.List.OneOf == nil {
			return No
		}
		return anyAnswer(len(list), func(i int) Answer { return m.List.OneOf.match(list[i], true) })
	case m.Or != nil:
		return anyAnswer(len(m.Or.Values), func(i int) Answer { return m.Or.Values[i].match(value, present) })
	}
	return Maybe
}

// matchClaim judges a claim that may be a text or a list: each value counts.
func (m *valueMatcher) matchClaim(values claimValues) Answer {
	switch {
	case m == nil:
		return Maybe
	case m.Text != nil:
		return anyAnswer(len(values), func(i int) Answer { return m.Text.match("", values[i]).Answer })
	case m.List != nil && m.List.OneOf != nil:
		return m.List.OneOf.matchClaim(values)
	case m.Or != nil:
		return anyAnswer(len(m.Or.Values), func(i int) Answer { return m.Or.Values[i].matchClaim(values) })
	case m.Bool != nil:
		return anyAnswer(len(values), func(i int) Answer { return allowedIf(values[i] == fmt.Sprint(*m.Bool)) })
	case m.Present != nil:
		return allowedIf(*m.Present)
	}
	return Maybe
}

func (m *doubleMatcher) match(n float64) bool {
	if m.Range != nil {
		return m.Range.Start <= n && n < m.Range.End
	}
	return m.Exact != nil && *m.Exact == n
}

// anyAnswer is Yes when one of n answers is, else Maybe when one is.
func anyAnswer(n int, answer func(int) Answer) Answer {
	result := No
	for i := range n {
		switch answer(i) {
		case Yes:
			return Yes
		case Maybe:
			result = Maybe
		}
	}
	return result
}

// String is what the value must be.
func (m *valueMatcher) String() string {
	switch {
	case m == nil:
		return "what is not known here"
	case m.Text != nil:
		return m.Text.String()
	case m.Bool != nil:
		return fmt.Sprint(*m.Bool)
	case m.Present != nil && *m.Present:
		return "anything"
	case m.Present != nil, m.Null != nil:
		return "nothing"
	case m.List != nil && m.List.OneOf != nil:
		return m.List.OneOf.String()
	case m.Or != nil:
		var said []string
		for _, v := range m.Or.Values {
			if s := v.String(); !slices.Contains(said, s) { // the same for a list and for a text
				said = append(said, s)
			}
		}
		return strings.Join(said, " or ")
	case m.Double != nil && m.Double.Exact != nil:
		return fmt.Sprint(*m.Double.Exact)
	}
	return "in the range asked for"
}

func valueText(value any) string {
	if values, ok := value.(claimValues); ok && len(values) == 1 {
		value = values[0]
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}

// matchCall judges it for a request: a filter may have set what it is about.
func (m *metadataMatcher) matchCall(c *Call) Verdict {
	if why := c.Unknown["metadata "+m.Filter]; why != "" {
		return maybe(m.what() + " may have been set by " + why)
	}
	return m.match(c.Metadata)
}

// matchMetadata judges it for a request or a connection.
func (in *filterInput) matchMetadata(m *metadataMatcher) Verdict {
	if in.Call != nil {
		return m.matchCall(in.Call)
	}
	return m.match(in.Conn.Metadata)
}
