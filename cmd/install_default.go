package cmd

import (
	"context"

	"github.com/meshctl/meshctl/internal/install"
	"github.com/meshctl/meshctl/internal/kube"
)

// settleDefault finds out what an install does about the default revision, and says it.
func (f *Factory) settleDefault(ctx context.Context, client *kube.Client) func(*install.Spec) error {
	return func(spec *install.Spec) error {
		standing, err := spec.Settle(ctx, kube.NewObjects(client, install.FieldManager))
		if err != nil {
			return kube.Explain("asking which revision is the default", err)
		}
		if standing.Note != "" {
			f.progress("%s", standing.Note)
		}
		return nil
	}
}
