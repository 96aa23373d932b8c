package cmd

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/proxyconfig/status"
	"github.com/meshctl/meshctl/internal/ui"
)

// Defaults of waiting: how long in all, how long one istiod may take, and the
// pause between two looks.
const (
	waitTimeout = 5 * time.Minute
	eachTimeout = 15 * time.Second
	waitPause   = time.Second
)

// checkWatch refuses what --watch and --wait cannot do, and chooses the default
// of --timeout.
func (o *proxyStatusOptions) checkWatch(args []string, timeoutGiven bool) error {
	if o.wait && !timeoutGiven {
		o.timeout = waitTimeout
	}
	switch {
	case o.watch && o.wait:
		return hint.Usagef("leave one of them out", "--watch never ends, and --wait ends when all is in step")
	case o.watch && len(args) > 0:
		return hint.Usagef("watch its namespace with -n, or leave out --watch", "--watch shows many proxies, not one")
	case o.watch && !slices.Contains(output.Formats(), output.Format(o.out.format.value)):
		return hint.Usagef("leave out --watch, and run it again and again", "--watch has no format %q", o.out.format.value)
	case o.timeout <= 0:
		return hint.Usagef("such as --timeout 15s", "--timeout must be more than nothing")
	case o.watch && o.watchInterval <= 0:
		return hint.Usagef("such as --watch-interval 5s", "--watch-interval must be more than nothing")
	}
	return nil
}

// waitFor reads until all that was asked for is in step, or time is up. Then
// the last report is printed.
func (o *proxyStatusOptions) waitFor(ctx context.Context, args []string, reader *meshReader, wish *status.Wish) error {
	limited, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	var (
		wait   status.Wait
		last   *status.Report
		failed error
		told   string
	)
	for {
		report, err := o.look(limited, args, reader, wish)
		left := ""
		switch {
		case err == nil:
			if left = wait.Left(report); left == "" && report.Complete {
				return o.show(ctx, args, reader, report)
			}
			if left == "" { // what may not be read will not come by waiting
				o.warn(report)
				return o.show(ctx, args, reader, report)
			}
			last, failed = report, nil
		case limited.Err() != nil:
		case hint.ClassOf(err) == hint.Usage:
			return err
		default:
			left, failed = err.Error(), err
		}
		if left != "" && left != told {
			o.f.progress("waiting: %s", left)
			told = left
		}
		if limited.Err() == nil && pause(limited, waitPause) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if failed != nil {
			return hint.Unanswerablef(hint.Of(failed), "waiting for the proxies: after %s: %w", o.timeout, failed)
		}
		if last == nil {
			return hint.Unanswerablef("give it longer with --timeout", "waiting for the proxies: no answer within %s", o.timeout)
		}
		o.warn(last)
		if told != "" {
			o.f.IO.Warnf("not in step after %s: %s", o.timeout, told)
		}
		if err := o.show(ctx, args, reader, last); err != nil {
			return err
		}
		return errNo
	}
}

// look reads the mesh once, and narrows it to what the argument names.
func (o *proxyStatusOptions) look(ctx context.Context, args []string, reader *meshReader, wish *status.Wish) (*status.Report, error) {
	report, err := o.report(ctx, reader, wish)
	if err != nil || len(args) == 0 {
		return report, err
	}
	return report, o.narrow(ctx, report, args[0])
}

// pause waits; false means that ctx ended meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// watching shows the mesh again and again, until Ctrl-C: on a terminal as it
// is, and else first the whole and then what changes.
func (o *proxyStatusOptions) watchAll(ctx context.Context, reader *meshReader, wish *status.Wish) error {
	w := &statusWatch{o: o}
	reader.watching = true
	live := o.f.IO.OutTTY && (o.out.format.value == string(output.AsTable) || o.out.format.value == string(output.AsWide))
	if live {
		w.screen = o.f.IO.Screen()
	} else {
		o.out.stream = true
	}
	for first := true; ; first = false {
		report, err := o.report(ctx, reader, wish)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && first:
			return err
		default:
			err = w.show(report, err, first)
		}
		if err != nil {
			return err
		}
		if first && !live {
			o.f.progress("watching for changes; Ctrl-C ends it")
		}
		if !pause(ctx, o.watchInterval) {
			return ctx.Err()
		}
	}
}

type statusWatch struct {
	o       *proxyStatusOptions
	screen  *ui.Screen
	history status.History
	// said are the lines that the last look wrote to stderr.
	said []string
	rows bool
}

func (w *statusWatch) show(report *status.Report, failed error, first bool) error {
	talk := w.talk(report, failed)
	if w.screen != nil {
		var b bytes.Buffer
		fmt.Fprintf(&b, "%s  every %s, Ctrl-C ends\n\n", w.o.f.Now().Format(time.TimeOnly), w.o.watchInterval)
		b.WriteString(talk)
		if report != nil {
			if err := output.Write(&b, w.o.f.outputOptions(w.o.out), report); err != nil {
				return err
			}
		}
		w.screen.Draw(b.String())
		return nil
	}
	w.tell(talk)
	if report == nil {
		return nil
	}
	difference := w.history.Next(report)
	switch {
	case first:
		return w.o.f.print(w.o.out, report)
	case difference.Empty():
		return nil
	}
	options := w.o.f.outputOptions(w.o.out)
	options.NoHeaders = options.NoHeaders || w.rows
	w.rows = true
	return output.Write(w.o.f.IO.Out, options, difference)
}

// talk is what one look has to say on stderr.
func (w *statusWatch) talk(report *status.Report, failed error) string {
	var b bytes.Buffer
	f, io := *w.o.f, *w.o.f.IO
	io.Err = &b
	f.IO = &io
	if failed != nil {
		io.Error(failed, hint.Of(failed))
		return b.String()
	}
	o := *w.o
	o.f = &f
	o.warn(report)
	return b.String()
}

// tell writes what the look before did not say.
func (w *statusWatch) tell(talk string) {
	lines := strings.Split(strings.TrimSuffix(talk, "\n"), "\n")
	for _, line := range lines {
		if line != "" && !slices.Contains(w.said, line) {
			w.o.f.IO.Errf("%s", line)
		}
	}
	w.said = lines
}
