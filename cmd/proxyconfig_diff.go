package cmd

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/proxyconfig/diff"
)

// dumpPath asks Envoy for all that is compared.
const dumpPath = "/config_dump?include_eds"

type proxyDiffOptions struct {
	f         *Factory
	out       *outputFlags
	only      []string
	raw       bool
	summary   bool
	revision  revisionDiffOptions
	adminPort int
	timeout   time.Duration
}

func newProxyConfigDiffCmd(f *Factory) *cobra.Command {
	o := &proxyDiffOptions{f: f}
	c := &cobra.Command{
		Use:   "diff A B",
		Short: "Show how the configurations of two proxies differ",
		Long: `diff compares what two Envoys run by what it means. A and B are pods (POD,
POD.NAMESPACE, deploy/NAME, svc/NAME ...), files with config dumps (what exists as
a file is one, - is stdin), or pods in saved snapshots: SNAPSHOT:POD. With --from
SNAPSHOT all pods are those of that snapshot.

Order counts where Envoy goes by it: routes, filters, filter chains with the same
match. Elsewhere it does not, and neither do versions, timestamps and hashes. Of
two pods of one workload the name, node and addresses of the pod itself are taken
for equal, too, and the result says so; --raw compares them. Route configurations
inside listeners are compared there.

Differences are grouped by the object that the part comes from. "Istio itself" is
what names none: istiod's own, the bootstrap, or an EnvoyFilter's.

--revision OLD,NEW is for canary upgrades: the workloads that run under both
revisions are paired, by name or else by account and labels, and one pod of each
compared; the names and versions of the revisions are taken for equal.

Exit codes: 0 the same; 1 different; 2 it can't be told: one can't be read, or has
a part that the other lacks, such as endpoints without include_eds.`,
		Example: `  # Why does one of two pods behave differently?
  meshctl proxy-config diff frontend-7b67-bpjzp.shop frontend-7b67-bsqss.shop

  # What has changed since yesterday?
  meshctl proxy-config diff yesterday.json deploy/frontend -n shop

  # What has changed for this workload since the snapshot was saved?
  meshctl proxy-config diff mesh.snapshot:deploy/frontend.shop deploy/frontend.shop

  # What would change by the upgrade, workload by workload?
  meshctl proxy-config diff --revision 1-30-1,1-31-1

  # Only routes, as a unified diff
  meshctl proxy-config diff a.json b.json --only routes -o diff`,
		Args:              o.revision.args,
		ValidArgsFunction: f.completePod,
	}
	o.out = addPeerOutput(c, string(diff.AsDiff))
	c.Flags().StringSliceVar(&o.only, "only", nil, "compare only these sections: clusters, listeners, routes, endpoints, secrets, extensions, bootstrap")
	c.Flags().BoolVar(&o.raw, "raw", false, "compare what differs between any two pods of a workload, too")
	c.Flags().BoolVar(&o.summary, "summary", false, "show only how much differs")
	o.revision.add(c)
	addFrom(c, f)
	c.Flags().IntVar(&o.adminPort, "proxy-admin-port", 15000, "port of Envoy's admin interface in the pod")
	c.Flags().DurationVar(&o.timeout, "timeout", time.Minute, "longest time to read both")
	_ = c.RegisterFlagCompletionFunc("only", cobra.FixedCompletions(diff.Sections(), cobra.ShellCompDirectiveNoFileComp))
	c.RunE = func(c *cobra.Command, args []string) error { return o.run(c.Context(), args) }
	return c
}

func (o *proxyDiffOptions) run(ctx context.Context, args []string) error {
	if err := knownSections(o.only); err != nil {
		return err
	}
	if o.revision.revisions != "" {
		ctx, cancel := context.WithTimeout(ctx, o.timeout)
		defer cancel()
		return o.runRevisions(ctx)
	}
	if args[0] == "-" && args[1] == "-" {
		return hint.Usagef("save one of them in a file", "only one of the two can be stdin")
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	var sides []diff.Side
	for _, arg := range args {
		d, err := o.find(ctx, arg)
		if err != nil {
			return err
		}
		sides = append(sides, d.side(ctx))
	}
	report, err := diff.Compare(sides[0], sides[1], diff.Options{
		Only: o.only, Raw: o.raw, Texts: o.out.format.value == string(diff.AsDiff),
	})
	switch {
	case err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return hint.Unanswerablef("give it longer with --timeout", "comparing %s with %s: it took longer than %s", args[0], args[1], o.timeout)
	case err != nil:
		return err
	}
	return o.f.printDiff(o.out, report, o.summary)
}

// printDiff prints a comparison; its answer becomes the exit code.
func (f *Factory) printDiff(out *outputFlags, report *diff.Report, summary bool) error {
	if summary {
		report.Summarize()
	}
	if err := f.print(out, report); err != nil {
		return err
	}
	switch {
	case !report.Same:
		return errNo
	case !report.Complete:
		f.IO.Warnf("not everything could be compared: take both dumps with include_eds, or choose with --only")
		return errUnanswered
	}
	return nil
}

// find is the dump that an argument names: a file when there is one.
func (o *proxyDiffOptions) find(ctx context.Context, arg string) (dump, error) {
	var dumps []dump
	var err error
	if info, statErr := os.Stat(arg); arg == "-" || statErr == nil && !info.IsDir() {
		dumps, err = o.f.fileDumps(arg)
	} else {
		dumps, err = o.f.podDumps(ctx, arg, o.adminPort, false)
	}
	if err != nil {
		return dump{}, err
	}
	return dumps[0], nil
}

// side is a dump to compare. What can be read only once, or would change
// meanwhile, is kept, as it is read, for a second reading.
func (d dump) side(ctx context.Context) diff.Side { return d.sideOf(ctx, dumpPath) }

// sideOf is a dump to compare that is asked for another path.
func (d dump) sideOf(ctx context.Context, path string) diff.Side {
	var kept []byte
	return diff.Side{Name: d.name, Open: func() (io.ReadCloser, error) {
		if kept != nil {
			return flate.NewReader(bytes.NewReader(kept)), nil
		}
		body, err := d.open(ctx, path)
		if err != nil {
			return nil, err
		}
		if _, isFile := body.(*os.File); isFile {
			return body, nil
		}
		return keep(body, func(packed []byte) { kept = packed }), nil
	}}
}

func knownSections(only []string) error {
	for _, s := range only {
		if err := newEnum("", diff.Sections()...).Set(s); err != nil {
			return err
		}
	}
	return nil
}

// kept is a dump that is packed as it is read: 60 MB become about 3.
type kept struct {
	io.Reader
	body   io.Closer
	packed bytes.Buffer
	pack   *flate.Writer
	done   func(packed []byte)
}

// keep hands what was read of body to done when it is closed.
func keep(body io.ReadCloser, done func(packed []byte)) io.ReadCloser {
	k := &kept{body: body, done: done}
	k.pack, _ = flate.NewWriter(&k.packed, flate.BestSpeed) // the level is one
	k.Reader = io.TeeReader(body, k.pack)
	return k
}

// Close closes the dump.
func (k *kept) Close() error {
	err := errors.Join(k.pack.Close(), k.body.Close())
	k.done(k.packed.Bytes())
	return err
}
