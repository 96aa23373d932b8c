package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

// proxyLogOptions are the flags of proxy-config log.
type proxyLogOptions struct {
	podsFlags
	out    *outputFlags
	change proxyconfig.LogChange
}

func newProxyConfigLogCmd(f *Factory) *cobra.Command {
	o := &proxyLogOptions{podsFlags: podsFlags{f: f}}
	c := &cobra.Command{
		Use:     "log [POD|TYPE/NAME...]",
		Aliases: []string{"o"},
		Short:   "Show or change what proxies log",
		Long: `log shows the log levels of proxies, and changes them with --level and --reset on
all pods that are named or selected, at the same time. It then says what the
levels were and what they are now.

A level is trace, debug, info, warning, error, critical or off. Without a logger
it is for all loggers, whatever stands before it. Nothing is changed anywhere
when one of the proxies does not have a logger that is named. --reset puts the
levels back that each proxy was started with, which the proxy itself tells;
with --level, these come after it.

Exit codes: 0 done; 2 used wrongly, or a proxy did not answer: the others are done.`,
		Example: `  # What does this proxy log?
  meshctl proxy-config log deploy/productpage-v1

  # Everything about HTTP and routes, on all pods of a workload
  meshctl proxy-config log deploy/productpage-v1 --level http:debug,router:debug

  # Quiet but for errors, on all pods with a label in all namespaces; and back
  meshctl proxy-config log -l app=reviews -A --level error
  meshctl proxy-config log -l app=reviews -A --reset`,
	}
	o.out = addPeerOutput(c)
	o.add(c)
	level := c.Flags().String("level", "", "set levels: [LOGGER:]LEVEL,...")
	c.Flags().BoolVarP(&o.change.Reset, "reset", "r", false, "put the levels back that the proxy was started with")
	c.RunE = func(c *cobra.Command, args []string) error {
		if c.Flags().Changed("level") {
			var err error
			if o.change.Levels, err = proxyconfig.ParseLogLevels(*level); err != nil {
				return err
			}
		}
		return o.run(c.Context(), args)
	}
	return c
}

func (o *proxyLogOptions) run(ctx context.Context, args []string) error {
	proxies, done, err := o.admins(ctx, args)
	if err != nil {
		return err
	}
	defer done()
	report, err := proxyconfig.Logs(ctx, proxies, o.change, o.timeout)
	if report == nil {
		return err
	}
	if err != nil { // interrupted: what was changed by then is told
		_ = o.f.print(o.out, report)
		return err
	}
	if err := o.tell(report); err != nil {
		return err
	}
	if err := o.f.print(o.out, report); err != nil {
		return err
	}
	if report.Failed() > 0 {
		return errUnanswered
	}
	return nil
}

// tell says which proxies failed; it returns an error when all have.
func (o *proxyLogOptions) tell(report *proxyconfig.LogReport) error {
	first := report.Proxies[0]
	if len(report.Proxies) == 1 && first.Error != "" {
		return hint.Unanswerablef(first.Hint, "%s", first.Error)
	}
	for _, p := range report.Proxies {
		if p.Error != "" {
			o.f.IO.Warnf("%s: %s", p.Proxy, p.Error)
		}
	}
	if failed := report.Failed(); failed == len(report.Proxies) {
		return hint.Unanswerablef(first.Hint, "none of the %d proxies could be asked", failed)
	}
	return nil
}
