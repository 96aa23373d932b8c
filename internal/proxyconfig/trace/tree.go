package trace

import (
	"cmp"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
)

// matchTree is xDS's Matcher: conditions that lead to an action.
type matchTree struct {
	List *struct {
		Matchers []struct {
			Predicate treePredicate `json:"predicate"`
			OnMatch   treeResult    `json:"on_match"`
		} `json:"matchers"`
	} `json:"matcher_list"`
	Tree *struct {
		Input  extension  `json:"input"`
		Exact  *treeMap   `json:"exact_match_map"`
		Prefix *treeMap   `json:"prefix_match_map"`
		Custom *extension `json:"custom_match"`
	} `json:"matcher_tree"`
	Else *treeResult `json:"on_no_match"`
}

type treeMap struct {
	Map map[string]treeResult `json:"map"`
}

type treeResult struct {
	Matcher *matchTree `json:"matcher"`
	Action  *extension `json:"action"`
	Keep    bool       `json:"keep_matching"`
}

type treePredicate struct {
	Single *struct {
		Input  extension      `json:"input"`
		Value  *stringMatcher `json:"value_match"`
		Custom *extension     `json:"custom_match"`
	} `json:"single_predicate"`
	Or *struct {
		Predicates []treePredicate `json:"predicate"`
	} `json:"or_matcher"`
	And *struct {
		Predicates []treePredicate `json:"predicate"`
	} `json:"and_matcher"`
	Not *treePredicate `json:"not_matcher"`
}

// treeInput reads one input; ok is false when there is none, and unsure says
// what would have to be known.
type treeInput func(input *extension) (value string, ok bool, unsure string)

// treeMatch is the action that a tree leads to: nil for none, or unsure.
type treeMatch struct {
	action *extension
	unsure string
}

// evalTree finds the action of a tree given as JSON.
func evalTree(raw json.RawMessage, input treeInput) treeMatch {
	t := &matchTree{}
	if err := json.Unmarshal(raw, t); err != nil {
		return treeMatch{unsure: "a matcher that cannot be read here"}
	}
	return t.eval(input)
}

func (t *matchTree) eval(input treeInput) treeMatch {
	if t.List != nil {
		for i := range t.List.Matchers {
			m := &t.List.Matchers[i]
			switch v := m.Predicate.match(input); v.Answer {
			case Maybe:
				return treeMatch{unsure: v.Why}
			case Yes:
				if res := m.OnMatch.eval(input); res.unsure != "" || res.action != nil && !m.OnMatch.Keep {
					return res
				}
			}
		}
	}
	if t.Tree != nil {
		if res := t.evalMap(input); res.unsure != "" || res.action != nil {
			return res
		}
	}
	if t.Else != nil {
		return t.Else.eval(input)
	}
	return treeMatch{}
}

func (r *treeResult) eval(input treeInput) treeMatch {
	if r.Matcher != nil {
		return r.Matcher.eval(input)
	}
	return treeMatch{action: r.Action}
}

func (t *matchTree) evalMap(input treeInput) treeMatch {
	value, ok, unsure := input(&t.Tree.Input)
	if unsure != "" {
		return treeMatch{unsure: unsure}
	}
	if !ok {
		return treeMatch{}
	}
	switch {
	case t.Tree.Exact != nil:
		if r, ok := t.Tree.Exact.Map[value]; ok {
			return r.eval(input)
		}
	case t.Tree.Prefix != nil:
		for n := len(value); n >= 0; n-- {
			if r, ok := t.Tree.Prefix.Map[value[:n]]; ok {
				if res := r.eval(input); res.unsure != "" || res.action != nil {
					return res
				}
			}
		}
	case t.Tree.Custom != nil:
		return evalCustom(t.Tree.Custom, value, input)
	}
	return treeMatch{}
}

// evalCustom is for the extensions that match addresses and server names.
func evalCustom(e *extension, value string, input treeInput) treeMatch {
	switch kind := shortType(e.typeURL()); kind {
	case "xds.type.matcher.v3.IPMatcher":
		return evalRanges(e, value, input)
	case "xds.type.matcher.v3.ServerNameMatcher", "xds.type.matcher.v3.DomainMatcher":
		return evalDomains(e, value, input)
	default:
		return treeMatch{unsure: "the matcher " + orText(kind, e.Name)}
	}
}

func evalRanges(e *extension, value string, input treeInput) treeMatch {
	var m struct {
		Matchers []struct {
			Ranges  []cidr     `json:"ranges"`
			OnMatch treeResult `json:"on_match"`
		} `json:"range_matchers"`
	}
	ip, err := netip.ParseAddr(value)
	if json.Unmarshal(e.Config, &m) != nil || err != nil {
		return treeMatch{unsure: "a matcher of addresses that cannot be read here"}
	}
	type hit struct {
		bits  int
		match *treeResult
	}
	var hits []hit
	for i := range m.Matchers {
		for _, r := range m.Matchers[i].Ranges {
			if p, ok := r.prefix(); ok && p.Contains(ip.Unmap()) {
				hits = append(hits, hit{p.Bits(), &m.Matchers[i].OnMatch})
			}
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(b.bits, a.bits) })
	for _, h := range hits {
		if res := h.match.eval(input); res.unsure != "" || res.action != nil {
			return res
		}
	}
	return treeMatch{}
}

func evalDomains(e *extension, value string, input treeInput) treeMatch {
	var m struct {
		Matchers []struct {
			Domains []string   `json:"domains"`
			OnMatch treeResult `json:"on_match"`
		} `json:"domain_matchers"`
	}
	if json.Unmarshal(e.Config, &m) != nil {
		return treeMatch{unsure: "a matcher of server names that cannot be read here"}
	}
	best, found := -1, (*treeResult)(nil)
	for i := range m.Matchers {
		for _, d := range m.Matchers[i].Domains {
			n := -1
			switch {
			case d == "*":
				n = 0
			case d == value:
				n = 1 << 20
			case strings.HasPrefix(d, "*.") && strings.HasSuffix(value, d[1:]):
				n = len(d)
			}
			if n > best {
				best, found = n, &m.Matchers[i].OnMatch
			}
		}
	}
	if found == nil {
		return treeMatch{}
	}
	return found.eval(input)
}

func (p *treePredicate) match(input treeInput) Verdict {
	each := func(ps []treePredicate) []Verdict {
		vs := make([]Verdict, 0, len(ps))
		for i := range ps {
			vs = append(vs, ps[i].match(input))
		}
		return vs
	}
	switch {
	case p.Or != nil:
		return anyOf("", each(p.Or.Predicates)...)
	case p.And != nil:
		return all(each(p.And.Predicates)...)
	case p.Not != nil:
		return p.Not.match(input).not("")
	case p.Single == nil:
		return maybe("a condition that is unknown here")
	}
	value, ok, unsure := input(&p.Single.Input)
	switch {
	case unsure != "":
		return maybe(unsure)
	case !ok:
		return no("there is no such value")
	case p.Single.Value != nil:
		return p.Single.Value.match("the value", value)
	case p.Single.Custom != nil:
		return maybe("the matcher " + p.Single.Custom.Name)
	}
	return maybe("a condition that is unknown here")
}
