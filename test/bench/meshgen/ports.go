package meshgen

import (
	"bufio"
	"io"
)

// Ports writes n services with five ports and three endpoints each: a proxy's
// configuration grows with the ports, and few objects make a large one. One
// service in five has a VirtualService and a DestinationRule.
func Ports(w io.Writer, n int) (Counts, error) {
	g := &generator{w: bufio.NewWriterSize(w, 1<<20)}
	for i := range n {
		if i%servicesPerNamespace == 0 {
			g.write(plainNamespace, ns(i))
		}
		g.write(portsService, name(i), ns(i))
		g.write(portsEndpoints, name(i), ns(i), name(i), i/250%250, i%250+1)
		if i%5 == 0 {
			g.write(portsRoute, name(i), ns(i), name(i))
			g.write(portsRule, name(i), ns(i), name(i))
		}
	}
	return g.counts, g.flush()
}

const (
	plainNamespace = `apiVersion: v1
kind: Namespace
metadata: {name: %s}
`
	portsService = `apiVersion: v1
kind: Service
metadata: {name: %s, namespace: %s}
spec:
  ports:
  - {name: http, port: 80, targetPort: 8080}
  - {name: http-admin, port: 8081}
  - {name: grpc, port: 9090}
  - {name: http-metrics, port: 9102}
  - {name: tcp, port: 5432}
`
	portsEndpoints = `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: %[1]s, namespace: %[2]s, labels: {kubernetes.io/service-name: %[3]s}}
addressType: IPv4
ports:
- {name: http, port: 8080}
- {name: http-admin, port: 8081}
- {name: grpc, port: 9090}
- {name: http-metrics, port: 9102}
- {name: tcp, port: 5432}
endpoints:
- {addresses: [10.50.%[4]d.%[5]d], conditions: {ready: true}}
- {addresses: [10.51.%[4]d.%[5]d], conditions: {ready: true}}
- {addresses: [10.52.%[4]d.%[5]d], conditions: {ready: true}}
`
	portsRoute = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: %s, namespace: %s}
spec:
  hosts: [%s]
  http:
  - match: [{headers: {x-user: {exact: canary}}}, {uri: {prefix: /v2}}]
    route: [{destination: {host: %[3]s, subset: v2}}]
    timeout: 5s
    retries: {attempts: 3, perTryTimeout: 1s}
  - route: [{destination: {host: %[3]s, subset: v1}, weight: 90}, {destination: {host: %[3]s, subset: v2}, weight: 10}]
`
	portsRule = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: %s, namespace: %s}
spec:
  host: %s
  trafficPolicy: {outlierDetection: {consecutive5xxErrors: 5}}
  subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
`
)
