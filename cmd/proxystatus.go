package cmd

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

type proxyStatusOptions struct {
	f             *Factory
	out           *outputFlags
	compare       *compareFlags
	revision      string
	allNamespaces bool
	timeout       time.Duration
}

func newProxyStatusCmd(f *Factory) *cobra.Command {
	o := &proxyStatusOptions{f: f}
	c := &cobra.Command{
		Use:     "proxy-status [POD|TYPE/NAME]",
		Aliases: []string{"ps"},
		Short:   "Show which proxies are in step with the control plane",
		Long: `proxy-status asks every istiod, of every revision and all at the same time, how
far each connected proxy is:

  SYNCED    the proxy accepted the last configuration sent
  STALE     the proxy has not answered it
  ERROR     the proxy refused it; what it said stands below the table
  NOT SENT  the proxy asked for this type, and istiod had nothing to send
  -         the proxy did not ask for this type

With a POD, what its istiod would send is compared with what its Envoy has, by
meaning as proxy-config diff does: clusters, listeners, routes, endpoints, and the
secrets that istiod serves. --file gives Envoy's side from a dump.

In brackets stands how long ago it was sent. Problems come first. The exit code
is 1 when any proxy shown is STALE or in ERROR or differs, and 2 when an istiod did not
answer: the proxies of the others are shown.`,
		Example: `  # All proxies of the mesh
  meshctl proxy-status

  # Those of one namespace, with all types of configuration
  meshctl proxy-status -n shop -o wide

  # One proxy
  meshctl proxy-status deploy/productpage-v1`,
		GroupID:           groupProxy,
		Args:              maxArgs(1, "one pod"),
		ValidArgsFunction: f.completePod,
	}
	o.out = addPeerOutput(c)
	o.compare = addCompareFlags(c)
	c.Flags().StringVarP(&o.revision, "revision", "r", "", "only istiods of this revision, or of the one at which this tag points")
	c.Flags().BoolVarP(&o.allNamespaces, "all-namespaces", "A", false, "proxies of all namespaces; the default without -n")
	c.Flags().DurationVar(&o.timeout, "timeout", 15*time.Second, "longest wait for one istiod")
	// istioctl shows the states only with -v 1; they are always shown here.
	c.Flags().IntP("verbosity", "v", 1, "accepted for istioctl's sake: the states are always shown")
	_ = c.Flags().MarkHidden("verbosity")
	c.RunE = func(c *cobra.Command, args []string) error { return o.run(c.Context(), args) }
	return c
}

func (o *proxyStatusOptions) run(ctx context.Context, args []string) error {
	client, err := o.f.Client()
	if err != nil {
		return err
	}
	report, err := o.gather(ctx, client)
	if err != nil {
		return err
	}
	for _, i := range report.Istiods {
		if i.Error != "" {
			o.f.IO.Warnf("no answer from istiod %s.%s: %s", i.Name, i.Namespace, i.Error)
		}
	}
	if err := o.narrow(ctx, client, report, args); err != nil {
		return err
	}
	if len(args) > 0 {
		return o.one(ctx, client, report)
	}
	if err := o.f.print(o.out, report); err != nil {
		return err
	}
	return verdictOf(report)
}

// verdictOf is the exit code.
func verdictOf(report *proxyconfig.SyncReport) error {
	switch {
	case !report.Complete:
		return errUnanswered
	case !report.InSync:
		return errNo
	}
	return nil
}

func (o *proxyStatusOptions) gather(ctx context.Context, client *kube.Client) (*proxyconfig.SyncReport, error) {
	istiods, err := client.Istiods(ctx, o.f.IstioNamespace(), o.revision)
	if err != nil {
		return nil, err
	}
	cluster := syncz{client: client, ports: map[string]int{}}
	asked := make([]proxyconfig.IstiodSync, 0, len(istiods))
	for _, i := range istiods {
		asked = append(asked, proxyconfig.IstiodSync{Name: i.Name, Namespace: i.Namespace, Revision: i.Revision})
		cluster.ports[i.Name] = i.Port
	}
	report, err := proxyconfig.GatherSync(ctx, cluster, asked, o.timeout, o.f.Now())
	if err != nil {
		return nil, err
	}
	if failed := report.Failed(); failed == len(asked) {
		first := report.Istiods[0]
		what := fmt.Sprintf("none of the %d istiods answers: %s: %s", failed, first.Name, first.Error)
		if failed == 1 {
			what = fmt.Sprintf("istiod %s.%s does not answer: %s", first.Name, first.Namespace, first.Error)
		}
		return nil, hint.Unanswerablef(first.Hint, "%s", what)
	}
	return report, nil
}

// narrow leaves the proxies that the arguments ask for.
func (o *proxyStatusOptions) narrow(ctx context.Context, client *kube.Client, report *proxyconfig.SyncReport, args []string) error {
	if namespace := o.f.GivenNamespace(); namespace != "" && !o.allNamespaces && len(args) == 0 {
		report.Keep(func(p *proxyconfig.ProxySync) bool { return p.Namespace == namespace })
	}
	if len(args) == 0 {
		return nil
	}
	namespace, err := o.f.Namespace()
	if err != nil {
		return err
	}
	// A connected proxy need not be a pod.
	connected := func(id string) bool {
		return slices.ContainsFunc(report.Proxies, func(p proxyconfig.ProxySync) bool { return p.ID() == id })
	}
	id := args[0]
	if !connected(id) {
		id += "." + namespace
	}
	if !connected(id) {
		pod, err := client.FindPod(ctx, args[0], namespace)
		if err != nil {
			return err
		}
		if id = pod.Name + "." + pod.Namespace; !connected(id) {
			return notConnected(pod, report.Complete)
		}
	}
	report.Keep(func(p *proxyconfig.ProxySync) bool { return p.ID() == id })
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

// syncz reads istiod's /debug/syncz through the API server.
type syncz struct {
	client *kube.Client
	ports  map[string]int
}

// Syncz opens the sync state of one istiod.
func (s syncz) Syncz(ctx context.Context, istiod proxyconfig.IstiodSync) (io.ReadCloser, error) {
	return s.client.PodGet(ctx, istiod.Namespace, istiod.Name, s.ports[istiod.Name], "/debug/syncz")
}
