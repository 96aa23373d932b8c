// Package upgrade says what the way from the running version of Istio to
// another one means for one mesh.
//
// What changed between versions is data: rules/<minor>/<id>.yaml holds one
// [Rule] per upstream upgrade note, with an expression (CEL) that finds the
// objects it concerns. What no rule can say is a check in Go: versions and
// their skew, Kubernetes, CRDs, EnvoyFilters, deprecated fields, proxies that
// were not restarted, the next step of a canary upgrade.
//
// [New] reads a [mesh.Snapshot] and returns a [Plan]. A rule whose kinds the
// snapshot does not hold is undecided, and named.
package upgrade
