package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/test/bed"
)

func newProxiesCmd() *cobra.Command {
	var name string
	var p bed.Proxies
	var detach, stop bool
	cmd := &cobra.Command{
		Use:     "proxies",
		Short:   "Connect simulated proxies to every istiod, until Ctrl-C or in the background with -d",
		Example: "  bed proxies --count 1000 --nack 3 --stale 5\n  bed proxies --count 20 -d\n  bed proxies --stop",
		Args:    cobra.NoArgs,
	}
	nameFlag(cmd, &name)
	cmd.Flags().IntVar(&p.Count, "count", 10, "proxies in all")
	cmd.Flags().IntVar(&p.NACK, "nack", 0, "of them reject their listeners")
	cmd.Flags().IntVar(&p.Stale, "stale", 0, "of them fall silent after the first push")
	cmd.Flags().StringVar(&p.Namespace, "proxy-namespace", "bed-proxies", "the namespace they say they are in")
	cmd.Flags().StringVar(&p.Prefix, "prefix", "sim", "their names' beginning")
	cmd.Flags().BoolVarP(&detach, "detach", "d", false, "leave them connected and return")
	cmd.Flags().BoolVar(&stop, "stop", false, "disconnect all simulated proxies of the bed")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		r, err := bed.Open(name)
		if err != nil {
			return err
		}
		if stop {
			return r.DisconnectProxies(cmd.Context(), "")
		}
		start := time.Now()
		id, err := r.ConnectProxies(cmd.Context(), p)
		if err != nil {
			return err
		}
		cmd.PrintErrf("%d proxies are connected in %.1f s\n", p.Count, time.Since(start).Seconds())
		if detach {
			return nil
		}
		cmd.PrintErrln("Ctrl-C disconnects them")
		<-cmd.Context().Done()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(cmd.Context()), 5*time.Second)
		defer cancel()
		return r.DisconnectProxies(ctx, id)
	}
	return cmd
}

func newEnvoyCmd() *cobra.Command {
	var name string
	var e bed.Envoys
	cmd := &cobra.Command{
		Use:     "envoy",
		Short:   "Make simulated pods with a real Envoy each, connected to istiod",
		Example: "  bed envoy --count 3 --nack 1",
		Args:    cobra.NoArgs,
	}
	nameFlag(cmd, &name)
	cmd.Flags().IntVar(&e.Count, "count", 1, "pods in all")
	cmd.Flags().IntVar(&e.NACK, "nack", 0, "of them reject their listeners, for filters their Envoy lacks")
	cmd.Flags().StringVar(&e.Namespace, "pod-namespace", "bed-envoy", "the pods' namespace")
	cmd.Flags().StringVar(&e.Discovery, "discovery", "", "their istiod, SERVICE.NAMESPACE.svc:15012 (default: the first found)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		r, err := bed.Open(name)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), 2*time.Minute)
		defer cancel()
		names, err := r.StartEnvoys(ctx, e)
		for _, n := range names {
			if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s.%s\n", n, e.Namespace); err != nil {
				return err
			}
		}
		return err
	}
	return cmd
}

const modesHelp = `Ways to break a bed:
  nodes-not-ready      no node is Ready: its network plugin never comes up
  image-pull=REGEXP    images that match (default istio/) are not found: ErrImagePull, then ImagePullBackOff
  quota=NAMESPACE      a ResourceQuota of no pods in the namespace (default istio-system)
  webhook=RESOURCE     a validating webhook refuses to create or update it in istio-system (default deployments)
  istiod-dead=POD      that istiod's process (default every one) is dead though its pod stays Ready
  istiod-hung=POD      that istiod's process (default every one) takes connections and answers nothing
  crash-loop, oom, init-failing, probe-failing, missing-config, evicted, each =NAMESPACE (default istio-system):
                       what becomes of the containers there; crashes leave a log
  pod-security=NAMESPACE   the API server enforces the restricted standard there
  pvc-pending=NAMESPACE    a claim there, bed-data, names a storage class that is not there
  webhook-dead=NAMESPACE   a webhook without a server keeps pods from being created there
  taint                every node is tainted dedicated=batch:NoSchedule
  daemonset-no-node    every node says it is Windows
  api-server-gone      the API server is stopped; mend starts it again`

func newBreakCmd() *cobra.Command {
	return switchCmd("break", "Break a running bed on purpose", (*bed.Remote).Break)
}

func newMendCmd() *cobra.Command {
	return switchCmd("mend", "End what `bed break` did", (*bed.Remote).Mend)
}

func switchCmd(use, short string, act func(*bed.Remote, context.Context, bed.Mode) error) *cobra.Command {
	var name string
	cmd := &cobra.Command{Use: use + " MODE ...", Short: short, Long: modesHelp, Args: cobra.MinimumNArgs(1),
		Example: "  bed " + use + " nodes-not-ready\n  bed " + use + " webhook=services"}
	for _, m := range bed.Modes() {
		cmd.ValidArgs = append(cmd.ValidArgs, string(m))
	}
	nameFlag(cmd, &name)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		r, err := bed.Open(name)
		if err != nil {
			return err
		}
		for _, a := range args {
			if err := act(r, cmd.Context(), bed.Mode(a)); err != nil {
				return err
			}
			cmd.PrintErrln(use + " " + a + ": done")
		}
		return nil
	}
	return cmd
}
