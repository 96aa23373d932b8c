package cmd

import (
	"cmp"
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

// The formats of stats beside the common ones: Envoy's exporter, and pilot-agent's.
const (
	asProm       = "prom"
	asPromMerged = "prom-merged"
)

type proxyStatsOptions struct {
	podsFlags
	out   *outputFlags
	query proxyconfig.StatsQuery
}

func newProxyConfigStatsCmd(f *Factory) *cobra.Command {
	o := &proxyStatsOptions{podsFlags: podsFlags{f: f}}
	c := &cobra.Command{
		Use:   "stats [POD|TYPE/NAME...]",
		Short: "Show what proxies have counted",
		Long: `stats shows the counters, gauges and histograms of one or several Envoys: those
that are not zero, or with --all every one. --type clusters shows those of each
endpoint. Of histograms the table has some quantiles since the proxy started, and
-o wide all of them.

-o prom prints what Envoy tells Prometheus, and -o prom-merged what the pod's
agent does, with the application's own metrics: of one pod, as they are.

Exit codes: 0 done; 2 used wrongly, or a proxy did not answer: the others are shown.`,
		Example: `  # What has this proxy refused or retried?
  meshctl proxy-config stats deploy/productpage-v1 --filter 'rbac|upstream_rq_retry'

  # Which endpoints of reviews fail?
  meshctl proxy-config stats deploy/productpage-v1 --type clusters --filter 'reviews.*(rq_error|cx_connect_fail)'

  # Which pods have lost their control plane?
  meshctl proxy-config stats -l app=productpage --all --filter control_plane.connected_state`,
	}
	o.out = addPeerOutput(c, asProm, asPromMerged)
	o.add(c)
	kind := newEnum("server", "server", "clusters")
	addEnum(c, kind, "type", "t", "which stats")
	c.Flags().StringVar(&o.query.Filter, "filter", "", "only stats whose name matches this regular expression")
	c.Flags().BoolVar(&o.query.All, "all", false, "also those that are zero")
	c.RunE = func(c *cobra.Command, args []string) error {
		o.query.Clusters = kind.value == "clusters"
		o.query.Timeout = o.timeout
		if err := o.query.Check(); err != nil {
			return err
		}
		if format := o.out.format.value; format == asProm || format == asPromMerged {
			return o.exporter(c.Context(), args, format)
		}
		return o.run(c.Context(), args)
	}
	return c
}

func (o *proxyStatsOptions) run(ctx context.Context, args []string) error {
	proxies, done, err := o.admins(ctx, args)
	if err != nil {
		return err
	}
	defer done()
	report, err := proxyconfig.Stats(ctx, proxies, o.query)
	if err != nil {
		return err
	}
	first := report.Proxies[0]
	if len(proxies) == 1 && first.Error != "" {
		return hint.Unanswerablef(first.Hint, "%s", first.Error)
	}
	for _, p := range report.Proxies {
		if p.Error != "" {
			o.f.IO.Warnf("%s: %s", p.Proxy, p.Error)
		}
	}
	if failed := report.Failed(); failed == len(proxies) {
		return hint.Unanswerablef(first.Hint, "none of the %d proxies could be asked", failed)
	}
	if err := o.f.print(o.out, report); err != nil {
		return err
	}
	if report.Failed() > 0 {
		return errUnanswered
	}
	return nil
}

// exporter prints what a pod tells Prometheus.
func (o *proxyStatsOptions) exporter(ctx context.Context, args []string, format string) error {
	if o.query.Clusters {
		return hint.Usagef("leave --type out", "-o %s has only the stats of the server", format)
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	client, err := o.f.Client()
	if err != nil {
		return err
	}
	pods, err := o.pods(ctx, client, args)
	if err != nil {
		return err
	}
	if len(pods) > 1 {
		return hint.Usagef("name one pod, such as "+pods[0].Name+"."+pods[0].Namespace, "-o %s is of one pod, and there are %d", format, len(pods))
	}
	pod := pods[0]
	if err := kube.MustRun(pod); err != nil {
		return err
	}
	port, path := o.adminPort, o.query.PrometheusPath()
	if format == asPromMerged {
		if o.query.Filter != "" {
			return hint.Usagef("use -o prom, or grep", "-o %s cannot be filtered: the pod's agent prints it whole", format)
		}
		if port, path, err = kube.ScrapeTarget(pod); err != nil {
			return err
		}
	}
	body, err := client.PodGet(ctx, pod.Namespace, pod.Name, port, path)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	_, err = io.Copy(o.f.IO.Out, body)
	return cmp.Or(err, ctx.Err())
}
