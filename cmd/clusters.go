package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/mesh"
)

// clusterFlags choose the clusters to read.
type clusterFlags struct {
	contexts []string
	// remoteContexts are further ones, beside the current one or contexts.
	remoteContexts []string
	remote         bool
	timeout        time.Duration
}

func (o *clusterFlags) add(f *Factory, c *cobra.Command) {
	fs := c.Flags()
	fs.StringSliceVar(&o.contexts, "contexts", nil, "contexts of the clusters to read as one mesh, instead of the current one")
	fs.BoolVar(&o.remote, "remote", false, "read the clusters, too, that the control plane's remote secrets give access to")
	_ = c.RegisterFlagCompletionFunc("contexts", f.completeContexts)
}

// clustersRead is what was read of clusters, and which could not be.
type clustersRead struct {
	clusters []mesh.Cluster
	// clients are those of the clusters, in their order.
	clients []*kube.Client
	states  []analyze.ClusterState
}

// missing are the names of those that could not be read.
func (r *clustersRead) missing() []string {
	var names []string
	for _, s := range r.states {
		if !s.Analyzed {
			names = append(names, s.Name)
		}
	}
	return names
}

// read reads all clusters at once. Of several, those that cannot be
// read are noted and the others returned; none at all is an error.
func (o *clusterFlags) read(ctx context.Context, f *Factory, what kube.ReadOptions) (*clustersRead, error) {
	sources, err := o.sources(ctx, f)
	if err != nil {
		return nil, err
	}
	if len(sources) > 1 {
		// Time must be left for those that answered.
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.timeout*3/4)
		defer cancel()
	}
	lives, errs := make([]*kube.Live, len(sources)), make([]error, len(sources))
	var wg sync.WaitGroup
	for i, s := range sources {
		wg.Go(func() {
			if errs[i] = s.Err; errs[i] == nil {
				lives[i], errs[i] = s.Client.Read(ctx, what)
			}
		})
	}
	wg.Wait()
	return gather(f, sources, lives, errs)
}

// gather sorts what was read from what was not.
func gather(f *Factory, sources []kube.Remote, lives []*kube.Live, errs []error) (*clustersRead, error) {
	read := &clustersRead{}
	for i, s := range sources {
		if errs[i] != nil && (len(sources) == 1 || errors.Is(errs[i], context.Canceled)) {
			return nil, errs[i]
		}
		if errs[i] != nil {
			f.IO.Warnf("cluster %s is left out: %v", s.Name, errs[i])
			read.states = append(read.states, analyze.ClusterState{Name: s.Name, Reason: errs[i].Error()})
			continue
		}
		read.states = append(read.states, analyze.ClusterState{Name: s.Name, Analyzed: true})
		read.clients = append(read.clients, s.Client)
		read.clusters = append(read.clusters, mesh.Cluster{
			Name: s.Name, Objects: lives[i].Objects, Read: lives[i].Read, ReadIn: lives[i].ReadIn, Skipped: lives[i].Skipped,
		})
	}
	if len(read.clusters) == 0 {
		return nil, hint.Unanswerablef("check the contexts with `kubectl cluster-info --context NAME`", "none of %d clusters could be read", len(sources))
	}
	return read, nil
}

// sources are the clusters to read: those of --contexts, else the current one,
// those of --remote-contexts, and with --remote those of its remote secrets.
func (o *clusterFlags) sources(ctx context.Context, f *Factory) ([]kube.Remote, error) {
	if len(o.contexts) > 0 && *f.kubeFlags.Context != "" {
		return nil, hint.Usagef("leave one of them out", "--context and --contexts contradict each other")
	}
	var sources []kube.Remote
	add := func(contexts []string) error {
		for _, name := range contexts {
			client, err := f.ContextClient(name)
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(sources, func(s kube.Remote) bool { return s.Name == name }) {
				sources = append(sources, kube.Remote{Name: name, Client: client})
			}
		}
		return nil
	}
	if err := add(o.contexts); err != nil {
		return nil, err
	}
	if len(sources) == 0 {
		client, err := f.Client()
		if err != nil {
			return nil, err
		}
		name, _ := client.Context()
		sources = append(sources, kube.Remote{Name: name, Client: client})
	}
	if err := add(o.remoteContexts); err != nil {
		return nil, err
	}
	if !o.remote {
		return sources, nil
	}
	return o.remotes(ctx, f, sources)
}

// remotes adds the clusters of the remote secrets. Clusters whose API server
// is known already are left out: the IDs in the secrets are not the contexts' names.
func (o *clusterFlags) remotes(ctx context.Context, f *Factory, sources []kube.Remote) ([]kube.Remote, error) {
	servers := map[string]bool{}
	for _, s := range sources {
		_, server := s.Client.Context()
		servers[server] = true
	}
	for _, s := range slices.Clone(sources) {
		remotes, err := s.Client.Remotes(ctx, f.IstioNamespace(), f.requestTimeout)
		if err != nil {
			return nil, fmt.Errorf("cluster %s: %w", s.Name, err)
		}
		for _, r := range remotes {
			if r.Client != nil {
				_, server := r.Client.Context()
				if servers[server] {
					continue
				}
				servers[server] = true
			}
			sources = append(sources, r)
		}
	}
	return sources, nil
}

// several says whether the flags name clusters beside the current one.
func (o *clusterFlags) several() bool {
	return len(o.contexts) > 0 || len(o.remoteContexts) > 0 || o.remote
}
