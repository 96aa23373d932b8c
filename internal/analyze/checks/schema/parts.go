package schema

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	networking "istio.io/api/networking/v1alpha3"
)

// mostRoutes are how many HTTP routes are validated together.
const mostRoutes = 2000

// parts are what to validate of an object: the object or, of a VirtualService
// with very many routes, the same with some of them each time, because istiod's
// validator compares each route with each other one. What it would say of two
// routes that are that far apart is left to shadowed-route.
func parts(spec any) []any {
	vs, ok := spec.(*networking.VirtualService)
	if !ok {
		return []any{spec}
	}
	if hosts := twiceAtMost(vs.Hosts); len(hosts) < len(vs.Hosts) {
		vs = &networking.VirtualService{Hosts: hosts, Gateways: vs.Gateways, Http: vs.Http, Tls: vs.Tls, Tcp: vs.Tcp, ExportTo: vs.ExportTo}
	}
	if len(vs.Http) <= mostRoutes {
		return []any{vs}
	}
	var all []any
	for some := range slices.Chunk(vs.Http, mostRoutes) {
		all = append(all, &networking.VirtualService{Hosts: vs.Hosts, Gateways: vs.Gateways, Http: some, Tls: vs.Tls, Tcp: vs.Tcp, ExportTo: vs.ExportTo})
	}
	return all
}

// twiceAtMost are words without those that occur a third time: istiod's
// validator has an error for each pair of equal ones, millions for thousands.
func twiceAtMost(words []string) []string {
	if len(words) < 3 {
		return words
	}
	seen := make(map[string]int, len(words))
	var few []string
	for i, w := range words {
		switch seen[w]++; {
		case seen[w] > 2 && few == nil:
			few = slices.Clone(words[:i])
		case seen[w] <= 2 && few != nil:
			few = append(few, w)
		}
	}
	if few == nil {
		return words
	}
	return few
}

// routeNumber is how istiod's validator calls a route without a name, alone or
// at the end of where a match is.
var routeNumber = regexp.MustCompile(`(^| on )#(\d+)$`)

// renumber makes the numbers of routes in a warning about a part those of the
// whole, before which there are so many routes.
func renumber(warning error, before int) {
	aware, ok := asAware(warning)
	if !ok || before == 0 {
		return
	}
	for i, p := range aware.Parameters {
		// The second one of an ineffective match numbers matches, not routes.
		found := routeNumber.FindStringSubmatch(fmt.Sprint(p))
		if found == nil || i == 1 {
			continue
		}
		n, _ := strconv.Atoi(found[2])
		text := fmt.Sprint(p)
		aware.Parameters[i] = text[:len(text)-len(found[0])] + found[1] + "#" + strconv.Itoa(n+before)
	}
}

// different are the errors without those that say the same as another one.
func different(errs []error) []error {
	seen := make(map[string]bool, len(errs))
	return slices.DeleteFunc(errs, func(err error) bool {
		text := err.Error()
		if aware, ok := asAware(err); ok {
			text = fmt.Sprint(aware.Type, aware.Parameters)
		}
		told := seen[text]
		seen[text] = true
		return told
	})
}
