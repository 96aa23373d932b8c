// Package mesh is the domain: what a mesh's configuration says, read once from
// files or clusters and never changed.
//
// A [Snapshot] holds [Object]s by kind, namespace and name and answers the
// questions that need several of them: which service a host name means from a
// namespace ([Registry]), which workloads a selector picks ([Workload]), what
// is injected where, what the mesh config says. Every index is built once,
// when it is first asked for, and every answer has a stable order.
//
// Files rarely hold a whole mesh. [Snapshot.Known] and [Snapshot.KnownIn] say
// whether the absence of an object means anything.
package mesh
