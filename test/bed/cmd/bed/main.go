// Command bed runs the real control plane of package bed on this machine: see `bed --help`.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() { os.Exit(run()) }

// run returns the exit code: 0 done, 1 failed, 130 interrupted.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := &cobra.Command{
		Use:   "bed",
		Short: "A real Kubernetes and Istio control plane on this machine, for tests and demos",
		Long: "bed runs etcd, the API server, the controllers, simulated nodes, and for the pods it knows the real program:\n" +
			"istiod, Envoy, Prometheus. Loopback only; no container engine, no image, no root.",
		SilenceUsage: true, SilenceErrors: true,
	}
	root.AddCommand(newBuildCmd(), newUpCmd(), newSuperviseCmd(), newDownCmd(), newStatusCmd(), newListCmd(), newProxiesCmd(), newEnvoyCmd(),
		newBreakCmd(), newMendCmd())
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil || errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "interrupted:", err)
		return 130
	}
	fmt.Fprintln(os.Stderr, "error:", err)
	return 1
}

func nameFlag(cmd *cobra.Command, name *string) {
	cmd.Flags().StringVar(name, "name", "default", "the bed's name")
}
