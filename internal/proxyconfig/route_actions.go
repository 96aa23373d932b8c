package proxyconfig

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// actions are what a route does to a request besides sending it on, in short.
// Values of headers are left out: some are secret.
func (w *wireRoute) actions() []string {
	actions := []string{}
	add := func(format string, args ...any) { actions = append(actions, fmt.Sprintf(format, args...)) }
	if a := w.Action; a != nil {
		if a.Prefix != "" {
			add("rewrite %s", a.Prefix)
		}
		if a.Regex != nil {
			add("rewrite %s to %s", a.Regex.Pattern.Regex, a.Regex.To)
		}
		if a.Host != "" {
			add("host %s", a.Host)
		}
		for i := range a.Mirrors {
			add("mirror %s", a.Mirrors[i].String())
		}
		if len(a.Limits) > 0 {
			add("rate limit")
		}
		if len(a.Hash) > 0 {
			add("by hash")
		}
		for _, u := range a.Upgrades {
			add("upgrade %s", u.Type)
		}
	}
	if text := w.String(); text != "" {
		add("%s", text)
	}
	for _, name := range slices.Sorted(maps.Keys(w.Filters)) {
		add("%s", shortName(name))
	}
	return actions
}

// String names the headers: "+x-added -x-removed", those of the response after "response".
func (w *wireHeaders) String() string {
	names := func(add []wireHeader, remove []string) []string {
		var all []string
		for _, h := range add {
			all = append(all, "+"+h.Header.Key)
		}
		for _, h := range remove {
			all = append(all, "-"+h)
		}
		return all
	}
	all := names(w.RequestAdd, w.RequestRemove)
	if response := names(w.ResponseAdd, w.ResponseRemove); len(response) > 0 {
		all = append(append(all, "response"), response...)
	}
	return strings.Join(all, " ")
}

// String is the cluster that gets a copy, and of how many requests unless all.
func (m *wireMirror) String() string {
	if m.Fraction == nil {
		return m.Cluster
	}
	whole := map[string]float64{"TEN_THOUSAND": 10000, "MILLION": 1000000}[m.Fraction.Default.Denominator]
	if whole == 0 {
		whole = 100
	}
	if m.Fraction.Default.Numerator == whole {
		return m.Cluster
	}
	return fmt.Sprintf("%s %g%%", m.Cluster, 100*m.Fraction.Default.Numerator/whole)
}
