package cmd

import (
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/output"
)

func newProxyConfigCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:     "proxy-config",
		Aliases: []string{"pc"},
		Short:   "Show what Envoy really runs, from a pod or a dump",
		Long: `proxy-config shows the configuration that an Envoy has, in istioctl's columns;
-o wide adds weights, limits, timeouts and the Istio objects behind it.

A proxy is named as POD, POD.NAMESPACE, deploy/NAME, svc/NAME, gateway/NAME or any
other kind that selects pods; of several pods a ready one is taken, or with
--all-pods all. Several proxies may be named, or chosen with -l: they are asked
at the same time, and the tables get a column PROXY. One that does not answer is
a line on stderr and exit code 2; the others are shown.

With --file no cluster is needed. It reads whatever Envoy or istioctl write:
config dumps, whole or masked, /clusters as JSON or text, what istioctl
proxy-config prints with -o json or yaml, any of these compressed, and bug
reports, in which a proxy is then named. Private keys, tokens and passwords are
never shown.`,
		Example: `  # Where do requests to reviews go from this pod?
  meshctl proxy-config cluster productpage-v1-6b746f74dc-9stvs.default --fqdn reviews

  # The endpoints that are not healthy
  meshctl proxy-config endpoint deploy/productpage-v1 --status unhealthy

  # Do all pods of a workload have the same certificate?
  meshctl proxy-config secret deploy/productpage-v1 --all-pods

  # What does the bug report of a colleague say?
  meshctl proxy-config route -f bug-report.tar.gz productpage-v1-6b746f74dc-9stvs.default

  # The same from a dump, without a cluster
  curl -s 'localhost:15000/config_dump?include_eds' | meshctl proxy-config endpoint -f -`,
		GroupID: groupProxy,
	}
	c.AddCommand(
		newProxyConfigAllCmd(f), newProxyConfigClusterCmd(f), newProxyConfigListenerCmd(f), newProxyConfigRouteCmd(f),
		newProxyConfigEndpointCmd(f), newProxyConfigSecretCmd(f), newProxyConfigBootstrapCmd(f),
		newProxyConfigEDSCmd(f), newProxyConfigECDSCmd(f),
		newProxyConfigDiffCmd(f),
		newProxyConfigLogCmd(f), newProxyConfigRootCACmd(f), newProxyConfigStatsCmd(f),
	)
	asGroup(c)
	return c
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
