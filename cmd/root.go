// Package cmd is the command line of meshctl: one file per command, each a
// constructor that takes the Factory, and a run that loads, computes, prints.
package cmd

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/ui"
)

// Main runs the command line and returns the exit code of the process.
func Main(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	quietLibraries()
	io := ui.System()
	io.Out = resultWriter{io.Out}
	f := newFactory(io)
	root := newRootCmd(f)
	root.SetArgs(args)
	err := root.ExecuteContext(context.WithValue(ctx, argsKey{}, args))
	report(ctx, f.IO, err)
	return exitCode(ctx, err)
}

// argsKey finds the arguments of the process in a command's context.
type argsKey struct{}

// report says on stderr what went wrong; verdicts have been printed already.
func report(ctx context.Context, io *ui.IO, err error) {
	switch {
	case err == nil, errors.Is(err, errNo), errors.Is(err, errUnanswered), errors.Is(err, syscall.EPIPE):
	case ctx.Err() != nil:
		io.Errf("interrupted")
	default:
		io.Error(err, hint.Of(err))
	}
}

func newRootCmd(f *Factory) *cobra.Command {
	root := &cobra.Command{
		Use:   "meshctl",
		Short: "The command line of an Istio mesh",
		Long: `meshctl installs an Istio mesh from a profile, says what is wrong with its
configuration and why, which proxies are out of step, what Envoy really runs,
and opens the dashboards.`,
		Example: `  # Install Istio with the demo profile and its add-ons
  meshctl install --profile demo

  # What is wrong with the configuration of the whole mesh?
  meshctl analyze -A

  # Which proxies are out of step with the control plane?
  meshctl proxy-status`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	f.addGlobalFlags(root.PersistentFlags())
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error { return f.applyConfig(c) }
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		var invalid *pflag.InvalidValueError
		if errors.As(err, &invalid) {
			err = fmt.Errorf("--%s: %w", invalid.GetFlag().Name, invalid.Unwrap())
		}
		return hint.Usagef(flagHint(c, err), "%s: %w", c.CommandPath(), err)
	})
	root.CompletionOptions.HiddenDefaultCmd = false

	root.AddGroup(
		&cobra.Group{ID: groupInstall, Title: "Install and remove:"},
		&cobra.Group{ID: groupConfig, Title: "Configuration:"},
		&cobra.Group{ID: groupProxy, Title: "Proxies:"},
		&cobra.Group{ID: groupOther, Title: "More:"},
	)
	root.SetHelpCommandGroupID(groupOther)
	root.SetCompletionCommandGroupID(groupOther)
	root.AddCommand(commands(f)...)
	f.completeGlobals(root)
	addCompletionExamples(root)
	asGroup(root)
	return root
}

const (
	groupInstall = "install"
	groupConfig  = "config"
	groupProxy   = "proxy"
	groupOther   = "other"
)

// commands are all commands below the root.
func commands(f *Factory) []*cobra.Command {
	return []*cobra.Command{
		newPrecheckCmd(f),
		newInstallCmd(f),
		newUpgradeCmd(f),
		newRollbackCmd(f),
		newHistoryCmd(f),
		newUninstallCmd(f),
		newTagCmd(f),
		newManifestCmd(f),
		newProfileCmd(f),
		newImagesCmd(f),
		newAnalyzeCmd(f),
		newExplainCmd(f),
		newSnapshotCmd(f),
		newProxyStatusCmd(f),
		newProxyConfigCmd(f),
		newTraceCmd(f),
		newRoutesCmd(f),
		newZtunnelConfigCmd(f),
		newDashboardCmd(f),
		newVersionCmd(f),
		newExperimentalCmd(f),
		newDocsCmd(f),
	}
}

// asGroup makes c, which only holds other commands, print its help, and
// refuse an unknown command with the nearest known one.
func asGroup(c *cobra.Command) {
	c.Args = cobra.ArbitraryArgs
	// An unknown command comes with flags that are unknown here: the command is the news.
	c.FParseErrWhitelist.UnknownFlags = true
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return helpOrFlagError(c)
		}
		var known []string
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				known = append(append(known, sub.Name()), sub.Aliases...)
			}
		}
		next := hint.DidYouMean(args[0], known)
		if next == "" {
			next = "`" + c.CommandPath() + " --help` lists the commands"
		}
		return hint.Usagef(next, "unknown command %q for %q", args[0], c.CommandPath())
	}
}

// helpOrFlagError prints the help of a group, unless a flag was given that it
// does not have.
func helpOrFlagError(c *cobra.Command) error {
	given, _ := c.Context().Value(argsKey{}).([]string)
	c.FParseErrWhitelist.UnknownFlags = false
	if err := c.ParseFlags(given); err != nil {
		return c.FlagErrorFunc()(c, err)
	}
	return c.Help()
}

// flagHint proposes the known flag nearest to the one that err names.
func flagHint(c *cobra.Command, err error) string {
	if own := hint.Of(err); own != "" {
		return own
	}
	message := err.Error()
	if name, ok := strings.CutPrefix(message, "unknown flag: --"); ok {
		if best := hint.Closest(name, flagNames(c)); best != "" {
			return "did you mean --" + best + "?"
		}
	}
	return "`" + c.CommandPath() + " --help` lists the flags"
}
