package cmd

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/install"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/revision"
)

// tagTimeout is how long a change of a tag may take; it is a handful of requests.
const tagTimeout = 2 * time.Minute

func newTagCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:     "tag",
		GroupID: groupInstall,
		Short:   "Name revisions of the control plane, and move the names",
		Long: `A tag is a name for a revision: namespaces labelled istio.io/rev=TAG are injected
by the revision at which it points. Moving the tag moves them all, without a
label to change; their pods follow as they are restarted. The tag default takes
the namespaces labelled istio-injection=enabled, and its revision validates
objects that name none.`,
		Example: `  # Which tags are there, and who uses them?
  meshctl tag list

  # Name a revision
  meshctl tag set prod --revision 1-31-1

  # The canary did well: let it inject what is labelled istio-injection=enabled
  meshctl tag set default --revision 1-31-1 --overwrite`,
	}
	c.AddCommand(newTagSetCmd(f), newTagGenerateCmd(f), newTagListCmd(f), newTagRemoveCmd(f))
	asGroup(c)
	return c
}

// revisions reads the revisions and tags of the control plane's namespace, and
// warns of what could not be read.
func (f *Factory) revisions(ctx context.Context) (*revision.State, *kube.Client, error) {
	client, err := f.Client()
	if err != nil {
		return nil, nil, err
	}
	state, err := revision.Read(ctx, kube.NewObjects(client, install.FieldManager), f.IstioNamespace())
	if err != nil {
		return nil, nil, kube.Explain("reading revisions and tags", err)
	}
	if len(state.Skipped) > 0 {
		f.IO.Warnf("who uses a tag is not all known: this identity may not list %s", strings.Join(state.Skipped, ", "))
	}
	return state, client, nil
}

func newTagListCmd(f *Factory) *cobra.Command {
	var out *outputFlags
	c := &cobra.Command{
		Use:     "list",
		Aliases: []string{"show"},
		Short:   "Show tags, the revisions they point at, and the namespaces that use them",
		Long: `Show every tag with the revision at which it points and the namespaces that it
injects, and the revisions without a tag. With -o wide also how many pods have
their proxy by it, and the names of its objects.`,
		Example: `  meshctl tag list

  # With pods and objects
  meshctl tag list -o wide`,
		Args: exactArgs(),
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, stop := context.WithTimeout(c.Context(), tagTimeout)
			defer stop()
			state, _, err := f.revisions(ctx)
			if err != nil {
				return err
			}
			if err := f.print(out, state.List()); err != nil {
				return err
			}
			if len(state.Skipped) > 0 {
				return errUnanswered
			}
			return nil
		},
	}
	out = addPeerOutput(c)
	return c
}

// completeTags are the tags of the cluster.
func (f *Factory) completeTags(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	if state := f.revisionsForTab(c.Context()); state != nil && len(args) == 0 {
		for _, t := range state.Tags {
			names = append(names, t.Name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeRevisions are the revisions of the cluster.
func (f *Factory) completeRevisions(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	if state := f.revisionsForTab(c.Context()); state != nil {
		for _, r := range state.Revisions {
			names = append(names, r.Name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func (f *Factory) revisionsForTab(ctx context.Context) *revision.State {
	ctx, stop := context.WithTimeout(ctx, completionTimeout)
	defer stop()
	client, err := f.Client()
	if err != nil {
		return nil
	}
	state, err := revision.Read(ctx, kube.NewObjects(client, install.FieldManager), f.IstioNamespace())
	if err != nil {
		return nil
	}
	return state
}
