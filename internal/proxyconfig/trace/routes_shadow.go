package trace

import (
	"reflect"
	"strings"
)

// shadowedBy is the index of a route before i that matches all that route i
// does, so that it is never reached. Only what is certain counts: several
// routes that do so together are not looked for.
func shadowedBy(routes []route, i int) (int, bool) {
	for j := range i {
		if routes[j].Match.covers(&routes[i].Match) {
			return j, true
		}
	}
	return 0, false
}

// covers says that whatever the other match matches, this one does, too.
func (m *routeMatch) covers(other *routeMatch) bool {
	if m.Fraction != nil && m.Fraction.Default.percent() < 100 || m.Fraction != nil && m.Fraction.Key != "" {
		return false
	}
	if m.GRPC != nil && other.GRPC == nil || m.Connect != nil && other.Connect == nil {
		return false
	}
	for _, pair := range [][2]any{{m.Cookies, other.Cookies}, {m.TLS, other.TLS}, {m.Dynamic, other.Dynamic}, {m.FilterState, other.FilterState}} {
		if v := reflect.ValueOf(pair[0]); v.IsNil() || v.Kind() == reflect.Slice && v.Len() == 0 {
			continue
		}
		if !reflect.DeepEqual(pair[0], pair[1]) {
			return false
		}
	}
	return m.coversPath(other) && coversHeaders(m.Headers, other.Headers) && coversQuery(m.Query, other.Query)
}

func (m *routeMatch) coversPath(other *routeMatch) bool {
	ignoresCase := m.CaseSensitive != nil && !*m.CaseSensitive
	otherIgnores := other.CaseSensitive != nil && !*other.CaseSensitive
	fold := func(s *string) string {
		if ignoresCase {
			return asciiLower(*s)
		}
		return *s
	}
	same := func(s *string) bool { // what the other matches in any case, this one must as well
		return !otherIgnores || ignoresCase || asciiLower(*s) == strings.ToUpper(*s)
	}
	switch {
	case m.Prefix != nil && (*m.Prefix == "" || *m.Prefix == "/"):
		return other.Connect == nil
	case m.Connect != nil:
		return other.Connect != nil
	case m.Prefix != nil:
		p := fold(m.Prefix)
		return same(m.Prefix) && (other.Prefix != nil && strings.HasPrefix(fold(other.Prefix), p) ||
			other.Path != nil && strings.HasPrefix(fold(other.Path), p) ||
			other.Separated != nil && strings.HasPrefix(fold(other.Separated), p))
	case m.Separated != nil:
		return same(m.Separated) && m.coversBelow(other, fold)
	case m.Path != nil:
		return same(m.Path) && other.Path != nil && fold(other.Path) == fold(m.Path)
	case m.Regex != nil:
		if other.Regex != nil {
			return m.Regex.Regex == other.Regex.Regex
		}
		return other.Path != nil && !otherIgnores && m.Regex.match("", *other.Path).Answer == Yes
	case m.Policy != nil:
		return other.Policy != nil && reflect.DeepEqual(m.Policy.Config, other.Policy.Config)
	}
	return false
}

// coversBelow is of a path and all below it.
func (m *routeMatch) coversBelow(other *routeMatch, fold func(*string) string) bool {
	p := fold(m.Separated)
	below := func(s string) bool { return s == p || strings.HasPrefix(s, p+"/") }
	return other.Separated != nil && below(fold(other.Separated)) ||
		other.Path != nil && below(fold(other.Path)) ||
		other.Prefix != nil && strings.HasPrefix(fold(other.Prefix), p+"/")
}

// coversHeaders says that each condition follows from one of the others.
func coversHeaders(own, others []headerMatcher) bool {
	for i := range own {
		implied := false
		for j := range others {
			implied = implied || own[i].follows(&others[j])
		}
		if !implied {
			return false
		}
	}
	return true
}

// follows says that what the other condition lets in, this one does.
func (m *headerMatcher) follows(other *headerMatcher) bool {
	switch {
	case !strings.EqualFold(m.Name, other.Name):
		return false
	case reflect.DeepEqual(m, other):
		return true
	}
	text := other.text()
	if text == nil || other.Invert || other.MissingIsEmpty {
		return false
	}
	if m.text() == nil && m.Range == nil { // only that it is there
		return (m.Present == nil || *m.Present) && !m.Invert
	}
	if text.Exact == nil || text.IgnoreCase || m.Invert { // another line of the header may have what is excluded
		return false
	}
	return m.matchLines("", []string{*text.Exact}).Answer == Yes
}

func coversQuery(own, others []queryMatcher) bool {
	for i := range own {
		implied := false
		for j := range others {
			o := &others[j]
			implied = implied || own[i].Name == o.Name && (own[i].String == nil || reflect.DeepEqual(own[i], *o))
		}
		if !implied {
			return false
		}
	}
	return true
}
