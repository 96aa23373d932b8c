// Package meshgen writes meshes of any size as YAML, with faults at known
// places, for measuring what an analysis costs.
package meshgen

import (
	"bufio"
	"fmt"
	"io"
)

// Sizes of what surrounds the services.
const (
	servicesPerNamespace = 20
	podsPerService       = 2
	perGateway           = 10 // services behind one Gateway
	perServiceEntry      = 5  // services for each external host
	perFault             = 50 // one service in so many has a fault
)

// Counts are what a mesh holds.
type Counts struct {
	// Objects are all objects written, Faults the seeded defects.
	Objects, Faults int
}

// Services writes a mesh of n services with their workloads, routes and
// policies: about nine objects for each. One in fifty has a fault, of each kind
// in turn. Equal n give equal text.
func Services(w io.Writer, n int) (Counts, error) {
	return mesh(w, n, false)
}

// Live is [Services] for a cluster without control plane: no controller makes
// pods of the Deployments, and the Pods beside them stay where they are.
func Live(w io.Writer, n int) (Counts, error) {
	return mesh(w, n, true)
}

func mesh(w io.Writer, n int, live bool) (Counts, error) {
	g := &generator{w: bufio.NewWriterSize(w, 1<<20), live: live}
	g.write(ingress)
	g.counts.Objects += 2 // its Service and Namespace
	for i := range n {
		if i%servicesPerNamespace == 0 {
			g.write(namespace, ns(i))
			g.write(peerAuthentication, ns(i))
		}
		g.service(i)
	}
	return g.counts, g.flush()
}

// Routes writes n VirtualServices, each with a Gateway and a Service of its
// own; all Gateways select the same workload.
func Routes(w io.Writer, n int) (Counts, error) {
	g := &generator{w: bufio.NewWriterSize(w, 1<<20)}
	g.write(ingress)
	g.counts.Objects += 2 // its Service and Namespace
	for i := range n {
		if i%servicesPerNamespace == 0 {
			g.write(namespace, ns(i))
		}
		g.write(service, name(i), ns(i), name(i), "http", 8080)
		g.write(gateway, name(i), ns(i), name(i))
		g.write(route, name(i), ns(i), name(i), name(i), ns(i), name(i), "")
	}
	return g.counts, g.flush()
}

type generator struct {
	w      *bufio.Writer
	counts Counts
	err    error
	live   bool
}

func (g *generator) write(template string, args ...any) {
	if g.err == nil {
		g.counts.Objects++
		_, g.err = fmt.Fprintf(g.w, "---\n"+template, args...)
	}
}

func (g *generator) flush() error {
	if g.err == nil {
		g.err = g.w.Flush()
	}
	if g.err != nil {
		return fmt.Errorf("writing a generated mesh: %w", g.err)
	}
	return nil
}

func name(i int) string { return fmt.Sprintf("svc-%05d", i) }
func ns(i int) string   { return fmt.Sprintf("team-%04d", i/servicesPerNamespace) }

// service writes everything that belongs to one service.
func (g *generator) service(i int) {
	name, ns := name(i), ns(i)
	host, subset, portName, gatewayName, extra := name, "v1", "http", ns+"/"+name2(i), ""
	if i%perFault == perFault/2 {
		g.counts.Faults++
		switch (i / perFault) % 5 {
		case 0:
			host = name + "-gone"
		case 1:
			subset = "v3"
		case 2:
			gatewayName = ns + "/missing"
		case 3:
			portName = "web"
		case 4:
			extra = "    timeoutt: 5s\n"
		}
	}
	g.write(serviceAccount, name, ns)
	g.write(service, name, ns, name, portName, 8080)
	replicas, podText := podsPerService, pod
	if g.live {
		replicas, podText = 0, livePod
	}
	g.write(deployment, name, ns, replicas, name, name, name, name)
	for p := range podsPerService {
		g.write(podText, name, p, ns, name, i, p, name, name)
	}
	g.write(virtualService, name, ns, name, name2(i), gatewayName, host, extra, name, subset)
	g.write(destinationRule, name, ns, name)
	g.write(authorizationPolicy, name, ns, name, ns, name2(i))
	if i%perGateway == 0 {
		g.write(sharedGateway, name, ns, name)
	}
	if i%perServiceEntry == 0 {
		g.write(serviceEntry, name, ns, name)
	}
	if i%servicesPerNamespace == 0 {
		g.write(sidecar, ns)
	}
}

// name2 is the service whose Gateway a service shares.
func name2(i int) string { return name(i - i%perGateway) }
