// Package analyze finds what is wrong with a mesh's configuration: the checks'
// engine, their findings and the report. The checks themselves are in
// checks/<subject>/<defect>.go.
//
// # How to write a check
//
// 1. A file checks/<subject>/<defect>.go holds one value:
//
//	var MissingGateway = &analyze.Check{
//		Code: "IST0101", Name: "missing-gateway", Severity: analyze.Error, KIA: "KIA1102",
//		Reads: []mesh.Kind{mesh.VirtualService, mesh.Gateway}, // check is skipped when one may not be read
//		Uses:  []mesh.Kind{mesh.KubernetesGateway},            // asked for as well
//		Doc:   analyze.Doc{What: "...", Why: "...", Fix: "..."},
//		Run:   func(p *analyze.Pass) { ... },
//	}
//
// 2. Run asks the snapshot, which the Pass embeds:
//
//	p.VirtualServices()                   []*mesh.Resource[...]: vs.Spec.Http[0].Route, vs.Namespace, vs.Labels
//	p.Get(mesh.Gateway, ns, name)         one *mesh.Object or nil; mesh.As[*networking.Gateway](o) types it
//	mesh.InNamespace(p.Services(), ns)    the part of a list in a namespace
//	mesh.Routes(vs.Spec)                  every destination with its path; mesh.GatewayNames, mesh.InMesh
//	p.FQDN(host, ns)                      the full host name, as Istio completes it
//	p.Registry().Lookup(fqdn, ns)         the Services and ServiceEntries behind a host: Ports, Selector, Object
//	p.RulesFor(fqdn)                      the DestinationRules for a host
//	p.Select(ns, labels), p.WorkloadsIn   workloads by pod labels: Pods and every kind with a pod template
//	p.DataPlane(w)                        sidecar, ambient, out of the mesh, or undecided
//	p.MeshConfig(), p.RootNamespace()     of the right revision, with Istio's defaults
//	p.ExportTo(kind, own), p.Visible(...) exportTo with the mesh's defaults
//
// Build an index for what is asked in a loop; never loop over all objects for each
// object. Specs are shared: do not change them.
//
// 3. It reports where exactly, what is wrong, and how to mend it:
//
//	p.Report(vs.At("spec.gateways[%d]", i), "there is no Gateway %q in namespace %q", name, ns).
//		Suggest("change it to %q", best).
//		Evidence(gw.At("spec.servers[0]"), "has another name")
//
// A Suggest that has to be searched among many names stands in p.Advise(func() {...}),
// which stops searching after the first few hundred findings.
//
// Where only one correction can have been meant, an edit beside the Suggest says it to
// --fix and to SARIF's viewers. It is made in the file's own text, which else stays byte
// for byte; where it cannot be, such as in a shared anchor, the advice remains:
//
//	.Replace(at, "istio-ingress/public")    another scalar: text, bool or int
//	.Rename(at, "destination")              another name for the field; hint.Sole finds typing errors
//	.Remove(at)                             the field goes, with its value
//	.Insert(vs.At("spec.tls.mode"), "...")  a new field; its parent is there
//
// At is a field's value, AtKey its name; w.At of a workload is a field of its pod
// template. Only what is reported is looked up in the text. Messages are one sentence
// without full stop that makes sense at three in the morning.
//
// 4. It concludes nothing from what the input does not say. Files rarely hold a whole
// mesh: ask p.KnownIn(kind, namespace), p.Known(kind) or p.KnowsWorkloads(namespace) before
// reporting that something is missing, and otherwise call p.CantTell(kind, namespace).
//
// 5. The check is listed in checks/<subject>/checks.go, a new subject in checks/all.go.
//
// 6. checks/<subject>/testdata/<name>/bad.txtar and good.txtar hold what it must report
// and must not; further cases are bad-why.txtar and good-why.txtar, one for every false
// positive that ever hurt anyone. A case is the input files and, under want, exactly what
// the user reads; `go test ./internal/analyze/checks -run TestCases/<name> -update` writes
// it. A line "options: complete live cluster-domain=x now=2026-11-23" in the comment on
// top changes what is known; further words are live-in=NAMESPACE,..., istio-namespace=,
// revision=, kubernetes=v1.34.1, the version of the API server, clusters, where each
// folder is a cluster that was read, and with=CHECK,..., which run as well. bad.txtar and
// good.txtar are also what `meshctl explain` shows: one typical defect, and the same
// objects mended, in 60 lines at most. The test fails unless Reads and Uses are the kinds
// that the cases make the check ask for.
package analyze
