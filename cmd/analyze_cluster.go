package cmd

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/deadline"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/mesh"
	"github.com/meshctl/meshctl/internal/snapshot"
)

// analyzeInput is what analyze looks at.
type analyzeInput struct {
	// snapshots are what to analyze, before the same without the files that
	// are laid over clusters; nil when none are.
	snapshots, before []*mesh.Snapshot
	clusters          []analyze.ClusterState
	files             *kube.Files
	// namespaces are those to report on; nil is all.
	namespaces []string
	// tellMore says how to get a fuller answer.
	tellMore string
}

// addClusterFlags registers what chooses clusters.
func (a *analyzeFlags) addClusterFlags(f *Factory, c *cobra.Command) {
	a.add(f, c)
	c.Flags().StringVar(&a.from, "from", "", "`file` that meshctl snapshot save wrote, to read instead of a cluster")
	a.changes = newEnum(changesNew, changesNew, changesAll)
	addEnum(c, a.changes, "changes", "", "of files laid over a cluster, report the findings that they bring, or all")
}

// The values of --changes.
const (
	changesNew = "new"
	changesAll = "all"
)

// readsCluster says whether the flags ask for a live cluster.
func (a *analyzeFlags) readsCluster(given bool, args []string) bool {
	if given {
		return a.useKube
	}
	if a.from != "" {
		return false
	}
	return len(args) == 0 || a.several()
}

// load reads the files, the clusters, or both.
func (a *analyzeFlags) load(ctx context.Context, f *Factory, args []string, selected []*analyze.Check) (*analyzeInput, error) {
	in := &analyzeInput{files: &kube.Files{}, tellMore: "--use-kube reads the cluster, too; --complete says that the files are all there is"}
	if a.complete {
		in.tellMore = "not even a complete input says what the control plane's installer, controllers and people put there; --use-kube reads the cluster, too"
	}
	live := a.useKube || a.several()
	if a.from != "" && live {
		return nil, hint.Usagef("leave one of them out", "--from reads a saved snapshot, --use-kube, --contexts and --remote live clusters")
	}
	if !live && a.from == "" && len(args) == 0 {
		return nil, hint.Usagef("name files, directories or - for stdin, or leave out --use-kube=false", "nothing to analyze: no files, and no cluster")
	}
	options := mesh.Options{Complete: a.complete, IstioNamespace: f.IstioNamespace(), Revision: a.revision}
	if err := a.chooseNamespaces(f, in, len(args) > 0); err != nil {
		return nil, err
	}
	if len(args) > 0 {
		if err := a.readFiles(ctx, f, args, in); err != nil {
			return nil, err
		}
		options.Unreadable = in.files.Unreadable()
	}
	if a.meshConfig != "" {
		o, err := meshConfigFrom(a.meshConfig, options)
		if err != nil {
			return nil, err
		}
		options.MeshConfig = o
	}
	var clusters []mesh.Cluster
	if live || a.from != "" {
		read, err := a.readBase(ctx, f, in, selected, &options)
		if err != nil {
			return nil, err
		}
		clusters, in.clusters, options.Complete = read.clusters, read.states, false
		in.tellMore = "name the rest of the mesh with further files, or ask for the permission to read it"
		if missing := read.missing(); len(missing) > 0 {
			in.tellMore = "cluster " + strings.Join(missing, ", ") + " may have them"
		}
		if err := in.checkNamespace(clusters); err != nil {
			return nil, err
		}
	}
	if _, err := deadline.Do(ctx, func() (any, error) {
		in.view(clusters, options)
		return nil, a.checkRevision(in)
	}); err != nil {
		if ctx.Err() != nil {
			err = hint.Unanswerablef("give it longer with --timeout, or ask for less with -n", "sorting what was read: %w", err)
		}
		return nil, err
	}
	return in, nil
}

// readBase reads what the files are laid over: clusters, or a saved snapshot.
func (a *analyzeFlags) readBase(ctx context.Context, f *Factory, in *analyzeInput, selected []*analyze.Check, o *mesh.Options) (*clustersRead, error) {
	// Webhooks say which revision a tag means.
	kinds := append(kindsOf(selected), mesh.MutatingWebhookConfiguration)
	if a.from != "" {
		saved, err := snapshot.Open(a.from)
		if err != nil {
			return nil, err
		}
		o.IstioNamespace = saved.IstioNamespace
		return savedClusters(f, saved, kinds), nil
	}
	return a.read(ctx, f, kube.ReadOptions{Slim: true, Kinds: kinds, Only: in.namespaces, Namespaces: in.readIn(f), IstioNamespace: f.IstioNamespace(), With: in.files.Objects})
}

// savedClusters are the clusters of a saved snapshot, with what would be read
// of live ones.
func savedClusters(f *Factory, saved *snapshot.Snapshot, kinds []mesh.Kind) *clustersRead {
	read := &clustersRead{clusters: saved.Clusters}
	kinds = append(kinds, mesh.Namespace, mesh.ConfigMap)
	for i, c := range saved.Clusters {
		read.clusters[i].Objects = slices.DeleteFunc(c.Objects, func(o *mesh.Object) bool { return !slices.Contains(kinds, o.Kind) })
		read.states = append(read.states, analyze.ClusterState{Name: c.Name, Analyzed: true})
	}
	for _, m := range saved.Missing {
		f.IO.Warnf("cluster %s is left out: it could not be read when the snapshot was saved: %s", m.Name, m.Reason)
		read.states = append(read.states, analyze.ClusterState{Name: m.Name, Reason: m.Reason})
	}
	return read
}

// view makes the snapshots: of the files alone, of the clusters, or of the
// clusters with the files applied and without.
func (in *analyzeInput) view(clusters []mesh.Cluster, options mesh.Options) {
	incomplete := slices.ContainsFunc(in.clusters, func(c analyze.ClusterState) bool { return !c.Analyzed })
	if len(clusters) == 0 {
		in.snapshots = mesh.Views([]mesh.Cluster{{Objects: in.files.Objects}}, false, options)
		return
	}
	laid := slices.Clone(clusters)
	for i := range laid {
		laid[i].Objects = slices.Concat(laid[i].Objects, in.files.Objects)
	}
	in.snapshots = mesh.Views(laid, incomplete, options)
	if len(in.files.Objects) > 0 {
		in.before = mesh.Views(clusters, incomplete, options)
	}
}

// analyze runs the checks. Of files over clusters the report says what they change.
func (in *analyzeInput) analyze(ctx context.Context, selected []*analyze.Check, o analyze.Options, all bool) (*analyze.Report, error) {
	report, err := analyze.RunAll(ctx, in.snapshots, selected, o)
	if err != nil {
		return nil, err
	}
	report.AddClusters(in.clusters)
	if in.before == nil {
		return report, nil
	}
	before, err := analyze.RunAll(ctx, in.before, selected, o)
	if err != nil {
		return nil, err
	}
	report.Changes(before, all)
	return report, nil
}

// chooseNamespaces sets which namespaces to report on: those asked for; of
// files all, wherever they change something; of a cluster the context's.
func (a *analyzeFlags) chooseNamespaces(f *Factory, in *analyzeInput, files bool) error {
	given := f.GivenNamespace()
	switch {
	case a.allNamespaces && given != "":
		return hint.Usagef("leave one of them out", "--all-namespaces and --namespace contradict each other")
	case a.allNamespaces, given == "" && (files || a.from != ""):
		return nil
	}
	namespace, err := f.Namespace()
	if err != nil {
		return err
	}
	in.namespaces = []string{namespace}
	return nil
}

// checkNamespace refuses a namespace that neither the clusters nor the files
// have: a typing error would otherwise look like a clean mesh.
func (in *analyzeInput) checkNamespace(clusters []mesh.Cluster) error {
	if len(in.namespaces) == 0 || len(clusters) == 0 {
		return nil
	}
	var known []string
	for _, o := range in.files.Objects {
		known = append(known, o.Namespace)
	}
	for _, c := range clusters {
		if !slices.Contains(c.Read, mesh.Namespace) {
			return nil
		}
		for _, o := range c.Objects {
			if o.Kind == mesh.Namespace {
				known = append(known, o.Name)
			}
		}
	}
	if wanted := in.namespaces[0]; !slices.Contains(known, wanted) {
		next := hint.DidYouMean(wanted, known)
		if next == "" {
			next = "`kubectl get namespaces` lists them; -A analyzes all"
		}
		return hint.Unanswerablef(next, "analyzing namespace %q: the cluster has no such namespace", wanted)
	}
	return nil
}

// checkRevision refuses a revision that no control plane of the input has.
func (a *analyzeFlags) checkRevision(in *analyzeInput) error {
	if a.revision == "" || len(in.snapshots) == 0 {
		return nil
	}
	var known []string
	for _, s := range in.snapshots {
		if slices.Contains(s.Revisions(), s.Revision()) {
			return nil
		}
		known = append(known, s.Revisions()...)
		for tag := range s.Tags() {
			known = append(known, tag)
		}
	}
	if len(known) == 0 {
		return nil // files without a control plane
	}
	slices.Sort(known)
	next := hint.DidYouMean(a.revision, known)
	if next == "" {
		next = "there are " + strings.Join(slices.Compact(known), ", ")
	}
	return hint.Unanswerablef(next, "analyzing for revision %q: there is no such revision or tag", a.revision)
}

// scope is what the report is about, in front of the summary.
func (in *analyzeInput) scope() string {
	switch len(in.namespaces) {
	case 0:
		return ""
	case 1:
		return "namespace " + in.namespaces[0] + ": "
	}
	return "namespaces " + strings.Join(in.namespaces, ", ") + ": "
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
