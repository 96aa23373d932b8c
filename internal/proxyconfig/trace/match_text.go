package trace

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/proxyconfig"
)

// stringMatcher is Envoy's StringMatcher.
type stringMatcher struct {
	Exact      *string         `json:"exact"`
	Prefix     *string         `json:"prefix"`
	Suffix     *string         `json:"suffix"`
	Contains   *string         `json:"contains"`
	Regex      *regexMatcher   `json:"safe_regex"`
	Custom     json.RawMessage `json:"custom"`
	IgnoreCase bool            `json:"ignore_case"`
}

type regexMatcher struct {
	Regex string `json:"regex"`
}

// match says whether the whole text matches; what names the text in the reason.
func (m *stringMatcher) match(what, text string) Verdict {
	fold := func(s string) string {
		if m.IgnoreCase {
			return asciiLower(s)
		}
		return s
	}
	test := func(ok bool, op, want string) Verdict {
		if ok {
			return yes()
		}
		return no(fmt.Sprintf("%s is %q, %s %q", what, text, op, want))
	}
	switch {
	case m.Exact != nil:
		return test(fold(text) == fold(*m.Exact), "not", *m.Exact)
	case m.Prefix != nil:
		return test(strings.HasPrefix(fold(text), fold(*m.Prefix)), "which does not begin with", *m.Prefix)
	case m.Suffix != nil:
		return test(strings.HasSuffix(fold(text), fold(*m.Suffix)), "which does not end with", *m.Suffix)
	case m.Contains != nil:
		return test(strings.Contains(fold(text), fold(*m.Contains)), "which does not contain", *m.Contains)
	case m.Regex != nil: // ignore_case has no effect on it
		return m.Regex.match(what, text)
	case m.Custom != nil:
		return maybe(what + " is matched by an extension: " + shortType(typeURL(member(m.Custom, "typed_config"))))
	}
	return maybe("the condition on " + what + " is of a kind unknown here")
}

// String is the condition as people write it.
func (m *stringMatcher) String() string {
	switch {
	case m.Exact != nil:
		return *m.Exact
	case m.Prefix != nil:
		return *m.Prefix + "*"
	case m.Suffix != nil:
		return "*" + *m.Suffix
	case m.Contains != nil:
		return "*" + *m.Contains + "*"
	case m.Regex != nil:
		return "regex " + m.Regex.Regex
	}
	return "(an extension)"
}

// match says whether the whole text matches, as Envoy does with RE2.
func (m *regexMatcher) match(what, text string) Verdict {
	re, err := m.compile()
	switch {
	case err != nil:
		return maybe(fmt.Sprintf("the regular expression %q cannot be read here", m.Regex))
	case re.MatchString(text):
		return yes()
	}
	return no(fmt.Sprintf("%s is %q, which does not match %s", what, text, m.Regex))
}

// compile anchors the expression: Envoy always matches the whole text. Without
// flags a dot is no newline and $ is the end of the text, as in RE2.
func (m *regexMatcher) compile() (*regexp.Regexp, error) {
	return regexp.Compile(`\A(?:` + m.Regex + `)\z`)
}

// headerMatcher is Envoy's HeaderMatcher, with its older forms.
type headerMatcher struct {
	Name           string         `json:"name"`
	String         *stringMatcher `json:"string_match"`
	Present        *bool          `json:"present_match"`
	Range          *intRange      `json:"range_match"`
	Exact          *string        `json:"exact_match"`
	Prefix         *string        `json:"prefix_match"`
	Suffix         *string        `json:"suffix_match"`
	Contains       *string        `json:"contains_match"`
	Regex          *regexMatcher  `json:"safe_regex_match"`
	Invert         bool           `json:"invert_match"`
	MissingIsEmpty bool           `json:"treat_missing_header_as_empty"`
}

// intRange goes from Start to before End; protobuf writes 64 bits as text.
type intRange struct {
	Start jsonInt `json:"start"`
	End   jsonInt `json:"end"`
}

// jsonInt is an integer that stands in quotes or not.
type jsonInt int64

// UnmarshalJSON reads both.
func (n *jsonInt) UnmarshalJSON(text []byte) error {
	v, err := strconv.ParseInt(strings.Trim(string(text), `"`), 10, 64)
	*n = jsonInt(v)
	return err
}

// text is the matcher of the header's value; nil when only presence counts.
func (m *headerMatcher) text() *stringMatcher {
	switch {
	case m.String != nil:
		return m.String
	case m.Exact != nil:
		return &stringMatcher{Exact: m.Exact}
	case m.Prefix != nil:
		return &stringMatcher{Prefix: m.Prefix}
	case m.Suffix != nil:
		return &stringMatcher{Suffix: m.Suffix}
	case m.Contains != nil:
		return &stringMatcher{Contains: m.Contains}
	case m.Regex != nil:
		return &stringMatcher{Regex: m.Regex}
	}
	return nil
}

// match says whether the call's header matches. Of a header that stands there
// several times, one line that matches is enough.
func (m *headerMatcher) match(c *Call) Verdict {
	name := strings.ToLower(m.Name)
	values, unknown := c.headerLines(name)
	if unknown != "" {
		return maybe("header " + name + " may have been set by " + unknown)
	}
	return discreet(name, "header "+name, m.matchLines("header "+name, values))
}

// discreet is v without the text that a secret header or parameter is compared with.
func discreet(name, what string, v Verdict) Verdict {
	switch {
	case !proxyconfig.SecretHeader(name) || !strings.Contains(v.Why, `"`):
	case v.Answer == No:
		v.Why = what + " does not have the value that is wanted"
	default:
		v.Why = "the condition on " + what + " cannot be judged here"
	}
	return v
}

func (m *headerMatcher) matchLines(what string, values []string) Verdict {
	text := m.text()
	if text == nil && m.Range == nil {
		return m.matchPresence(what, len(values) > 0)
	}
	if len(values) == 0 {
		if !m.MissingIsEmpty {
			return no(what + " is missing") // also when inverted
		}
		values = []string{""}
	}
	var v Verdict
	for i, value := range values {
		one := m.matchLine(text, what, value)
		if i == 0 || one.Answer == Yes || one.Answer == Maybe && v.Answer == No {
			v = one
		}
		if v.Answer == Yes {
			break
		}
	}
	if m.Invert {
		return v.not(fmt.Sprintf("%s is %q, which is excluded", what, strings.Join(values, ", ")))
	}
	return v
}

func (m *headerMatcher) matchLine(text *stringMatcher, what, value string) Verdict {
	if m.Range != nil {
		return m.Range.match(what, value)
	}
	return text.match(what, value)
}

func (m *headerMatcher) matchPresence(what string, present bool) Verdict {
	want := m.Present == nil || *m.Present
	if want != m.Invert == present {
		return yes()
	}
	if present {
		return no(what + " is there")
	}
	return no(what + " is missing")
}

func (r *intRange) match(what, value string) Verdict {
	n, err := strconv.ParseInt(value, 10, 64)
	if err == nil && int64(r.Start) <= n && n < int64(r.End) {
		return yes()
	}
	return no(fmt.Sprintf("%s is %q, which is not from %d to %d", what, value, r.Start, r.End-1))
}

// matchHeaders is Yes when all conditions are.
func matchHeaders(matchers []headerMatcher, c *Call) Verdict {
	unsure := yes()
	for i := range matchers {
		if unsure = all(unsure, matchers[i].match(c)); unsure.Answer == No {
			return unsure
		}
	}
	return unsure
}

// queryMatcher is Envoy's QueryParameterMatcher.
type queryMatcher struct {
	Name    string         `json:"name"`
	String  *stringMatcher `json:"string_match"`
	Present *bool          `json:"present_match"`
}

func (m *queryMatcher) match(c *Call) Verdict {
	value, present := queryValue(c.Path, m.Name)
	switch {
	case m.Present != nil && !*m.Present && present:
		return no("query parameter " + m.Name + " is there")
	case m.Present != nil && !*m.Present:
		return yes()
	case !present:
		return no("query parameter " + m.Name + " is missing")
	case m.String == nil:
		return yes()
	}
	return discreet(m.Name, "query parameter "+m.Name, m.String.match("query parameter "+m.Name, value))
}

// queryValue is the first value of a parameter; Envoy compares it as it is
// sent, escapes and all.
func queryValue(path, name string) (string, bool) {
	_, query, _ := strings.Cut(path, "?")
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if pair != "" && key == name {
			return value, true
		}
	}
	return "", false
}

func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// title is the condition as people write it: "x-user=alice".
func (m *headerMatcher) title() string {
	op, value := "=", "*"
	switch text := m.text(); {
	case text != nil && text.Regex != nil:
		op, value = "~", proxyconfig.RedactHeader(m.Name, text.Regex.Regex)
	case text != nil:
		value = proxyconfig.RedactHeader(m.Name, text.String())
	case m.Range != nil:
		value = fmt.Sprintf("%d...%d", m.Range.Start, m.Range.End-1)
	case m.Present != nil && !*m.Present:
		value = "(absent)"
	}
	if m.Invert {
		op = "!" + op
	}
	return strings.TrimPrefix(m.Name, ":") + op + value
}
