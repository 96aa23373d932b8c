package cmd

import (
	"context"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/install"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/revision"
)

// tagInputs are the flags that say what a tag is.
type tagInputs struct {
	set         revision.SetOptions
	autoInject  bool
	webhookName string
	manifests   string
}

func (t *tagInputs) add(c *cobra.Command, f *Factory) {
	fs := c.Flags()
	fs.StringVarP(&t.set.Revision, "revision", "r", "", "revision at which the tag points")
	fs.BoolVar(&t.set.Overwrite, "overwrite", false, "move the tag when it points elsewhere")
	fs.BoolVar(&t.autoInject, "auto-inject-namespaces", false, "with the tag default, inject namespaces without any label too")
	fs.StringVar(&t.webhookName, "webhook-name", "", "name of the tag's webhook configuration (default: istio-revision-tag-TAG)")
	fs.StringVarP(&t.manifests, "manifests", "d", "", "directory with Istio's charts, instead of the embedded ones")
	_ = c.RegisterFlagCompletionFunc("revision", f.completeRevisions)
	c.ValidArgsFunction = f.completeTags
}

// check takes the name of the tag, and says what is missing.
func (t *tagInputs) check(args []string) error {
	if t.set.Tag = args[0]; t.set.Revision == "" {
		return hint.Usagef("add -r REVISION; `meshctl tag list` shows the revisions", "tag %s: the revision is missing", t.set.Tag)
	}
	return nil
}

// objects are what the tag consists of, with its target in the cluster.
func (t *tagInputs) objects(state *revision.State) (*revision.Target, []*unstructured.Unstructured, error) {
	target, err := state.Target(t.set)
	if err != nil {
		return nil, nil, err
	}
	objects, err := install.RenderTag(install.TagInputs{
		Tag: t.set.Tag, Revision: target.Revision, Namespace: state.Namespace, WebhookName: t.webhookName, AutoInject: t.autoInject,
		InjectionURL: target.URL, CABundle: target.CABundle, ManifestsDir: t.manifests,
	})
	return target, objects, err
}

type tagSetOptions struct {
	tag    tagInputs
	output *outputFlags
	yes    bool
	dryRun *enum
}

func newTagSetCmd(f *Factory) *cobra.Command {
	var o tagSetOptions
	c := &cobra.Command{
		Use:   "set TAG",
		Short: "Point a tag at a revision",
		Long: `Point a tag at a revision: a new one, or with --overwrite one that points
elsewhere. What changes and who is concerned comes first, and a question unless
-y is given.

The tag default takes over from the control plane without a revision. There is
no moment at which a pod is created without a proxy: the new injector is there
before the old one is switched off, and in between each leaves alone what the
other has injected.`,
		Example: `  # Name a revision, and let a namespace be injected by it
  meshctl tag set prod --revision 1-31-1
  kubectl label namespace shop istio.io/rev=prod

  # Move the name to another revision
  meshctl tag set prod --revision 1-31-2 --overwrite

  # What would change?
  meshctl tag set default --revision 1-31-2 --overwrite --dry-run`,
		Args: exactArgs("the name of the tag"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.tag.check(args); err != nil {
				return err
			}
			return o.run(c.Context(), f)
		},
	}
	o.tag.add(c, f)
	o.output = addOutput(c)
	c.Flags().BoolVar(&o.tag.set.Unready, "force", false, "even when no istiod of the revision is ready")
	c.Flags().BoolVarP(&o.yes, "skip-confirmation", "y", false, "do not ask")
	o.dryRun = addDryRun(c)
	return c
}

func (o *tagSetOptions) run(ctx context.Context, f *Factory) error {
	ctx, stop := context.WithTimeout(ctx, tagTimeout)
	defer stop()
	state, client, err := f.revisions(ctx)
	if err != nil {
		return err
	}
	target, objects, err := o.tag.objects(state) //nolint:contextcheck // rendering is pure and takes none
	if err != nil {
		return err
	}
	cluster := kube.NewObjects(client, install.FieldManager)
	change, err := state.Plan(ctx, cluster, o.tag.set, target, objects)
	if err != nil {
		return kube.Explain("planning the change of tag "+o.tag.set.Tag, err)
	}
	report := func() *revision.ChangeReport {
		r := change.Report()
		if o.dryRun.value != dryRunNone {
			r.DryRun = o.dryRun.value
		}
		return r
	}
	if o.dryRun.value != dryRunNone || change.Empty() {
		return f.print(o.output, report())
	}
	if !o.yes {
		f.announceTag(client, change)
		if err := f.confirm(ctx, "Do this?"); err != nil {
			return err
		}
	}
	err = change.Apply(ctx, cluster, kube.NewObjects(client, revision.FieldManager))
	if printErr := f.print(o.output, report()); printErr != nil {
		return printErr
	}
	if err != nil {
		return kube.Explain("setting tag "+change.Tag, err)
	}
	f.tagDone(change)
	return nil
}

// announceTag shows the plan on stderr.
func (f *Factory) announceTag(client *kube.Client, change *revision.Change) {
	if !f.IO.InTTY {
		return // there will be no question either
	}
	what := "new tag " + change.Tag + ", at revision " + change.Revision
	switch {
	case change.Revision == "":
		what = "remove tag " + change.Tag + " of revision " + change.Previous
	case change.Previous == change.Revision:
		what = "tag " + change.Tag + " of revision " + change.Revision
	case change.Previous != "":
		what = "tag " + change.Tag + ", from revision " + change.Previous + " to " + change.Revision
	}
	f.IO.Errf("In context %s (%s), %s:", contextName(client), serverURL(client), what)
	for _, s := range change.Report().Objects {
		if s.Action != revision.Keep {
			f.IO.Errf("  %s %s %s", s.Action, s.Kind, s.Name)
		}
	}
	if u := change.Users; len(u.Namespaces) > 0 || u.Pods > 0 {
		f.IO.Errf("It is used by %s.", u.Text())
	}
}

// tagDone says what to do next.
func (f *Factory) tagDone(change *revision.Change) {
	label := "istio.io/rev=" + change.Tag
	if change.Tag == revision.Default {
		label = "istio-injection=enabled"
	}
	f.progress("tag %s points at revision %s", change.Tag, change.Revision)
	switch u := change.Users; {
	case len(u.Namespaces) == 0 && u.Pods == 0:
		f.progress("next: inject sidecars by it: kubectl label namespace NAME %s", label)
	case u.Pods > 0 && change.Previous != change.Revision:
		where := "NAMESPACE"
		if len(u.Namespaces) == 1 {
			where = u.Namespaces[0]
		}
		f.progress("next: %s the present proxy until the restart: kubectl rollout restart deployment -n %s", count(u.Pods, "pod keeps", "pods keep"), where)
	}
}

func newTagGenerateCmd(f *Factory) *cobra.Command {
	var t tagInputs
	c := &cobra.Command{
		Use:   "generate TAG",
		Short: "Print the objects of a tag, as YAML",
		Long: `Print the objects that ` + "`meshctl tag set`" + ` applies, as YAML. The cluster is asked for the
revision, whose certificate authority goes into the webhooks; nothing is changed.`,
		Example: `  meshctl tag generate prod --revision 1-31-1 > prod.yaml`,
		Args:    exactArgs("the name of the tag"),
		RunE: func(c *cobra.Command, args []string) error {
			ctx, stop := context.WithTimeout(c.Context(), tagTimeout)
			defer stop()
			if err := t.check(args); err != nil {
				return err
			}
			state, _, err := f.revisions(ctx)
			if err != nil {
				return err
			}
			_, objects, err := t.objects(state)
			if err != nil {
				return err
			}
			return install.WriteYAML(f.IO.Out, state.Yield(objects))
		},
	}
	t.add(c, f)
	addIgnored(c, "skip-confirmation", "nothing is changed, so nothing is asked")
	return c
}
