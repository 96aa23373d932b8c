// Package agree holds what `meshctl trace` says against what Envoy does.
//
// Each file in testdata/sets is a configuration: workloads, Kubernetes and Istio objects in a namespace of its own, and the
// pools that random requests to it are drawn from. A real istiod makes the Envoys' configuration from these. Every request
// is sent through a real Envoy, whose access log says where it went; trace answers the same question from that Envoy's
// config dump. See [Compare] for what has to be the same.
package agree
