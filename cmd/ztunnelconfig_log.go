package cmd

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/ztunnel"
)

func newZtunnelLogCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:     "log [POD|TYPE/NAME]",
		Aliases: []string{"o"},
		Short:   "Show or change what ztunnels log",
		Long: `log shows the log levels of all ztunnels, or of one, and changes them with
--level and --reset; it then says what they were and what they are now.

A scope is a module of ztunnel, such as access or ztunnel::proxy; a level without
a scope is for all that have none of their own. ztunnel cannot list its modules:
a scope that it does not have is accepted and does nothing.

Exit codes: 0 done; 2 a ztunnel did not answer or refused; the others are shown.`,
		Example: `  # What do the ztunnels log?
  meshctl ztunnel-config log

  # Everything about connections on one node, and back again
  meshctl ztunnel-config log --node worker-1 --level ztunnel::proxy:debug
  meshctl ztunnel-config log --node worker-1 --reset`,
	}
	z := addZtunnelFlags(c, f)
	z.timeout = 15 * time.Second
	c.Flags().Lookup("timeout").DefValue = "15s"
	c.Flags().Lookup("timeout").Usage = "longest wait for one ztunnel"
	_ = c.Flags().MarkHidden("file")
	level := c.Flags().String("level", "", "set levels: [SCOPE:]LEVEL,...; a LEVEL is trace, debug, info, warning, error or off")
	reset := c.Flags().BoolP("reset", "r", false, "put the levels back that the ztunnel was started with")
	c.RunE = func(c *cobra.Command, args []string) error {
		if z.file != "" {
			return hint.Usagef("name a ztunnel, or --node", "log levels are not in a dump: %s takes no --file", c.CommandPath())
		}
		change := ztunnel.LogChange{Reset: *reset}
		if c.Flags().Changed("level") {
			var err error
			if change.Levels, err = ztunnel.ParseLogLevels(*level); err != nil {
				return err
			}
		}
		return z.log(c.Context(), args, change)
	}
	return c
}

// log asks all ztunnels at once, each with its own deadline.
func (z *ztunnelFlags) log(ctx context.Context, args []string, change ztunnel.LogChange) error {
	client, err := z.f.Client()
	if err != nil {
		return err
	}
	pods, _, err := z.targets(ctx, client, args)
	if err != nil {
		return err
	}
	slices.SortFunc(pods, func(a, b *corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	report := &ztunnel.LogReport{Changed: change.Reset || len(change.Levels) > 0, Pods: make([]ztunnel.PodLogs, len(pods))}
	hints := make([]string, len(pods))
	var group errgroup.Group
	group.SetLimit(maxAtOnce)
	for i, pod := range pods {
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, z.timeout)
			defer cancel()
			logs, err := podLogs(ctx, client, pod, z.adminPort, change)
			if err != nil {
				logs.Error, hints[i] = err.Error(), hint.Of(err)
			}
			report.Pods[i] = logs
			return nil
		})
	}
	_ = group.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	failed := 0
	for i, p := range report.Pods {
		if p.Error == "" {
			continue
		}
		failed++
		if len(pods) == 1 {
			return hint.Unanswerablef(hints[i], "%s", p.Error)
		}
		z.f.IO.Warnf("ztunnel %s: %s", p.Pod, p.Error)
	}
	if failed == len(pods) {
		return hint.Unanswerablef(hints[0], "none of the %d ztunnels answers", failed)
	}
	if err := z.f.print(z.out, report); err != nil {
		return err
	}
	if failed > 0 {
		return errUnanswered
	}
	return nil
}

// maxAtOnce bounds how many pods are talked to at the same time.
const maxAtOnce = 16

// podLogs reads the levels of one ztunnel, before and after the change.
func podLogs(ctx context.Context, client *kube.Client, pod *corev1.Pod, port int, change ztunnel.LogChange) (ztunnel.PodLogs, error) {
	logs := ztunnel.PodLogs{Pod: pod.Name + "." + pod.Namespace, Node: pod.Spec.NodeName, Scopes: []ztunnel.ScopeLog{}}
	tunnel, err := client.Tunnel(ctx, pod.Namespace, pod.Name)
	if err != nil {
		return logs, err
	}
	defer func() { _ = tunnel.Close() }()
	levels := func(path string) ([]ztunnel.LogLevel, error) {
		body, err := tunnel.Post(ctx, port, path)
		if err != nil {
			return nil, err
		}
		defer func() { _ = body.Close() }()
		text, err := io.ReadAll(io.LimitReader(body, 64<<10))
		if err != nil {
			return nil, err
		}
		return ztunnel.ReadLogLevels(string(text))
	}
	was, err := levels(ztunnel.LogPath)
	if err != nil {
		return logs, err
	}
	now := was
	if path := change.Path(); path != ztunnel.LogPath {
		if now, err = levels(path); err != nil {
			return logs, err
		}
	}
	logs.Compare(was, now)
	return logs, nil
}
