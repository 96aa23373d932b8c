package cmd

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/proxyconfig/status"
)

type proxyStatusOptions struct {
	f             *Factory
	out           *outputFlags
	clusters      clusterFlags
	ask           *askFlags
	compare       *compareFlags
	revision      string
	allNamespaces bool
	all           bool
	only          []string
	staleAfter    time.Duration
	timeout       time.Duration
	watch, wait   bool
	watchInterval time.Duration
}

func newProxyStatusCmd(f *Factory) *cobra.Command {
	o := &proxyStatusOptions{f: f}
	c := &cobra.Command{
		Use:     "proxy-status [POD|TYPE/NAME]",
		Aliases: []string{"ps"},
		Short:   "Show which proxies are out of step with the control plane, and why",
		Long: `proxy-status asks every istiod, of every revision and of all clusters named, at
the same time, how far each connected proxy is, and compares that with the pods
that run. What is wrong comes first; the rest is summed up, unless --all asks for
every proxy.

Of each type of configuration a proxy is

  SYNCED     it accepted what was sent last
  IN FLIGHT  it was sent something less than --stale-after ago
  STALE      it has not answered for longer than that
  ERROR      it refused what was sent; what it said stands below the table
  NOT SENT   it asked for the type, and istiod had nothing to send
  -          it did not ask for the type

In brackets stands how long ago it was sent. The problems, as --only names them:

  error, stale   as above
  not-connected  a pod runs with a proxy of which no istiod knows
  not-injected   a pod should have a proxy, by its labels or its namespace's, and has none
  old            the proxy is of another revision than its labels ask for now, or
                 of an older version than its istiod
  no-pod         a proxy is connected whose pod is not there; not in namespaces
                 with WorkloadEntries or WorkloadGroups, where it may be a virtual machine

With a POD, what its istiod would send is compared with what its Envoy has, by
meaning as proxy-config diff does: clusters, listeners, routes, endpoints, and the
secrets that istiod serves. --file gives Envoy's side from a dump.

Exit codes: 0 all that was asked for is in step; 1 something is stale, refused, not
connected, not injected or differs, or --only asked for what was found; 2 an istiod
or a cluster did not answer, or what may not be read leaves something open: what is
known is shown. Proxies that are old or without a pod alone do not make it 1.

With --wait the exit code is 0 as soon as all is in step; when the time is over,
1 and what is not, or 2 when that could not be found out.

Istiods are asked on their monitoring port through the API server or, where that
refuses, over xDS with a token of the service account default. --xds-address,
--xds-port, --cert-dir and --plaintext ask over xDS at once. An istiod outside of
the cluster is found by its injector's address. With --xds-address no pods are read:
the report is what that istiod knows.`,
		Example: `  # What is out of step, in the whole mesh?
  meshctl proxy-status

  # Every proxy of one namespace, with all types of configuration
  meshctl proxy-status -n shop --all -o wide

  # One proxy
  meshctl proxy-status deploy/productpage-v1

  # In a pipeline, after a change: until the proxies of the shop have taken it
  meshctl proxy-status -n shop --wait --timeout 2m

  # What changes from now on
  meshctl proxy-status --watch

  # Only what istiods say, of two clusters; pods are not read
  meshctl proxy-status --contexts east,west --only error,stale

  # An istiod outside of the cluster
  meshctl proxy-status --xds-address istiod.example.com:15012 --cert-dir ~/.istio-certs`,
		GroupID:           groupProxy,
		Args:              maxArgs(1, "one pod"),
		ValidArgsFunction: f.completePod,
	}
	o.out = addPeerOutput(c, "prometheus")
	o.clusters.add(f, c)
	o.ask = addAskFlags(c)
	o.compare = addCompareFlags(c)
	addFrom(c, f)
	fs := c.Flags()
	fs.StringVarP(&o.revision, "revision", "r", "", "only istiods and pods of this revision, or of the one at which this tag points")
	fs.BoolVarP(&o.allNamespaces, "all-namespaces", "A", false, "proxies of all namespaces; the default without -n")
	fs.BoolVar(&o.all, "all", false, "show every proxy, also those in step")
	fs.StringSliceVar(&o.only, "only", nil, "only these: "+strings.Join(status.Words(), ", "))
	_ = c.RegisterFlagCompletionFunc("only", cobra.FixedCompletions(status.Words(), cobra.ShellCompDirectiveNoFileComp))
	fs.DurationVar(&o.staleAfter, "stale-after", 10*time.Second, "how long a proxy may take to answer, and a new pod to connect, before it is a problem")
	fs.DurationVar(&o.timeout, "timeout", eachTimeout, "longest wait for one istiod and for one cluster; with --wait for all, 5m when not given")
	fs.BoolVarP(&o.watch, "watch", "w", false, "look again and again: on a terminal redraw, otherwise print what changes")
	fs.DurationVar(&o.watchInterval, "watch-interval", 5*time.Second, "with --watch: the pause between two looks")
	fs.BoolVar(&o.wait, "wait", false, "wait until all that is asked for is in step, nothing is in flight and every new pod's proxy is connected, or --timeout is over")
	// istioctl shows the states only with -v 1; they are always shown here.
	fs.IntP("verbosity", "v", 1, "accepted for istioctl's sake: the states are always shown")
	_ = fs.MarkHidden("verbosity")
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := o.ask.check(c); err != nil {
			return err
		}
		if err := o.checkSaved(c); err != nil {
			return err
		}
		if err := o.checkWatch(args, c.Flags().Changed("timeout")); err != nil {
			return err
		}
		return o.run(c.Context(), args)
	}
	return c
}

func (o *proxyStatusOptions) run(ctx context.Context, args []string) error {
	wish, err := o.wish(args)
	if err != nil {
		return err
	}
	if o.f.saved.from != "" {
		return o.runSaved(args, wish)
	}
	reader, err := newMeshReader(ctx, o)
	if err != nil {
		return err
	}
	switch {
	case o.wait:
		return o.waitFor(ctx, args, reader, wish)
	case o.watch:
		return o.watchAll(ctx, reader, wish)
	}
	report, err := o.report(ctx, reader, wish)
	if err != nil {
		return err
	}
	o.warn(report)
	if len(args) > 0 {
		if err := o.narrow(ctx, report, args[0]); err != nil {
			return err
		}
	}
	return o.show(ctx, args, reader, report)
}

// show prints the report, and makes it the exit code.
func (o *proxyStatusOptions) show(ctx context.Context, args []string, reader *meshReader, report *status.Report) error {
	if len(args) > 0 {
		return o.one(ctx, reader, report)
	}
	if err := o.f.print(o.out, report); err != nil {
		return err
	}
	return verdictOf(report)
}

// wish is what the flags ask for.
func (o *proxyStatusOptions) wish(args []string) (*status.Wish, error) {
	only, err := status.ParseOnly(o.only)
	if err != nil {
		return nil, err
	}
	wish := &status.Wish{Only: only, All: o.all, StaleAfter: o.staleAfter, NoPods: o.ask.address != ""}
	for _, p := range []status.Problem{status.NotConnected, status.NotInjected, status.NoPod} {
		if wish.NoPods && slices.Contains(only, p) {
			return nil, hint.Usagef("ask the cluster's istiods, without --xds-address", "--only %s needs the cluster's pods, which --xds-address leaves out", p)
		}
	}
	switch {
	case len(args) > 0:
		wish.Only = []status.Problem{status.Rejected, status.Stale, status.InStep}
	case !o.allNamespaces:
		wish.Namespace = o.f.GivenNamespace()
	}
	return wish, nil
}

// confirmAfter is the pause before istiods are asked again about pods that
// look ready and not connected: a proxy may have moved from one to another
// between their answers.
const confirmAfter = time.Second

// report reads the mesh and judges it.
func (o *proxyStatusOptions) report(ctx context.Context, reader *meshReader, wish *status.Wish) (*status.Report, error) {
	m, err := reader.read(ctx, wish)
	if err != nil {
		return nil, err
	}
	report := status.New(m, *wish)
	if err := o.checkNamespace(m, wish, report); err != nil {
		return nil, err
	}
	if !report.Unsure() {
		return report, nil
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(confirmAfter):
	}
	if m, err = reader.again(ctx); err != nil {
		return nil, err
	}
	return status.New(m, *wish), nil
}
