package cmd

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/proxyconfig"
	"github.com/meshctl/meshctl/internal/proxyconfig/trace"
)

// trace walks the request through the proxies, of files or of pods.
func (o *traceOptions) trace(ctx context.Context, r *trace.Request) (*trace.Report, error) {
	switch {
	case len(o.files) > 0:
		return o.offline(ctx, r)
	case o.from == "":
		server, err := o.readPod(ctx, o.to)
		if err != nil {
			return nil, err
		}
		return trace.Run(nil, server, r), nil
	}
	client, err := o.readPod(ctx, o.from)
	if err != nil {
		return nil, err
	}
	report := trace.Start(client, r)
	if len(report.Next()) == 0 {
		return report, nil
	}
	return report, o.walkServer(ctx, report)
}

func (o *traceOptions) offline(ctx context.Context, r *trace.Request) (*trace.Report, error) {
	var dumps []*trace.Dump
	for _, file := range o.files {
		found, err := o.f.fileDumps(file)
		if err != nil {
			return nil, err
		}
		d, err := o.read(ctx, found[0])
		if err != nil {
			return nil, err
		}
		dumps = append(dumps, d)
	}
	switch {
	case o.server:
		return trace.Run(nil, dumps[0], r), nil
	case len(dumps) == 1:
		return trace.Run(dumps[0], nil, r), nil
	}
	return trace.Run(dumps[0], dumps[1], r), nil
}

func (o *traceOptions) readPod(ctx context.Context, arg string) (*trace.Dump, error) {
	found, err := o.f.podDumps(ctx, arg, o.adminPort, false)
	if err != nil {
		return nil, err
	}
	d, err := o.read(ctx, found[0])
	if err != nil {
		return nil, err
	}
	// Health and outliers as this Envoy sees them; without it the dump's own
	// health counts.
	err = found[0].read(ctx, dumpRead{path: proxyconfig.EndpointsPath, timeout: o.timeout}, d.AddStatus)
	if err != nil {
		o.f.progress("the health of endpoints is istiod's, not this proxy's: %v", err)
	}
	return d, nil
}

func (o *traceOptions) read(ctx context.Context, d dump) (*trace.Dump, error) {
	var read *trace.Dump
	err := d.read(ctx, dumpRead{path: dumpPath, timeout: o.timeout}, func(s proxyconfig.Source) error {
		var err error
		read, err = trace.ReadDump(s)
		return err
	})
	return read, err
}

// walkServer walks on in the proxy of the server, where it has one.
func (o *traceOptions) walkServer(ctx context.Context, report *trace.Report) error {
	if o.to != "" {
		d, err := o.readPod(ctx, o.to)
		if err != nil {
			return err
		}
		report.AddServer(d)
		return nil
	}
	saved, _, err := o.f.savedMesh(o.from)
	if err != nil {
		return err
	}
	if saved != nil {
		return o.savedServer(ctx, saved, report)
	}
	client, err := o.f.Client()
	if err != nil {
		return err
	}
	pod, err := podOf(ctx, client, report.Next())
	switch {
	case err != nil:
		return err
	case pod == nil:
		report.NoServer("no pod of this cluster has its address")
		return nil
	case !kube.HasProxy(pod):
		report.NoServer("pod " + pod.Name + "." + pod.Namespace + " has no sidecar")
		return nil
	}
	d, err := o.read(ctx, dumpsOf(client, []*corev1.Pod{pod}, o.adminPort)[0])
	if err != nil {
		return err
	}
	report.AddServer(d)
	return nil
}

// podOf is the first pod with the address of one of the endpoints.
func podOf(ctx context.Context, client *kube.Client, endpoints []trace.Endpoint) (*corev1.Pod, error) {
	k, err := client.Kubernetes()
	if err != nil {
		return nil, err
	}
	for i, e := range endpoints {
		if i == 10 { // they are many of one workload
			break
		}
		pods, err := k.CoreV1().Pods("").List(ctx, metav1.ListOptions{FieldSelector: "status.podIP=" + e.Address, Limit: 50})
		if err != nil {
			return nil, hint.Unanswerablef("name the server's pod with --to", "finding the pod with address %s: %w", e.Address, err)
		}
		for i := range pods.Items {
			if p := &pods.Items[i]; p.Status.Phase == corev1.PodRunning && !p.Spec.HostNetwork {
				return p, nil
			}
		}
	}
	return nil, nil
}
