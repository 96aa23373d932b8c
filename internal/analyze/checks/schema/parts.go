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
	if !ok || len(vs.Http) <= mostRoutes {
		return []any{spec}
	}
	var all []any
	for some := range slices.Chunk(vs.Http, mostRoutes) {
		all = append(all, &networking.VirtualService{Hosts: vs.Hosts, Gateways: vs.Gateways, Http: some, Tls: vs.Tls, Tcp: vs.Tcp, ExportTo: vs.ExportTo})
	}
	return all
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
