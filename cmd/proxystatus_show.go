package cmd

import (
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/mesh"
	"github.com/meshctl/meshctl/internal/proxyconfig"
	"github.com/meshctl/meshctl/internal/proxyconfig/status"
)

// warn says what is left out, and why.
func (o *proxyStatusOptions) warn(r *status.Report) {
	for _, c := range r.Clusters {
		if !c.Read {
			o.f.IO.Warnf("cluster %s is left out: %s", c.Context, c.Error)
		}
	}
	for _, i := range r.Istiods {
		if i.Error != "" {
			o.f.IO.Warnf("no answer from istiod %s: %s", qualified(i), i.Error)
		}
	}
	for _, u := range r.Undecided {
		where := ""
		if u.Context != "" && len(r.Clusters) > 1 {
			where = "cluster " + u.Context + ": "
		}
		var words []string
		for _, p := range u.Problems {
			words = append(words, string(p))
		}
		o.f.IO.Warnf("%s%s: %s not known", where, u.Reason, strings.Join(words, ", "))
	}
}

// checkNamespace refuses a namespace that no cluster has and no proxy says it
// is in: a typing error would otherwise look like a mesh in step.
func (o *proxyStatusOptions) checkNamespace(m *status.Mesh, wish *status.Wish, r *status.Report) error {
	if wish.Namespace == "" || r.Summary.Proxies > 0 {
		return nil
	}
	var known []string
	for _, c := range m.Clusters {
		if c.View == nil || !c.View.Known(mesh.Namespace) {
			return nil
		}
		for _, ns := range c.View.Objects(mesh.Namespace) {
			known = append(known, ns.Name)
		}
	}
	if len(known) == 0 || slices.Contains(known, wish.Namespace) {
		return nil
	}
	next := hint.DidYouMean(wish.Namespace, known)
	if next == "" {
		next = "`kubectl get namespaces` lists them"
	}
	return hint.Unanswerablef(next, "there is no namespace %q, and no proxy says that it is in one", wish.Namespace)
}

// verdictOf is the exit code.
func verdictOf(r *status.Report) error {
	switch {
	case !r.Complete:
		return errUnanswered
	case !r.InSync:
		return errNo
	}
	return nil
}

// narrow leaves the proxy that the argument names.
func (o *proxyStatusOptions) narrow(ctx context.Context, report *status.Report, arg string) error {
	namespace, err := o.f.Namespace()
	if err != nil {
		return err
	}
	// A connected proxy need not be a pod.
	find := func(id string) *proxyconfig.ProxySync {
		if i := slices.IndexFunc(report.Proxies, func(p proxyconfig.ProxySync) bool { return p.ID() == id }); i >= 0 {
			return &report.Proxies[i]
		}
		return nil
	}
	p := find(arg)
	if p == nil {
		p = find(arg + "." + namespace)
	}
	if p == nil {
		client, err := o.f.Client()
		if err != nil {
			return err
		}
		pod, err := client.FindPod(ctx, arg, namespace)
		if err != nil {
			return err
		}
		if p = find(pod.Name + "." + pod.Namespace); p == nil {
			return notConnected(pod, report.Complete)
		}
	}
	report.Keep(p.Name, p.Namespace)
	return nil
}

// notConnected says that a pod's proxy is missing, and what most likely is the reason.
func notConnected(pod *corev1.Pod, complete bool) error {
	next := "its proxy's log says what it waits for: `kubectl logs -n " + pod.Namespace + " " + pod.Name + " -c istio-proxy`"
	if !kube.HasProxy(pod) {
		return noProxy(pod)
	}
	if !complete {
		return hint.Unanswerablef(next, "the proxy of pod %s.%s is not connected to any istiod that answered", pod.Name, pod.Namespace)
	}
	return hint.Failf(next, "the proxy of pod %s.%s is not connected to any istiod", pod.Name, pod.Namespace)
}

// noProxy says that a pod is not in the mesh.
func noProxy(pod *corev1.Pod) error {
	return hint.Failf("label its namespace with istio-injection=enabled, or the pod with sidecar.istio.io/inject=true, and restart it",
		"pod %s.%s has no proxy: there is no istio-proxy container in it", pod.Name, pod.Namespace)
}
