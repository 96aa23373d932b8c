package cmd

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/dashboard"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/kube"
)

type dashboardOptions struct {
	f         *Factory
	port      int
	remote    int
	address   string
	browser   bool
	timeout   time.Duration
	selectors string
}

func newDashboardCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:     "dashboard",
		Aliases: []string{"dash", "d"},
		Short:   "Open Kiali, Grafana, Jaeger, Prometheus and other dashboards",
		Long: `dashboard forwards a local port to a dashboard, waits until it answers, prints
its URL and opens it in the browser. It stays until Ctrl-C, and connects again
when the pod is replaced.`,
		Example: `  # The mesh as a graph
  meshctl dashboard kiali

  # Only the URL, on a port of your choice
  meshctl dashboard grafana --browser=false -p 3001

  # The admin page of a pod's Envoy
  meshctl dashboard proxy deploy/productpage-v1`,
		GroupID: groupProxy,
	}
	for _, d := range dashboard.All() {
		c.AddCommand(newOneDashboardCmd(f, d))
	}
	asGroup(c)
	return c
}

func newOneDashboardCmd(f *Factory, d dashboard.Dashboard) *cobra.Command {
	o := &dashboardOptions{f: f}
	c := &cobra.Command{
		Use:     d.Name,
		Short:   "Open " + d.About,
		Example: "  meshctl dashboard " + d.Name,
		Args:    exactArgs(),
	}
	if d.OfPod {
		c.Use += " [POD|TYPE/NAME]"
		c.Args = maxArgs(1, "one pod")
		c.ValidArgsFunction = f.completePod
		c.Flags().StringVarP(&o.selectors, "selector", "l", "", "take a pod that this label selector matches")
	}
	switch d.Name {
	case "proxy":
		c.Aliases = []string{"envoy"}
		c.Example += " deploy/productpage-v1"
	case "controlz":
		c.Flags().IntVar(&o.remote, "ctrlz_port", d.Port, "port of ControlZ in the pod")
	}
	c.Flags().IntVarP(&o.port, "port", "p", 0, "local port (default: the dashboard's own, or any free one)")
	c.Flags().IntVar(&o.remote, "ui-port", d.Port, "port of the dashboard in its pod")
	c.Flags().StringVar(&o.address, "address", "localhost", "address to listen on")
	c.Flags().BoolVar(&o.browser, "browser", true, "open the URL in the browser")
	c.Flags().DurationVar(&o.timeout, "timeout", 30*time.Second, "longest wait for the dashboard to answer")
	c.RunE = func(c *cobra.Command, args []string) error { return o.run(c.Context(), d, args) }
	return c
}

func (o *dashboardOptions) run(ctx context.Context, d dashboard.Dashboard, args []string) error {
	client, err := o.f.Client()
	if err != nil {
		return err
	}
	cluster := dashboardCluster{client: client, notify: func(s string) { o.f.IO.Errf("%s", s) }}
	pick, err := o.pick(client, cluster, d, args)
	if err != nil {
		return err
	}
	if dashboard.Exposed(o.address) {
		o.f.IO.Warnf("whoever reaches %s reaches %s with your rights on the cluster; --address localhost keeps it to this machine", o.address, d.Name)
	}
	session, err := dashboard.Open(ctx, cluster, d, dashboard.Target{Pick: pick, Port: o.remote, Address: o.address, LocalPort: o.port}, o.timeout)
	if err != nil {
		return err
	}
	fmt.Fprintln(o.f.IO.Out, session.URL)
	if o.browser {
		if err := o.f.Browser.Open(session.URL); err != nil {
			o.f.IO.Warnf("%v; open it yourself", err)
		}
	}
	o.f.progress("Forwarding until Ctrl-C.")
	return session.Wait()
}

// pick is how the pod is chosen, now and after each lost connection.
func (o *dashboardOptions) pick(client *kube.Client, cluster dashboardCluster, d dashboard.Dashboard, args []string) (func(context.Context) (string, string, error), error) {
	current, err := o.f.Namespace()
	if err != nil {
		return nil, err
	}
	if len(args) > 0 {
		return func(ctx context.Context) (string, string, error) {
			pod, err := client.FindPod(ctx, args[0], current)
			if err != nil {
				return "", "", err
			}
			return pod.Namespace, pod.Name, nil
		}, nil
	}
	namespaces := slices.Compact([]string{o.f.IstioNamespace(), current})
	if o.selectors != "" {
		d.Selectors, namespaces = []string{o.selectors}, []string{current}
	}
	if len(d.Selectors) == 0 {
		return nil, hint.Usagef("such as `meshctl dashboard "+d.Name+" deploy/NAME`, or -l with a label selector", "meshctl dashboard %s needs a pod", d.Name)
	}
	return func(ctx context.Context) (string, string, error) {
		pod, err := dashboard.Find(ctx, cluster, d, namespaces)
		return pod.Namespace, pod.Name, err
	}, nil
}

// dashboardCluster is the cluster as dashboards need it.
type dashboardCluster struct {
	client *kube.Client
	notify func(string)
}

// Pods lists the pods that a selector matches.
func (c dashboardCluster) Pods(ctx context.Context, namespace, selector string) ([]dashboard.Pod, error) {
	list, err := c.client.PodsBySelector(ctx, namespace, selector)
	if err != nil {
		return nil, err
	}
	pods := make([]dashboard.Pod, 0, len(list))
	for _, p := range list {
		pods = append(pods, dashboard.Pod{Namespace: p.Namespace, Name: p.Name, Phase: string(p.Status.Phase), Ready: kube.PodReady(p)})
	}
	return pods, nil
}

// Forward forwards a local port to a pod.
func (c dashboardCluster) Forward(ctx context.Context, t dashboard.Target) (dashboard.Forwarding, error) {
	return c.client.Forward(ctx, kube.ForwardOptions{Address: t.Address, LocalPort: t.LocalPort, Port: t.Port, Pick: t.Pick, Notify: c.notify})
}
