package analyze

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/mesh"
)

// silenced is a finding that the user does not want to see, and what says so.
type silenced struct {
	finding *Finding
	by      string
}

// kind is where SARIF has the suppression from.
func (s silenced) kind() string {
	if strings.HasPrefix(s.by, "annotation") {
		return "inSource"
	}
	return "external"
}

// silencer applies suppressions and severities to findings, and knows in the
// end which suppressions were of no use.
type silencer struct {
	options Options
	passes  []*Pass
	used    []bool
	// annotated are the codes of annotations that silenced something.
	annotated map[annotatedCode]bool
}

type annotatedCode struct {
	object *mesh.Object
	code   string
}

func newSilencer(passes []*Pass, o Options) *silencer {
	return &silencer{options: o, passes: passes, used: make([]bool, len(o.Suppress)), annotated: map[annotatedCode]bool{}}
}

// silences says whether a finding is suppressed, and by what; it gives the
// finding the severity that the user wants.
func (s *silencer) silences(f *Finding) (by string, suppressed bool) {
	if severity := s.severity(f); severity != "" {
		f.Severity = severity
	}
	if code := annotated(f.at.Object, f); code != "" {
		s.annotated[annotatedCode{f.at.Object, code}] = true
		by, suppressed = "annotation "+suppressAnnotation, true
	} else if ignoredForKiali(f.at.Object, f) {
		by, suppressed = "annotation "+kialiAnnotation, true
	}
	for i, rule := range s.options.Suppress {
		if rule.expired(s.options.Now) || !rule.covers(f) {
			continue
		}
		s.used[i] = true
		if !suppressed {
			by, suppressed = rule.describe(), true
		}
	}
	return by, suppressed
}

func (s *silencer) severity(f *Finding) Severity {
	for _, word := range append([]string{f.Check, f.Code}, kialiCodes(f)...) {
		if severity := s.options.Severities[strings.ToLower(word)]; severity != "" {
			return severity
		}
	}
	return ""
}

func kialiCodes(f *Finding) []string {
	if f.from == nil {
		return nil
	}
	return f.from.KialiCodes()
}

// describe is what a suppressed finding is told to be suppressed by.
func (s Suppression) describe() string {
	by := "--suppress " + s.String()
	if s.Position != nil {
		by = s.Position.String()
	}
	if s.Reason != "" {
		by += ": " + s.Reason
	}
	return by
}

// leftovers are the findings about suppressions that expired, or that silenced
// nothing though their checks ran over what they are about.
func (s *silencer) leftovers() []*Finding {
	var found []*Finding
	for i, rule := range s.options.Suppress {
		switch {
		case rule.expired(s.options.Now):
			found = append(found, s.report(ExpiredSuppression, rule, "the suppression of %s ended on %s, and suppresses nothing any more", rule, rule.Expires.Format("2006-01-02"))...)
		case !s.used[i] && s.wasTried(rule):
			found = append(found, s.report(UnusedSuppression, rule, "the suppression of %s suppresses nothing: there is no such finding", rule)...)
		}
	}
	return append(found, s.idleAnnotations()...)
}

// report makes a finding about a suppression, when its check is among those that run.
func (s *silencer) report(c *Check, rule Suppression, format string, args ...any) []*Finding {
	if !s.runs(c) {
		return nil
	}
	f := &Finding{
		Code: c.Code, Check: c.Name, Severity: c.Severity, Message: fmt.Sprintf(format, args...), Related: []Related{}, Uncertain: []Uncertain{}, from: c, place: rule.Position,
	}
	if severity := s.severity(f); severity != "" {
		f.Severity = severity
	}
	return []*Finding{f.Suggest("remove it")}
}

func (s *silencer) runs(c *Check) bool {
	return slices.ContainsFunc(s.passes, func(p *Pass) bool { return p.check == c })
}

// wasTried says whether the suppression could have silenced something: what it
// names is among the input, and its checks judged all of that. One that names
// no object can only be judged over a whole mesh.
func (s *silencer) wasTried(rule Suppression) bool {
	narrow := rule.Object != "" && rule.Object != "*" || rule.Path != "" || rule.Labels != nil || rule.Namespace != ""
	return s.judged(rule.Code, !narrow) && (!narrow || s.hasObject(rule))
}

// judged says whether the checks of a code ran, and left nothing open.
func (s *silencer) judged(code string, whole bool) bool {
	ran := false
	for _, p := range s.passes {
		if p.check == UnusedSuppression || p.check == ExpiredSuppression {
			continue
		}
		if code != "*" && !p.check.Is(code) {
			continue
		}
		ran = true
		if len(p.unknown) > 0 || whole && (s.options.Namespaces != nil || !p.knowsAll()) {
			return false
		}
	}
	return ran
}

// knowsAll says whether the input holds all there is of what the check asks for.
func (p *Pass) knowsAll() bool {
	return !slices.ContainsFunc(slices.Concat(p.check.Reads, p.check.Uses), func(k mesh.Kind) bool { return !p.KnownEverywhere(k) })
}

func (s *silencer) hasObject(rule Suppression) bool {
	for _, snapshot := range s.snapshots() {
		for _, o := range snapshot.All() {
			if snapshot.Owns(o) && s.options.keeps(objectOf(o)) && rule.coversObject(objectOf(o), o) {
				return true
			}
		}
	}
	return false
}

// idleAnnotations are findings about annotations whose codes silenced nothing.
func (s *silencer) idleAnnotations() []*Finding {
	if !s.runs(UnusedSuppression) {
		return nil
	}
	var found []*Finding
	for _, snapshot := range s.snapshots() {
		for _, o := range snapshot.All() {
			if o.Annotations[suppressAnnotation] == "" || !snapshot.Owns(o) || !s.options.keeps(objectOf(o)) {
				continue
			}
			for _, code := range annotatedCodes(o) {
				if s.annotated[annotatedCode{o, code}] {
					continue
				}
				switch {
				case s.options.Known != nil && !s.options.Known(code):
					found = append(found, s.idle(o, code, "check"))
				case s.judged(code, false):
					found = append(found, s.idle(o, code, "finding"))
				}
			}
		}
	}
	return found
}

// snapshots are the different snapshots of the passes.
func (s *silencer) snapshots() []*mesh.Snapshot {
	var all []*mesh.Snapshot
	for _, p := range s.passes {
		if !slices.Contains(all, p.Snapshot) {
			all = append(all, p.Snapshot)
		}
	}
	return all
}

// idle is the finding about a code in an object's annotation.
func (s *silencer) idle(o *mesh.Object, code, lacks string) *Finding {
	at := o.At("metadata.annotations[%q]", suppressAnnotation)
	f := &Finding{
		Code: UnusedSuppression.Code, Check: UnusedSuppression.Name, Severity: UnusedSuppression.Severity,
		Object: objectOf(o), Field: at.Path, Message: fmt.Sprintf("the annotation suppresses %q, and there is no such %s", code, lacks),
		Related: []Related{}, Uncertain: []Uncertain{}, at: at, from: UnusedSuppression,
	}
	if severity := s.severity(f); severity != "" {
		f.Severity = severity
	}
	return f.Suggest("remove %q from it", code)
}
