// Package proxyconfig reads what Envoy runs and how far it is in step with the
// control plane: config dumps, /clusters and istiod's /debug/syncz, each
// decoded to the few fields that people look at. Everything here is pure but
// [GatherSync], which reads through an interface.
package proxyconfig
