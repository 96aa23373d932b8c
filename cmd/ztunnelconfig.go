package cmd

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/ztunnel"
)

func newZtunnelConfigCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:     "ztunnel-config",
		Aliases: []string{"zc"},
		Short:   "Show what a ztunnel knows: ambient workloads, services, policies, certificates",
		Long: `ztunnel-config shows what a ztunnel, the node proxy of ambient mode, knows.

All ztunnels know the same workloads, services and policies: without a name any
of them is asked. Certificates and connections are those of one node; name it
with --node, or name a ztunnel pod. Of a workload's pod the ztunnel of its node
is asked, and only what concerns the pod is shown. With --file no cluster is
needed. Private keys are never shown.`,
		Example: `  # The workloads of a namespace, and whether they are reached by HBONE
  meshctl ztunnel-config workload --workload-namespace shop

  # What does the ztunnel of its node know about this pod?
  meshctl ztunnel-config all deploy/productpage-v1 --with-headers

  # The connections that are open on a node
  meshctl ztunnel-config connections --node worker-1`,
		GroupID: groupProxy,
	}
	c.AddCommand(
		newZtunnelAllCmd(f), newZtunnelWorkloadCmd(f), newZtunnelServiceCmd(f), newZtunnelPolicyCmd(f),
		newZtunnelCertificateCmd(f), newZtunnelConnectionsCmd(f), newZtunnelLogCmd(f),
	)
	asGroup(c)
	return c
}

// ztunnelFlags say which ztunnel is asked, or which dump read.
type ztunnelFlags struct {
	f         *Factory
	file      string
	node      string
	adminPort int
	timeout   time.Duration
	out       *outputFlags
	// one says that what is asked for is of one node.
	one bool
}

// addZtunnelFlags registers what all ztunnel-config commands have, and checks
// their argument.
func addZtunnelFlags(c *cobra.Command, f *Factory) *ztunnelFlags {
	z := &ztunnelFlags{f: f, out: addPeerOutput(c)}
	c.Flags().StringVarP(&z.file, "file", "f", "", "read this dump instead of a ztunnel's; - is stdin")
	c.Flags().StringVar(&z.node, "node", "", "ask the ztunnel of this node")
	c.Flags().IntVar(&z.adminPort, "proxy-admin-port", 15000, "port of ztunnel's admin interface in the pod")
	c.Flags().DurationVar(&z.timeout, "timeout", time.Minute, "longest wait for the answer")
	c.ValidArgsFunction = f.completePod
	c.Args = func(c *cobra.Command, args []string) error {
		given := len(args)
		for _, value := range []string{z.file, z.node} {
			if value != "" {
				given++
			}
		}
		if given > 1 {
			return hint.Usagef("leave all but one of them out", "%s takes one of a pod, --node and --file", c.CommandPath())
		}
		return nil
	}
	return z
}

// read reads the parts of the dump that the flags and the argument name, and
// says which pod the question is about, if it is about one.
func (z *ztunnelFlags) read(ctx context.Context, args []string, parts ...ztunnel.Part) (*ztunnel.Dump, ztunnel.Pod, error) {
	ctx, cancel := context.WithTimeout(ctx, z.timeout)
	defer cancel()
	d, about, err := z.open(ctx, args, parts)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = hint.Unanswerablef("give it longer with --timeout", "reading the dump of a ztunnel: it took longer than %s", z.timeout)
	}
	return d, about, err
}

func (z *ztunnelFlags) open(ctx context.Context, args []string, parts []ztunnel.Part) (*ztunnel.Dump, ztunnel.Pod, error) {
	var about ztunnel.Pod
	if z.file != "" {
		dumps, err := z.f.fileDumps(z.file)
		if err != nil {
			return nil, about, err
		}
		body, err := dumps[0].open(ctx, ztunnel.DumpPath)
		if err != nil {
			return nil, about, err
		}
		defer func() { _ = body.Close() }()
		d, err := ztunnel.Read(ztunnel.Source{Name: dumps[0].name, Reader: body}, parts...)
		return d, about, err
	}
	client, err := z.f.Client()
	if err != nil {
		return nil, about, err
	}
	pod, about, err := z.find(ctx, client, args)
	if err != nil {
		return nil, about, err
	}
	body, err := client.PodGet(ctx, pod.Namespace, pod.Name, z.adminPort, ztunnel.DumpPath)
	if err != nil {
		return nil, about, err
	}
	defer func() { _ = body.Close() }()
	d, err := ztunnel.Read(ztunnel.Source{Name: pod.Name + "." + pod.Namespace, Reader: body}, parts...)
	return d, about, err
}
