package cmd

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/mesh"
	"github.com/meshctl/meshctl/internal/snapshot"
)

// snapshotSaveFlags are the flags of snapshot save.
type snapshotSaveFlags struct {
	clusterFlags
	out       *outputFlags
	proxies   string
	selector  string
	logs      int
	adminPort int
}

func newSnapshotSaveCmd(f *Factory) *cobra.Command {
	o := &snapshotSaveFlags{}
	c := &cobra.Command{
		Use:   "save FILE [POD|TYPE/NAME ...]",
		Short: "Save the mesh of one or several clusters into a file",
		Long: `save reads what analyze reads of the clusters and writes it into a file, which it
replaces; and beside that, of every cluster,

  what each istiod says of its proxies, its version, and the end of its log
  the configuration, endpoints and log of a number of proxies, and what their
  istiods would send to them
  events of the control plane, and warnings of all namespaces

So it is the bug report, too. Of proxies those named are saved, then those that
are out of step, gateways, one pod of each workload, and more of them, up to
--proxies; what is left out is said. --selector leaves only pods with the labels.

Secrets stay out: of Secrets only those that Gateways name are read, and of them
only the certificates are saved; private keys, tokens, passwords and variables
whose names say that they are secret are replaced, in dumps and logs, too. What is
secret and does not look so can't be recognised: look at the file before you hand
it on. What may not be read is noted in the file, so that nobody takes it for missing.

Exit codes: 0 saved; 2 not everything could be read: the file holds the rest.`,
		Example: `  meshctl snapshot save mesh.snapshot

  # With the proxies that the problem is about
  meshctl snapshot save mesh.snapshot deploy/frontend.shop deploy/catalog-v1.shop

  # All clusters of a mesh, and all proxies of one application
  meshctl snapshot save --contexts east,west --proxies all -l app=frontend mesh.snapshot

  # What would a change do to it?
  meshctl analyze --from mesh.snapshot new-route.yaml`,
		Args: cobra.MatchAll(atLeastFile, maxArgs(1000, "a file and 999 pods")),
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), f, args[0], args[1:]) },
	}
	o.add(f, c)
	c.Flags().DurationVar(&o.timeout, "timeout", 2*time.Minute, "longest time to read the clusters, and again to read proxies")
	c.Flags().StringVar(&o.proxies, "proxies", strconv.Itoa(usualProxies), "of how many proxies to save the configuration: a number, all or none")
	c.Flags().StringVarP(&o.selector, "selector", "l", "", "only of pods with these labels")
	c.Flags().IntVar(&o.logs, "logs", 500, "how many lines of each log to save, 64 kB at most; 0 is none")
	c.Flags().IntVar(&o.adminPort, "proxy-admin-port", 15000, "port of Envoy's admin interface in the pods")
	o.out = addOutput(c)
	return c
}

// atLeastFile refuses no arguments at all.
func atLeastFile(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return nil
	}
	return exactArgs("a file")(c, args)
}

func (o *snapshotSaveFlags) run(ctx context.Context, f *Factory, path string, pods []string) error {
	choice, err := parseChoice(o.proxies, o.selector)
	if err != nil {
		return err
	}
	readCtx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	read, err := o.read(readCtx, f, kube.ReadOptions{
		Kinds: savedKinds(), Namespaces: []string{f.IstioNamespace()}, IstioNamespace: f.IstioNamespace(), ProxyStates: true,
	})
	if err != nil {
		return err
	}
	s := &snapshot.Snapshot{Taken: f.Now(), By: clientVersion, IstioNamespace: f.IstioNamespace(), Clusters: read.clusters}
	for _, c := range read.states {
		if !c.Analyzed {
			s.Missing = append(s.Missing, snapshot.Missing{Name: c.Name, Reason: c.Reason})
		}
	}
	filesCtx, cancelFiles := context.WithTimeout(ctx, o.timeout)
	defer cancelFiles()
	if err := o.addFiles(filesCtx, f, s, read.clients, choice, pods); err != nil {
		return err
	}
	if err := snapshot.Save(path, s); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	saved := newSavedSnapshot(path, s)
	saved.warn(f)
	if err := f.print(o.out, saved); err != nil {
		return err
	}
	if !saved.Complete {
		return errUnanswered
	}
	return nil
}

// addFiles finds out what is saved beside the objects, of all clusters at once.
func (o *snapshotSaveFlags) addFiles(ctx context.Context, f *Factory, s *snapshot.Snapshot, clients []*kube.Client, choice *proxyChoice, pods []string) error {
	if len(pods) > 0 {
		namespace, err := f.Namespace()
		if err != nil {
			return err
		}
		// Pods are named in the first cluster.
		if err := choice.name(ctx, clients[0], pods, namespace); err != nil {
			return err
		}
	}
	fetch := newFetcher(ctx)
	for i, c := range s.Clusters {
		g := &gatherer{f: f, client: clients[i], cluster: c, choice: choice, logs: o.logs, adminPort: o.adminPort, fetch: fetch}
		s.Inventories = append(s.Inventories, g.gather(ctx))
	}
	fetch.start()
	return nil
}

// savedKinds are all kinds that an analysis may ask for. Pods and Deployments
// stand for their ReplicaSets.
func savedKinds() []mesh.Kind {
	return slices.DeleteFunc(mesh.Kinds(), func(k mesh.Kind) bool { return k == mesh.ReplicaSet })
}
