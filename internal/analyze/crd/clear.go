package crd

import (
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
)

// ruled is a level of a schema with rules in CEL, or one above such a level.
// It says of most values that they follow the rules without evaluating CEL,
// which takes fifty times as long; whatever it cannot say is left to CEL.
type ruled struct {
	level             *node
	rules             []term
	fields            map[string]*ruled
	items, additional *ruled
	// unclear is true when only CEL knows.
	unclear bool
}

// mostSteps are the terms that are looked at for one object. It is far from
// what exhausts CEL's budget, which the API server refuses an object for.
const mostSteps = 100_000

// newRuled is nil when there are no rules at the level and below it.
func newRuled(s *schema.Structural, level *node) *ruled {
	if s == nil || level == nil {
		return nil
	}
	r := &ruled{level: level, items: newRuled(s.Items, level.items), unclear: rulesInParts(s.ValueValidation)}
	if s.AdditionalProperties != nil {
		r.additional = newRuled(s.AdditionalProperties.Structural, level.additional)
	}
	for name := range s.Properties {
		field := s.Properties[name]
		if below := newRuled(&field, level.fields[name]); below != nil {
			if r.fields == nil {
				r.fields = map[string]*ruled{}
			}
			r.fields[name] = below
		}
	}
	for _, rule := range s.XValidations {
		switch judge, whole := parseRule(rule.Rule); {
		case judge == nil || rule.OptionalOldSelf != nil || level.opaque:
			r.unclear = true
		case whole: // not about changes
			r.rules = append(r.rules, judge)
		}
	}
	if len(r.rules) == 0 && r.fields == nil && r.items == nil && r.additional == nil && !r.unclear {
		return nil
	}
	return r
}

// rulesInParts says whether a part of allOf has rules: they may be anywhere in it.
func rulesInParts(v *schema.ValueValidation) bool {
	if v == nil {
		return false
	}
	for i := range v.AllOf {
		if rulesWithin(&v.AllOf[i]) {
			return true
		}
	}
	return false
}

func rulesWithin(n *schema.NestedValueValidation) bool {
	if n == nil {
		return false
	}
	if len(n.XValidations) > 0 || rulesInParts(&n.ValueValidation) || rulesWithin(n.Items) || rulesWithin(n.AdditionalProperties) {
		return true
	}
	for name := range n.Properties {
		field := n.Properties[name]
		if rulesWithin(&field) {
			return true
		}
	}
	return false
}

// clears says whether a value surely follows all rules. It must be of the
// schema's types.
func (r *ruled) clears(object any) bool {
	return r.clearsIn(&frame{}, object)
}

func (r *ruled) clearsIn(f *frame, object any) bool {
	if r == nil || object == nil { // CEL is not asked about nulls
		return true
	}
	if r.unclear {
		return false
	}
	f.vars[0] = value{object, r.level}
	for _, rule := range r.rules {
		if rule(f).of != true || f.steps > mostSteps {
			return false
		}
	}
	switch v := object.(type) {
	case map[string]any:
		for name, below := range r.fields {
			if field, there := v[name]; there && !below.clearsIn(f, field) {
				return false
			}
		}
		if r.additional != nil {
			for name, field := range v {
				if _, known := r.level.fields[name]; !known && !r.additional.clearsIn(f, field) {
					return false
				}
			}
		}
	case []any:
		for _, item := range v {
			if r.items != nil && !r.items.clearsIn(f, item) {
				return false
			}
		}
	default:
		return r.fields == nil && r.items == nil && r.additional == nil
	}
	return true
}
