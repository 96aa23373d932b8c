package cmd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/kube"
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
func addPeerOutput(c *cobra.Command) *outputFlags {
	o := addOutput(c, "short")
	c.PreRun = func(*cobra.Command, []string) {
		if o.format.value == "short" {
			o.format.value = string(output.AsTable)
		}
	}
	return o
}

// read opens the dump and hands it to parse; path is what to ask a pod for.
func (d *dumpFlags) read(ctx context.Context, args []string, path string, parse func(proxyconfig.Source) error) error {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	name, body, err := d.open(ctx, args, path)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	keep := d.out.format.value == string(output.AsJSON) || d.out.format.value == string(output.AsYAML)
	err = parse(proxyconfig.Source{Name: name, Reader: body, KeepConfig: keep})
	if err != nil && ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return hint.Unanswerablef("give it longer with --timeout", "reading the configuration of %s: it took longer than %s", name, d.timeout)
	}
	return err
}

func (d *dumpFlags) open(ctx context.Context, args []string, path string) (string, io.ReadCloser, error) {
	switch d.file {
	case "":
		return d.openPod(ctx, args[0], path)
	case "-":
		return "stdin", io.NopCloser(bufio.NewReader(d.f.IO.In)), nil
	}
	file, err := os.Open(d.file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil, hint.Unanswerablef("check the path; - reads stdin", "reading %s: there is no such file", d.file)
	case err != nil:
		return "", nil, hint.Unanswerablef("", "reading the dump: %w", err)
	}
	if info, err := file.Stat(); err == nil && info.IsDir() {
		_ = file.Close()
		return "", nil, hint.Unanswerablef("name a file in it", "reading %s: it is a directory", d.file)
	}
	return d.file, file, nil
}

func (d *dumpFlags) openPod(ctx context.Context, arg, path string) (string, io.ReadCloser, error) {
	client, err := d.f.Client()
	if err != nil {
		return "", nil, err
	}
	namespace, err := d.f.Namespace()
	if err != nil {
		return "", nil, err
	}
	pod, err := client.FindPod(ctx, arg, namespace)
	if err != nil {
		return "", nil, err
	}
	name := fmt.Sprintf("%s.%s", pod.Name, pod.Namespace)
	body, err := client.PodGet(ctx, pod.Namespace, pod.Name, d.adminPort, path)
	var status *kube.StatusError
	if errors.As(err, &status) && status.Code == http.StatusBadRequest {
		// Envoy refuses a mask that fits no part of its configuration, such as
		// that of routes where it has none; the whole dump says so.
		body, err = client.PodGet(ctx, pod.Namespace, pod.Name, d.adminPort, "/config_dump")
	}
	if err != nil && ctx.Err() == nil && !kube.HasProxy(pod) {
		absent := noProxy(pod)
		err = hint.Unanswerablef(hint.Of(absent), "%w", absent)
	}
	return name, body, err
}
