package cmd

import (
	"context"
	"slices"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/mesh"
)

// inputChanges tells when the input may have changed: the files, and live the
// objects of the kinds that the checks need.
func (a *analyzeFlags) inputChanges(ctx context.Context, f *Factory, args []string, selected []*analyze.Check) (<-chan struct{}, error) {
	var written []string
	for _, file := range a.out.files {
		written = append(written, file.path)
	}
	paths := append(slices.Clone(args), configFiles()...)
	for _, path := range []string{a.baseline, a.meshConfig} {
		if path != "" {
			paths = append(paths, path)
		}
	}
	changed, err := kube.WatchFiles(ctx, paths, written)
	if err != nil || !a.useKube && !a.several() {
		return changed, err
	}
	sources, err := a.sources(ctx, f)
	if err != nil {
		return nil, err
	}
	namespace, err := f.Namespace()
	if err != nil {
		return nil, err
	}
	all := []<-chan struct{}{changed}
	for _, s := range sources {
		if s.Err != nil {
			continue // the report says so
		}
		what := kube.ReadOptions{
			Kinds: append(kindsOf(selected), mesh.MutatingWebhookConfiguration), Namespaces: []string{namespace, f.IstioNamespace()}, IstioNamespace: f.IstioNamespace(),
		}
		live, err := s.Client.Changes(ctx, what, a.watchInterval, func(err error) { f.IO.Warnf("cluster %s: %v", s.Name, err) })
		if err != nil {
			return nil, err
		}
		all = append(all, live)
	}
	return anyOf(ctx, all), nil
}

// anyOf tells when one of several channels does.
func anyOf(ctx context.Context, all []<-chan struct{}) <-chan struct{} {
	out := make(chan struct{})
	for _, one := range all {
		go func() {
			for {
				select {
				case <-ctx.Done():
					return
				case <-one:
				}
				select {
				case <-ctx.Done():
					return
				case out <- struct{}{}:
				}
			}
		}()
	}
	return out
}
