package cmd

import (
	"context"
	"slices"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
	"github.com/meshctl/meshctl/internal/proxyconfig/trace"
)

// savedServer walks on in the server's proxy as a snapshot has it.
func (o *traceOptions) savedServer(ctx context.Context, saved *savedMesh, report *trace.Report) error {
	pod := saved.podAt(report.Next())
	switch {
	case pod == nil:
		report.NoServer("no pod in the snapshot has its address")
		return nil
	case !hasProxy(pod):
		report.NoServer("pod " + pod.Name + "." + pod.Namespace + " has no sidecar")
		return nil
	}
	found, err := saved.find(pod.Name, pod.Namespace)
	if err != nil {
		return hint.Unanswerablef(hint.Of(err), "the request reaches pod %s.%s, of which nothing more is known: %w", pod.Name, pod.Namespace, err)
	}
	d, err := o.read(ctx, found[0])
	if err != nil {
		return err
	}
	report.AddServer(d)
	return nil
}

// podAt is the pod with the address of one of the endpoints: one whose
// configuration was saved, if there is any.
func (m *savedMesh) podAt(endpoints []trace.Endpoint) *mesh.Object {
	var known []string
	for _, p := range m.proxies() {
		known = append(known, p.ID())
	}
	var other *mesh.Object
	for _, c := range m.Clusters {
		for _, o := range c.Objects {
			if o.Kind != mesh.Pod || mesh.Over(o) || o.Field("spec", "hostNetwork") == true {
				continue
			}
			address := o.Field("status", "podIP")
			if !slices.ContainsFunc(endpoints, func(e trace.Endpoint) bool { return e.Address == address }) {
				continue
			}
			if slices.Contains(known, o.Name+"."+o.Namespace) {
				return o
			}
			other = o
		}
	}
	return other
}
