package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/mesh"
)

// readClusters reads all clusters at once. Of several, those that cannot be
// read are noted and the others returned; none at all is an error.
func (a *analyzeFlags) readClusters(ctx context.Context, f *Factory, in *analyzeInput, selected []*analyze.Check) ([]mesh.Cluster, error) {
	in.tellMore = "name the rest of the mesh with further files, or ask for the permission to read it"
	sources, err := a.sources(ctx, f)
	if err != nil {
		return nil, err
	}
	// Webhooks say which revision a tag means.
	kinds := append(kindsOf(selected), mesh.MutatingWebhookConfiguration)
	options := kube.ReadOptions{Kinds: kinds, Namespaces: in.readIn(f), IstioNamespace: f.IstioNamespace()}
	if len(sources) > 1 {
		// Time must be left to analyze those that answered.
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, a.timeout*3/4)
		defer cancel()
	}
	lives, errs := make([]*kube.Live, len(sources)), make([]error, len(sources))
	var wg sync.WaitGroup
	for i, s := range sources {
		wg.Go(func() {
			if errs[i] = s.Err; errs[i] == nil {
				lives[i], errs[i] = s.Client.Read(ctx, options)
			}
		})
	}
	wg.Wait()
	return in.gather(f, sources, lives, errs)
}

// gather sorts what was read from what was not.
func (in *analyzeInput) gather(f *Factory, sources []kube.Remote, lives []*kube.Live, errs []error) ([]mesh.Cluster, error) {
	var clusters []mesh.Cluster
	for i, s := range sources {
		if errs[i] != nil && (len(sources) == 1 || errors.Is(errs[i], context.Canceled)) {
			return nil, errs[i]
		}
		if errs[i] != nil {
			f.IO.Warnf("cluster %s is not analyzed: %v", s.Name, errs[i])
			in.clusters = append(in.clusters, analyze.ClusterState{Name: s.Name, Reason: errs[i].Error()})
			continue
		}
		in.clusters = append(in.clusters, analyze.ClusterState{Name: s.Name, Analyzed: true})
		clusters = append(clusters, mesh.Cluster{
			Name: s.Name, Objects: lives[i].Objects, Read: lives[i].Read, ReadIn: lives[i].ReadIn, Skipped: lives[i].Skipped,
		})
	}
	if len(clusters) == 0 {
		return nil, hint.Unanswerablef("check the contexts with `kubectl cluster-info --context NAME`", "none of %d clusters could be read", len(sources))
	}
	return clusters, in.checkNamespace(clusters)
}

// sources are the clusters to read: those of --contexts, else the current one,
// and with --remote those of its remote secrets.
func (a *analyzeFlags) sources(ctx context.Context, f *Factory) ([]kube.Remote, error) {
	if len(a.contexts) > 0 && *f.kubeFlags.Context != "" {
		return nil, hint.Usagef("leave one of them out", "--context and --contexts contradict each other")
	}
	var sources []kube.Remote
	for _, name := range a.contexts {
		client, err := f.ContextClient(name)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(sources, func(s kube.Remote) bool { return s.Name == name }) {
			sources = append(sources, kube.Remote{Name: name, Client: client})
		}
	}
	if len(sources) == 0 {
		client, err := f.Client()
		if err != nil {
			return nil, err
		}
		name, _ := client.Context()
		sources = append(sources, kube.Remote{Name: name, Client: client})
	}
	if !a.remote {
		return sources, nil
	}
	return a.remotes(ctx, f, sources)
}

// remotes adds the clusters of the remote secrets. Clusters whose API server
// is known already are left out: the IDs in the secrets are not the contexts' names.
func (a *analyzeFlags) remotes(ctx context.Context, f *Factory, sources []kube.Remote) ([]kube.Remote, error) {
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

// readIn are the namespaces to look in where a kind may not be listed everywhere.
func (in *analyzeInput) readIn(f *Factory) []string {
	namespaces := append(slices.Clone(in.namespaces), f.IstioNamespace())
	for _, o := range in.files.Objects {
		if o.Namespace != "" {
			namespaces = append(namespaces, o.Namespace)
		}
	}
	slices.Sort(namespaces)
	return slices.Compact(namespaces)
}
