package cmd

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/install"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

type versionOptions struct {
	f        *Factory
	out      *outputFlags
	remote   bool
	revision string
	timeout  time.Duration
}

func newVersionCmd(f *Factory) *cobra.Command {
	o := &versionOptions{f: f}
	c := &cobra.Command{
		Use:   "version",
		Short: "Show the versions of meshctl, of the control plane and of the proxies",
		Example: `  # Versions of everything
  meshctl version

  # Only this program, without touching a cluster
  meshctl version --remote=false`,
		GroupID: groupOther,
		Args:    exactArgs(),
	}
	o.out = addOutput(c)
	c.Flags().BoolVar(&o.remote, "remote", true, "ask the cluster too")
	c.Flags().StringVarP(&o.revision, "revision", "r", "", "only istiods of this revision")
	c.Flags().DurationVar(&o.timeout, "timeout", 15*time.Second, "longest wait for one istiod")
	c.Flags().BoolP("short", "s", true, "accepted for istioctl's sake: -o json has the details")
	_ = c.Flags().MarkHidden("short")
	c.RunE = func(c *cobra.Command, _ []string) error { return o.run(c.Context()) }
	return c
}

func (o *versionOptions) run(ctx context.Context) error {
	v := newVersions(clientVersion, install.Version)
	var unanswered error
	if o.remote {
		unanswered = o.ask(ctx, v)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := o.f.print(o.out, v); err != nil {
		return err
	}
	return unanswered
}

// ask adds what the cluster runs to v. What the client alone knows is shown
// even when it fails.
func (o *versionOptions) ask(ctx context.Context, v *versions) error {
	client, err := o.f.Client()
	if err != nil {
		return err
	}
	istiods, err := client.Istiods(ctx, o.f.IstioNamespace(), o.revision)
	if err != nil {
		return err
	}
	var answers sync.WaitGroup
	parts := make([]controlPlaneVersion, len(istiods))
	for i, istiod := range istiods {
		answers.Go(func() { parts[i] = o.askIstiod(ctx, client, istiod) })
	}
	report, err := o.f.askIstiods(ctx, client, istiods, o.timeout)
	answers.Wait()
	if err == nil {
		err = report.Failure()
	}
	if err != nil {
		return err
	}
	v.add(parts, report)
	for _, p := range parts {
		if p.Error != "" {
			o.f.IO.Warnf("no version from istiod %s: %s", p.Istiod, p.Error)
		}
	}
	if !report.Complete {
		return errUnanswered
	}
	return nil
}

func (o *versionOptions) askIstiod(ctx context.Context, client *kube.Client, istiod kube.Istiod) controlPlaneVersion {
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	answer := controlPlaneVersion{Istiod: istiod.Name, Revision: istiod.Revision}
	text, err := func() (string, error) {
		body, err := client.PodGet(ctx, istiod.Namespace, istiod.Name, istiod.Port, "/version")
		if err != nil {
			return "", err
		}
		defer body.Close()
		b, err := io.ReadAll(io.LimitReader(body, 1024))
		return strings.TrimSpace(string(b)), err
	}()
	if err != nil {
		answer.Error = err.Error()
		return answer
	}
	answer.Version, answer.Build = splitBuild(text)
	return answer
}

// splitBuild separates what istiod says of itself, "1.31.1-<commit>-Clean",
// into its version and the whole.
func splitBuild(text string) (version, build string) {
	version = text
	if parts := strings.Split(text, "-"); len(parts) >= 3 {
		version = strings.Join(parts[:len(parts)-2], "-")
	}
	return version, text
}

// proxyCounts are the connected proxies by version, as "1.31.1 (3 proxies)".
func proxyCounts(report *proxyconfig.SyncReport) []dataPlaneVersion {
	counts := map[string]int{}
	for _, p := range report.Proxies {
		counts[p.Version]++
	}
	all := []dataPlaneVersion{}
	for _, version := range sortedKeys(counts) {
		all = append(all, dataPlaneVersion{Version: version, Proxies: counts[version]})
	}
	return all
}

func (d dataPlaneVersion) String() string {
	if d.Proxies == 1 {
		return fmt.Sprintf("%s (1 proxy)", d.Version)
	}
	return fmt.Sprintf("%s (%d proxies)", d.Version, d.Proxies)
}
