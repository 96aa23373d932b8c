package cmd

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

type rootCAOptions struct {
	f         *Factory
	out       *outputFlags
	files     []string
	adminPort int
	timeout   time.Duration
}

func newProxyConfigRootCACmd(f *Factory) *cobra.Command {
	o := &rootCAOptions{f: f}
	c := &cobra.Command{
		Use:     "rootca-compare A B",
		Aliases: []string{"rc"},
		Short:   "Show whether two proxies trust each other's certificates",
		Long: `rootca-compare shows which CAs two proxies trust, and whether each accepts the
certificate that the other shows. A and B are pods (POD, POD.NAMESPACE,
deploy/NAME ...) or files: config dumps, or CAs in PEM.

Exit codes: 0 they trust each other; 1 they have no valid CA in common, or one
refuses the other's certificate; 2 it can't be told.`,
		Example: `  # Can these two speak mutual TLS?
  meshctl proxy-config rootca-compare deploy/frontend.shop deploy/backend.bank

  # Has this proxy the mesh's present root?
  kubectl get cm istio-ca-root-cert -o jsonpath='{.data.root-cert\.pem}' > root.pem
  meshctl proxy-config rootca-compare deploy/frontend root.pem`,
		ValidArgsFunction: f.completePod,
		Args: func(c *cobra.Command, args []string) error {
			if len(args)+len(o.files) != 2 {
				return hint.Usagef("`"+c.CommandPath()+" --help` shows examples", "%s takes two pods or files, got %s", c.CommandPath(), quoted(append(args, o.files...)))
			}
			return nil
		},
	}
	o.out = addPeerOutput(c)
	c.Flags().StringArrayVarP(&o.files, "file", "f", nil, "a file to compare; may be repeated; - is stdin")
	c.Flags().IntVar(&o.adminPort, "proxy-admin-port", 15000, "port of Envoy's admin interface in the pod")
	c.Flags().DurationVar(&o.timeout, "timeout", time.Minute, "longest time to read both")
	c.RunE = func(c *cobra.Command, args []string) error { return o.run(c.Context(), args) }
	return c
}

func (o *rootCAOptions) run(ctx context.Context, args []string) error {
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	var sides []*proxyconfig.Trust
	for i, arg := range append(args, o.files...) {
		var d dump
		var err error
		if i < len(args) {
			d, err = (&proxyDiffOptions{f: o.f, adminPort: o.adminPort}).find(ctx, arg)
		} else if dumps, fileErr := o.f.fileDumps(arg); fileErr != nil {
			err = fileErr
		} else {
			d = dumps[0]
		}
		if err != nil {
			return err
		}
		err = d.read(ctx, dumpRead{path: proxyconfig.SecretsPath, timeout: o.timeout}, func(s proxyconfig.Source) error {
			side, err := proxyconfig.ReadTrust(s)
			sides = append(sides, side)
			return err
		})
		if err != nil {
			return err
		}
	}
	if sides[0].Proxy == sides[1].Proxy {
		return hint.Usagef("name two pods of different workloads, or a file", "both are %s", sides[0].Proxy)
	}
	report := proxyconfig.CompareTrust(sides[0], sides[1], o.f.Now())
	if err := o.f.print(o.out, report); err != nil {
		return err
	}
	if !report.Good() {
		return errNo
	}
	return nil
}
