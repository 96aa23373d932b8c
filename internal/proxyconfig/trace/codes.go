package trace

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/hint"
)

// Code is a word that Envoy writes into an access log about a request that it
// did not simply pass on: a response flag or the details of a response code.
type Code struct {
	// Name is the flag, such as UH, or the details without what stands in
	// brackets behind them, such as rbac_access_denied_matched_policy.
	Name string `json:"name"`
	// Long is the flag as %RESPONSE_FLAGS_LONG% writes it; details have none.
	Long string `json:"longName,omitempty"`
	// Details says that it is of %RESPONSE_CODE_DETAILS%, not a flag.
	Details bool `json:"details"`
	// Status is what the client sees: a status, or "closed" for a connection.
	Status string `json:"status,omitempty"`
	// Meaning is what happened, in one or two sentences.
	Meaning string `json:"meaning"`
	// Causes are the usual ones in an Istio mesh, the likeliest first.
	Causes []string `json:"causes"`
	// Step is the step of a trace to look at; "" when a trace cannot show it.
	Step string `json:"step,omitempty"`
	// Next are the commands to run next.
	Next []string `json:"next"`

	// called are other words that people use for it.
	called []string
	// parts explain what stands in brackets behind the details.
	parts func(string) string
}

// Explained is a code as it was asked for.
type Explained struct {
	Code
	// Part is what stood in brackets behind the details, and PartMeaning what it says.
	Part        string `json:"part,omitempty"`
	PartMeaning string `json:"partMeaning,omitempty"`
}

// Codes are all codes: the flags in Envoy's order, then the details.
func Codes() []Code { return slices.Concat(flagCodes(), detailCodes(), protocolCodes()) }

// ExplainCodes explains a word of an access log, or several of them
// with commas between: "UF,URX", "NoRouteFound", "rbac_access_denied_matched_policy[none]".
// Upper and lower case are the same.
func ExplainCodes(word string) ([]Explained, error) {
	known := Codes()
	var found []Explained
	for _, one := range splitCodes(word) {
		e, ok := explainCode(known, one)
		if !ok {
			return nil, unknownCode(known, one)
		}
		found = append(found, e)
	}
	if len(found) == 0 {
		return nil, hint.Usagef("without a code --explain-code lists all of them", "there is no code in %q", word)
	}
	return found, nil
}

func explainCode(known []Code, word string) (Explained, bool) {
	name, part := word, ""
	if at := strings.IndexAny(word, "[{("); at > 0 {
		name, part = word[:at], strings.Trim(word[at:], "[]{}()")
		if word[at] == '[' { // the policy's own name has brackets
			part = strings.TrimSuffix(word[at+1:], "]")
		}
	}
	for _, c := range known {
		if !slices.ContainsFunc(c.names(), func(known string) bool { return strings.EqualFold(known, name) }) {
			continue
		}
		e := Explained{Code: c, Part: part}
		if part != "" && c.parts != nil {
			e.PartMeaning = c.parts(part)
		}
		return e, true
	}
	return Explained{}, false
}

// splitCodes splits at commas and blanks outside brackets, so that a part of
// a log line works, too.
func splitCodes(word string) []string {
	var words []string
	depth, start := 0, 0
	for i, r := range word + "," {
		switch r {
		case '[', '{', '(':
			depth++
		case ']', '}', ')':
			depth--
		case ',', ' ', '"', '\'':
			if depth > 0 && i < len(word) {
				continue
			}
			if i > start {
				words = append(words, word[start:i])
			}
			start = i + 1
		}
	}
	return words
}

func unknownCode(known []Code, word string) error {
	if len(word) == 3 && strings.Trim(word, "0123456789") == "" {
		return hint.Usagef("give the flag that stands beside it, such as UF, or `-` when there is none", "%s is a status, not a response flag", word)
	}
	next := hint.DidYouMean(word, codeNames(known))
	if next == "" {
		next = "without a code --explain-code lists all of them"
	}
	return hint.Usagef(next, "there is no response flag and no response code detail %q", word)
}

func codeNames(known []Code) []string {
	var names []string
	for _, c := range known {
		names = append(names, c.names()...)
	}
	return names
}

// names are the words that mean the code.
func (c *Code) names() []string {
	names := append([]string{c.Name}, c.called...)
	if c.Long != "" {
		names = append(names, c.Long)
	}
	return names
}

// policyPart says which policy a policy's name in the details of RBAC is.
func policyPart(part string) string {
	if part == "none" {
		return "No policy matched, and there is an ALLOW policy for this workload: what no ALLOW policy lets in is denied."
	}
	p, ok := parsePolicy(part)
	if !ok {
		return fmt.Sprintf("The policy that matched has the name %s; istiod did not make it.", part)
	}
	return fmt.Sprintf("%s matched: rule %d of it, counted from 0.", p, p.Rule)
}

// Policy is the AuthorizationPolicy behind a policy of Envoy's RBAC filter.
type Policy struct {
	Namespace, Name string
	// Rule is the index in spec.rules.
	Rule int
}

// String is "AuthorizationPolicy NAME.NAMESPACE".
func (p Policy) String() string { return "AuthorizationPolicy " + p.Name + "." + p.Namespace }

// parsePolicy reads the name that istiod gives a policy:
// ns[NAMESPACE]-policy[NAME]-rule[INDEX], before which others may stand.
func parsePolicy(key string) (Policy, bool) {
	var p Policy
	_, rest, ok := strings.Cut(key, "ns[")
	if !ok {
		return p, false
	}
	p.Namespace, rest, ok = strings.Cut(rest, "]-policy[")
	if !ok {
		return p, false
	}
	p.Name, rest, ok = strings.Cut(rest, "]-rule[")
	if !ok {
		return p, false
	}
	_, err := fmt.Sscanf(rest, "%d]", &p.Rule)
	return p, err == nil
}
