package cmd

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/deadline"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/ui"
)

// checkWatchFlags refuses what --watch cannot do.
func (a *analyzeFlags) checkWatchFlags(args []string) error {
	switch {
	case a.fix:
		return hint.Usagef("leave one of them out", "--fix writes the files that --watch looks at")
	case a.writeBaseline != "":
		return hint.Usagef("write it in a run of its own", "--write-baseline writes one report, and --watch makes many")
	case a.from != "" && len(args) == 0:
		return hint.Usagef("name files to lay over it, or leave out --watch", "a saved snapshot never changes")
	case a.out.toStdout && !slices.Contains(output.Formats(), output.Format(a.out.format.value)):
		return hint.Usagef("write it to a file, which always holds the latest report: -o "+a.out.format.value+"=FILE",
			"--watch has no format %q for stdout", a.out.format.value)
	}
	return nil
}

// watch prints the report and, after every change, what it changed, until
// Ctrl-C. What goes to files is the whole report each time.
func (a *analyzeFlags) watch(ctx context.Context, f *Factory, args []string, selected []*analyze.Check) error {
	changed, err := a.inputChanges(ctx, f, args, selected)
	if err != nil {
		return err
	}
	a.out.stream = true
	ctx, finish := deadline.Track(ctx)
	w := &watching{f: f, out: a.out, once: func(ctx context.Context, f *Factory) (*analyze.Report, error) {
		finish(ctx) // what the last run did not wait for
		ctx, cancel := context.WithTimeout(ctx, a.timeout)
		defer cancel()
		wishes, err := a.wishes(f)
		if err != nil {
			return nil, err
		}
		in, report, err := a.analyze(ctx, f, args, selected, wishes)
		if err == nil {
			_ = a.verdict(f, in, report) // the exit code is Ctrl-C's
			a.again = true
		}
		return report, err
	}}
	return w.run(ctx, changed)
}

// watching runs an analysis over and over.
type watching struct {
	f       *Factory
	out     *reportFlags
	once    func(context.Context, *Factory) (*analyze.Report, error)
	history analyze.History
	// said are the lines that the last run wrote to stderr.
	said []string
}

// run runs once and then after each change. The first run must work; later
// ones may fail, as with a file that is half written.
func (w *watching) run(ctx context.Context, changed <-chan struct{}) error {
	report, talk, err := w.listen(ctx)
	w.tell(talk, "")
	if err != nil {
		return err
	}
	w.history.Next(report, w.f.Now())
	if err := w.f.printReport(ctx, w.out, report); err != nil {
		return err
	}
	w.f.progress("watching for changes; Ctrl-C ends it")
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
		if err := w.again(ctx); err != nil {
			return err
		}
	}
}

// again prints what has changed since the last run.
func (w *watching) again(ctx context.Context) error {
	report, talk, err := w.listen(ctx)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		var trouble bytes.Buffer
		(&ui.IO{Err: &trouble, Color: w.f.IO.Color, ErrTTY: w.f.IO.ErrTTY}).Error(err, hint.Of(err))
		w.tell(talk+trouble.String(), "")
		return nil
	}
	difference := w.history.Next(report, w.f.Now())
	w.tell(talk, difference.Time.Format(time.RFC3339)+"  "+difference.String())
	return w.f.printReports(ctx, w.out, report, difference)
}

// listen runs once, and returns what that wrote to stderr.
func (w *watching) listen(ctx context.Context) (*analyze.Report, string, error) {
	var talk bytes.Buffer
	f, io := *w.f, *w.f.IO
	io.Err = &talk
	f.IO = &io
	report, err := w.once(ctx, &f)
	return report, talk.String(), err
}

// tell writes a line of progress, and what the run before did not say: that a
// cluster is away is said once.
func (w *watching) tell(talk, progress string) {
	if progress != "" {
		w.f.progress("%s", progress)
	}
	lines := strings.Split(strings.TrimSuffix(talk, "\n"), "\n")
	for _, line := range lines {
		if line != "" && !slices.Contains(w.said, line) {
			w.f.IO.Errf("%s", line)
		}
	}
	w.said = lines
}
