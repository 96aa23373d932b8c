// Package bed runs a real Kubernetes and Istio control plane on one machine, without containers, images or root.
//
// Real processes: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, istiod (pilot-discovery), Envoy,
// Prometheus. Simulated: the nodes and the kubelet, by kwok and by this package.
//
//	bed (this process, or the supervisor that `bed up` leaves behind)
//	 ├─ etcd <── kube-apiserver <── kube-controller-manager, kube-scheduler, kwok     controlplane.go, kwok.go
//	 ├─ kubelet endpoint: port-forward and logs of every pod                           kubelet.go
//	 ├─ egress proxy: how the API server reaches webhooks behind Services              egress.go
//	 └─ runtime: watches pods, and for a known one starts the real program             runtime.go
//	      ├─ app=istiod           pilot-discovery                                      istiod.go
//	      ├─ add-ons              Prometheus; Jaeger when built; of others a stand-in     addons.go
//	      └─ container istio-proxy  Envoy in a network namespace of its own            envoy.go, xds.go, sds.go
//	           └─ netpod        with Options.Network: answers all its connections      network.go, netpod/
//
// A pod with a program becomes Ready when the program answers, and ends when the pod goes. Its container ports are
// reached as in a real cluster: by port-forward through the API server, by the API server's own calls to a Service
// (webhooks, the proxy subresource), never by listening on a pod's address.
//
// Everything listens on loopback, on ports that are locked machine-wide while a bed holds them, so any number of beds
// run side by side. Each child ends with the process that started it, however that ends: Linux kills it by parent-death
// signal. A bed's state is <repo>/.cache/beds/<name>: kubeconfig, state.json, logs/<process>.log.
//
// A bed can be broken on purpose: see Mode.
package bed
