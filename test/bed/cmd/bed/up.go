package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/test/bed"
)

func newBuildCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "build [part ...]",
		Short:   "Build or fetch the programs, each once; istioctl only when named",
		Example: "  bed build\n  bed build istioctl",
		RunE: func(cmd *cobra.Command, args []string) error {
			return bed.Build(cmd.Context(), cmd.ErrOrStderr(), args...)
		},
	}
}

// upFlags binds what up and its supervisor both take.
func upFlags(cmd *cobra.Command, o *bed.Options) (finish func() error) {
	nameFlag(cmd, &o.Name)
	cmd.Flags().IntVar(&o.Nodes, "nodes", 3, "simulated nodes")
	envoy := cmd.Flags().String("envoy", "auto", "auto: a real Envoy for each istio-proxy container; off: none")
	cmd.Flags().IntVar(&o.MaxEnvoys, "max-envoys", 20, "real Envoys at most; further proxies stay simulated")
	broken := cmd.Flags().StringArray("break", nil, "a way to be broken from the start (repeatable), see bed break --help")
	env := cmd.Flags().StringToString("istiod-env", nil, "environment of every istiod, NAME=VALUE")
	cmd.Flags().DurationVar(&o.Timeout, "timeout", time.Minute, "how long starting may take, without building")
	return func() error {
		if *envoy != "auto" && *envoy != "off" {
			return fmt.Errorf("--envoy %q: want auto or off", *envoy)
		}
		o.NoEnvoy, o.IstiodEnv = *envoy == "off", *env
		for _, m := range *broken {
			o.Break = append(o.Break, bed.Mode(m))
		}
		return nil
	}
}

func newUpCmd() *cobra.Command {
	var o bed.Options
	cmd := &cobra.Command{
		Use:     "up",
		Short:   "Start a bed that stays until `bed down`; print how to use it",
		Example: "  eval $(bed up)\n  bed up --name second --nodes 5 --envoy off",
		Args:    cobra.NoArgs,
	}
	finish := upFlags(cmd, &o)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := finish(); err != nil {
			return err
		}
		o.Log = cmd.ErrOrStderr()
		self, err := os.Executable()
		if err != nil {
			return err
		}
		args := append([]string{self, "supervise"}, os.Args[2:]...) // up takes the same flags
		r, err := bed.Up(cmd.Context(), o, args)
		if err != nil {
			return err
		}
		s, err := r.Status(cmd.Context())
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "export KUBECONFIG=%s\n", s.Kubeconfig)
		return err
	}
	return cmd
}

func newSuperviseCmd() *cobra.Command {
	var o bed.Options
	cmd := &cobra.Command{Use: "supervise", Short: "What `bed up` leaves running", Hidden: true, Args: cobra.NoArgs}
	finish := upFlags(cmd, &o)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := finish(); err != nil {
			return err
		}
		tell := os.NewFile(3, "tell")
		if tell == nil {
			return errors.New("supervise is started by `bed up`")
		}
		return bed.Supervise(cmd.Context(), o, tell)
	}
	return cmd
}

func newDownCmd() *cobra.Command {
	var name string
	cmd := &cobra.Command{Use: "down", Short: "End a bed and all its processes", Args: cobra.NoArgs}
	nameFlag(cmd, &name)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx, cancel := context.WithTimeout(cmd.Context(), 30*time.Second)
		defer cancel()
		err := bed.Down(ctx, name)
		switch {
		case errors.Is(err, bed.ErrNotRunning):
			cmd.PrintErrln(err.Error())
		case err != nil:
			return err
		default:
			cmd.PrintErrln("bed " + name + " is down")
		}
		return nil
	}
	return cmd
}

func joinInts(ports []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(ports), " ", ","), "[]")
}
