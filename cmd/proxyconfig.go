package cmd

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

func newProxyConfigCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:     "proxy-config",
		Aliases: []string{"pc"},
		Short:   "Show what Envoy really runs, from a pod or a dump",
		Long: `proxy-config shows the configuration that an Envoy has, in istioctl's columns.

A proxy is named as POD, POD.NAMESPACE, deploy/NAME, svc/NAME or any other kind
that selects pods; of several pods a ready one is taken. With --file no cluster
is needed: config dumps, whole or masked, and /clusters are read. Private keys
and tokens are never shown.`,
		Example: `  # Where do requests to reviews go from this pod?
  meshctl proxy-config cluster productpage-v1-6b746f74dc-9stvs.default --fqdn reviews

  # The endpoints that are not healthy
  meshctl proxy-config endpoint deploy/productpage-v1 --status unhealthy

  # The same from a dump, without a cluster
  curl -s 'localhost:15000/config_dump?include_eds' | meshctl proxy-config endpoint -f -`,
		GroupID: groupProxy,
	}
	c.AddCommand(
		newProxyConfigClusterCmd(f), newProxyConfigListenerCmd(f), newProxyConfigRouteCmd(f),
		newProxyConfigEndpointCmd(f), newProxyConfigSecretCmd(f), newProxyConfigBootstrapCmd(f),
		newProxyConfigDiffCmd(f),
		newProxyConfigLogCmd(f), newProxyConfigRootCACmd(f), newProxyConfigStatsCmd(f),
	)
	asGroup(c)
	return c
}

// dumpFlags say where a dump comes from.
type dumpFlags struct {
	f         *Factory
	file      string
	adminPort int
	timeout   time.Duration
	out       *outputFlags
}

// addDumpFlags registers what all commands on one dump have, and completes and
// checks their argument.
func addDumpFlags(c *cobra.Command, f *Factory) *dumpFlags {
	d := &dumpFlags{f: f, out: addPeerOutput(c)}
	c.Flags().StringVarP(&d.file, "file", "f", "", "read this dump instead of a pod's; - is stdin")
	addFrom(c, f)
	c.Flags().IntVar(&d.adminPort, "proxy-admin-port", 15000, "port of Envoy's admin interface in the pod")
	c.Flags().DurationVar(&d.timeout, "timeout", time.Minute, "longest wait for the proxy's answer")
	c.ValidArgsFunction = f.completePod
	c.Args = func(c *cobra.Command, args []string) error {
		switch {
		case d.file == "" && len(args) == 0:
			return hint.Usagef("name a pod, such as "+c.CommandPath()+" deploy/NAME, or a dump with --file", "%s needs a pod or a dump", c.CommandPath())
		case d.file != "" && len(args) > 0:
			return hint.Usagef("leave one of them out", "%s takes a pod or --file, not both", c.CommandPath())
		}
		return maxArgs(1, "one pod")(c, args)
	}
	return d
}

// addPeerOutput registers -o with istioctl's "short" as another name of table.
func addPeerOutput(c *cobra.Command, extra ...string) *outputFlags {
	o := addOutput(c, append(extra, "short")...)
	c.PreRun = func(*cobra.Command, []string) {
		if o.format.value == "short" {
			o.format.value = string(output.AsTable)
		}
	}
	return o
}

// find resolves the flags and arguments to the dumps that they name.
func (d *dumpFlags) find(ctx context.Context, args []string) ([]dump, error) {
	if d.file != "" {
		return d.f.fileDumps(d.file)
	}
	return d.f.podDumps(ctx, args[0], d.adminPort, false)
}

// read opens the dump and hands it to parse; path is what to ask a pod for.
func (d *dumpFlags) read(ctx context.Context, args []string, path string, parse func(proxyconfig.Source) error) error {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	dumps, err := d.find(ctx, args)
	if err != nil {
		return err
	}
	keep := d.out.format.value == string(output.AsJSON) || d.out.format.value == string(output.AsYAML)
	return dumps[0].read(ctx, dumpRead{path: path, timeout: d.timeout, keep: keep}, parse)
}
