package cmd

import (
	"context"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
	"github.com/meshctl/meshctl/internal/output"
)

// analyzeFlags are the flags of analyze.
type analyzeFlags struct {
	allNamespaces   bool
	useKube         bool
	complete        bool
	listChecks      bool
	failOn          *enum
	outputThreshold *enum
	only, skip      []string
	suppress        []string
	revision        string
	meshConfig      string
	ignoreUnknown   bool
	fix, dryRun     bool
	watches         bool
	watchInterval   time.Duration
	// again says that a run is not the first one of --watch.
	again         bool
	baseline      string
	writeBaseline string
	changes       *enum
	from          string
	filenames     []string
	color         bool
	out           *reportFlags
	clusterFlags
}

func newAnalyzeCmd(f *Factory) *cobra.Command {
	a := &analyzeFlags{}
	c := &cobra.Command{
		Use:   "analyze [FILE|DIR|-]...",
		Short: "Say what is wrong with the mesh's configuration, and how to mend it",
		Long: `analyze checks the configuration of a live mesh, of files, or of both together.

Without arguments it reads the cluster and reports on one namespace, or on all
with -A. With files, directories with all below them, globs or - for stdin it
reads only those and needs no cluster; --use-kube lays the files over the
cluster, as if they had been applied, and reports the findings that they bring
there, in whatever namespace; nothing is deleted for that. --contexts reads
several clusters as one mesh.

What the input says nothing of is not taken for missing, unless --complete says
that the files are the whole mesh.

Exit codes: 0 nothing at or above --fail-on; 1 findings; 2 used wrongly, or not
everything could be read. They are the same for every format.`,
		Example: `  # The whole mesh
  meshctl analyze -A

  # A folder, as in CI; warnings fail, too
  meshctl analyze --fail-on warning deploy/

  # What would these files break, once applied?
  meshctl analyze --use-kube new-route.yaml

  # All clusters of a mesh
  meshctl analyze -A --contexts east,west

  # While editing: what each change breaks and mends
  meshctl analyze --watch deploy/

  # What helm would install
  helm template shop ./chart | meshctl analyze -

  # Two things that are known and accepted
  meshctl analyze -A --suppress IST0102 --suppress "IST0101=VirtualService shop/*"`,
		GroupID: groupConfig,
		RunE: func(c *cobra.Command, args []string) error {
			args = append(args, a.filenames...)
			a.applyPeerFlags(c, f)
			a.useKube = a.readsCluster(c.Flags().Changed("use-kube"), args)
			return a.run(c.Context(), f, args)
		},
	}
	fs := c.Flags()
	fs.BoolVarP(&a.allNamespaces, "all-namespaces", "A", false, "report on all namespaces")
	fs.BoolVarP(&a.useKube, "use-kube", "k", false, "read the cluster, also when files are given (default: only without files)")
	fs.BoolVar(&a.complete, "complete", false, "the files are the whole mesh: what is not in them does not exist")
	fs.BoolVarP(&a.listChecks, "list-checks", "L", false, "list the checks instead of running them")
	fs.StringSliceVar(&a.only, "only", nil, "run only these checks, by code, name, Kiali's code or severity")
	fs.StringSliceVar(&a.skip, "skip", nil, "leave out these checks, likewise")
	fs.StringArrayVarP(&a.suppress, "suppress", "S", nil, "drop findings: CODE, or CODE=Kind namespace/name with * for any text")
	fs.StringVarP(&a.revision, "revision", "r", "", "control plane whose mesh config counts (default: the default one)")
	fs.DurationVar(&a.timeout, "timeout", time.Minute, "longest time for the whole analysis")
	a.failOn = newEnum(string(analyze.Error), severities()...)
	addEnum(c, a.failOn, "fail-on", "", "mildest finding that makes the exit code 1")
	a.outputThreshold = newEnum(string(analyze.Info), severities()...)
	addEnum(c, a.outputThreshold, "output-threshold", "", "mildest finding to show")
	fs.BoolVar(&a.ignoreUnknown, "ignore-unknown", false, "documents that cannot be read do not change the exit code")
	fs.StringVar(&a.meshConfig, "mesh-config", "", "file with the mesh config to assume, instead of the cluster's or the files'")
	a.addClusterFlags(f, c)
	fs.StringSliceVarP(&a.filenames, "filename", "f", nil, "files and directories, as the arguments are")
	_ = c.MarkFlagFilename("filename", "yaml", "yml", "json")
	a.addPeerFlags(c, f)
	fs.StringVar(&a.baseline, "baseline", "", "report only what is not in this report of an earlier run (-o json, or --write-baseline)")
	fs.StringVar(&a.writeBaseline, "write-baseline", "", "write all findings to this file, for --baseline")
	fs.BoolVar(&a.fix, "fix", false, "mend in the files what can be mended for sure, and report the rest")
	fs.BoolVar(&a.dryRun, "dry-run", false, "with --fix: show the diff and write nothing")
	fs.BoolVarP(&a.watches, "watch", "w", false, "go on after the report: after every change, report what is new and what is gone")
	fs.DurationVar(&a.watchInterval, "watch-interval", 5*time.Second, "with --watch: shortest time between two looks at a cluster")
	a.out = addReportOutput(c)
	fs.SetNormalizeFunc(peerAnalyzeFlags)
	return c
}

// gcPercent is how far the heap may grow between collections, which is what most
// of analyze's memory is. A cluster takes longer to answer than a collection.
func (a *analyzeFlags) gcPercent() int {
	if a.useKube {
		return 25
	}
	return 50
}

func (a *analyzeFlags) run(ctx context.Context, f *Factory, args []string) error {
	defer debug.SetGCPercent(debug.SetGCPercent(a.gcPercent()))
	if a.listChecks {
		return a.list(ctx, f)
	}
	selected, unknownWord := analyze.Select(checks.All(), a.only, a.skip)
	if unknownWord != "" {
		return hint.Usagef(checkHint(unknownWord), "there is no check %q", unknownWord)
	}
	wishes, err := a.wishes(f)
	if err != nil {
		return err
	}
	if err := a.checkFixFlags(args); err != nil {
		return err
	}
	if a.watches {
		if err := a.checkWatchFlags(args); err != nil {
			return err
		}
		return a.watch(ctx, f, args, selected)
	}
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	var in *analyzeInput
	once := func(ctx context.Context) (report *analyze.Report, err error) {
		in, report, err = a.analyze(ctx, f, args, selected, wishes)
		return report, err
	}
	report, err := once(ctx)
	if err != nil {
		return err
	}
	if a.fix {
		if report, err = a.applyFixes(ctx, f, report, once); err != nil || report == nil {
			return err
		}
	}
	if err := f.printReport(ctx, a.out, report); err != nil {
		return err
	}
	return a.verdict(f, in, report)
}

// analyze loads the input and runs the checks over it.
func (a *analyzeFlags) analyze(
	ctx context.Context, f *Factory, args []string, selected []*analyze.Check, wishes analyze.Config,
) (*analyzeInput, *analyze.Report, error) {
	in, err := a.load(ctx, f, args, selected)
	if err != nil {
		return nil, nil, err
	}
	report, err := in.analyze(ctx, selected, analyze.Options{
		Namespaces: in.namespaces, Suppress: wishes.Suppress, Severities: wishes.Severities, Known: checks.Knows, Threshold: analyze.Severity(a.outputThreshold.value),
		FailOn: analyze.Severity(a.failOn.value), Now: f.Now(),
	}, a.changes.value == changesAll)
	if err != nil {
		return nil, nil, err
	}
	in.addTo(report)
	return in, report, a.applyBaseline(report)
}

// verdict says on stderr what the report amounts to, and is the exit code.
func (a *analyzeFlags) verdict(f *Factory, in *analyzeInput, report *analyze.Report) error {
	for _, s := range report.SkippedFiles {
		f.IO.Warnf("passed over %s: %s", mesh.Position{File: s.File, Line: s.Line, Column: 1}, s.Reason)
	}
	for _, b := range report.Broken {
		f.IO.Warnf("%s: cannot be read: %s", b.Position, b.Reason)
	}
	warnSkipped(f, report.SkippedChecks)
	if n := report.CantTell(); n > 0 {
		f.IO.Errf("references not judged: %d, because the input holds no %s; %s", n, report.Unknown(), in.tellMore)
	}
	f.progress("%s%s", in.scope(), report.Summary)
	switch n := report.Fixable(); {
	case n > 0 && a.fix: // such as fields below one whose name was misspelt
		f.progress("%d more can be mended: run --fix again", n)
	case n > 0:
		f.progress("%d can be mended with --fix; --fix --dry-run shows how", n)
	}
	switch {
	case report.Fails(analyze.Severity(a.failOn.value)):
		return errNo
	case len(report.Broken) > 0 && !a.ignoreUnknown, len(report.SkippedChecks) > 0, len(report.Missing()) > 0:
		return errUnanswered // not a clean mesh: a mesh not wholly seen
	}
	return nil
}

// warnSkipped names the checks that did not run, one line for each reason.
func warnSkipped(f *Factory, skipped []analyze.SkippedCheck) {
	names := map[string][]string{}
	var reasons []string
	for _, s := range skipped {
		if names[s.Reason] == nil {
			reasons = append(reasons, s.Reason)
		}
		names[s.Reason] = append(names[s.Reason], s.Check)
	}
	for _, reason := range reasons {
		f.IO.Warnf("skipped %s: %s", strings.Join(names[reason], ", "), reason)
	}
	if len(skipped) > 0 {
		f.IO.Errf("%s ask for the permission to list them, or leave these checks out with --skip", f.IO.Style().Strong("hint:"))
	}
}

// list prints the checks, those of precheck too.
func (a *analyzeFlags) list(ctx context.Context, f *Factory) error {
	if !slices.Contains(output.Formats(), output.Format(a.out.format.value)) {
		return hint.Usagef("leave out -o, or use json", "--list-checks has no format %q", a.out.format.value)
	}
	selected, unknownWord := analyze.Select(checks.Known(), a.only, a.skip)
	if unknownWord != "" {
		return hint.Usagef(checkHint(unknownWord), "there is no check %q", unknownWord)
	}
	return f.printReport(ctx, a.out, analyze.List(selected))
}

// checkHint is the known check nearest to a word, or where to find them.
func checkHint(word string) string {
	if c, _ := analyze.Select(checks.Precheck(), []string{word}, nil); len(c) > 0 {
		return "`meshctl precheck --only " + word + "` runs it"
	}
	var known []string
	for _, c := range checks.Known() {
		known = append(append(known, c.Code, c.Name), c.KialiCodes()...)
	}
	known = append(slices.AppendSeq(known, maps.Keys(peerAnalyzers())), severities()...)
	slices.Sort(known)
	if next := hint.DidYouMean(word, known); next != "" {
		return next
	}
	return "`meshctl analyze --list-checks` lists them"
}

func severities() []string {
	var all []string
	for _, s := range analyze.Severities() {
		all = append(all, string(s))
	}
	return all
}

// kindsOf are the kinds to read from a cluster for some checks.
func kindsOf(selected []*analyze.Check) []mesh.Kind {
	return slices.DeleteFunc(analyze.Reads(selected), func(k mesh.Kind) bool {
		// Pods and Deployments stand for their ReplicaSets.
		return k == mesh.ReplicaSet
	})
}
