// Package trace answers where one request goes: it walks the configuration of
// an Envoy step by step as Envoy does, and of each step tells what was chosen,
// what was not and why, and which Istio object it is from.
//
// It decides only what the configuration decides. Where something opaque has
// its say (a Wasm module, an external authorization server) or a fact of the
// request is missing, the step says "cannot decide" and names it. All is pure:
// a [Dump] and a [Request] in, a [Report] out.
package trace
