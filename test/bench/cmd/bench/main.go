// Command bench compares meshctl with istioctl: what they render, and what it
// costs. All figures come from one run, with the two programs in turn.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/meshctl/meshctl/test/bench/measure"
	"github.com/meshctl/meshctl/test/bench/parity"
)

type options struct {
	meshctl, istioctl string
	rounds            int
	parity            bool
	bed               string
	only              string
	causes            bool
	causesCap         time.Duration
	page              string
}

func main() {
	var o options
	flag.StringVar(&o.meshctl, "meshctl", "../../bin/meshctl", "path of meshctl (built by: make build)")
	flag.StringVar(&o.istioctl, "istioctl", "../../.cache/bin/istioctl", "path of istioctl (built by: .cache/bin/bed build istioctl)")
	flag.IntVar(&o.rounds, "rounds", 7, "runs of each program that count, at least 5")
	flag.BoolVar(&o.parity, "parity", true, "compare what the profiles render, too")
	flag.StringVar(&o.bed, "bed", "../../.cache/bin/bed", "path of the command of the test bed, for what needs a cluster; empty leaves that out")
	flag.StringVar(&o.only, "only", "", "measure only works with this in their name")
	flag.StringVar(&o.page, "page", "", "write the ratios to this file, too, as a page of the documentation")
	flag.BoolVar(&o.causes, "causes", false, "measure only how long it takes until the cause is named on each broken bed")
	flag.DurationVar(&o.causesCap, "causes-cap", time.Minute, "longest time to wait for a cause")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "Compares meshctl with istioctl, side by side: rendered objects, size, time and memory.\n\nFlags:")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, o options) error {
	if o.page != "" && o.bed == "" {
		return errors.New("writing a page: it needs a -bed")
	}
	if o.rounds < 5 {
		return fmt.Errorf("counting %d rounds: at least 5 are needed for a median", o.rounds)
	}
	if o.causes {
		return showCauses(ctx, w, o)
	}
	var sizes measure.Sizes
	for path, size := range map[string]*int64{o.meshctl: &sizes.Ours, o.istioctl: &sizes.Peer} {
		info, err := os.Stat(path)
		if err != nil {
			return fmt.Errorf("finding the programs: %w (see -h for how to build them)", err)
		}
		*size = info.Size()
	}
	if o.parity && o.only == "" {
		if err := showParity(ctx, w, o); err != nil {
			return err
		}
	}
	todo := works(o)
	more, clean, err := fileWorks(o)
	defer clean()
	if err != nil {
		return err
	}
	todo = append(todo, more...)
	if o.bed != "" && wantsTwo(o) {
		ours, peer, down, err := twoBeds(ctx, o.bed)
		defer down()
		if err != nil {
			return err
		}
		todo = append(todo, clusterWorks(o, ours, peer)...)
	}
	todo = slices.DeleteFunc(todo, func(w measure.Work) bool { return !strings.Contains(w.Name, o.only) })
	var pairs []measure.Pair
	for _, work := range todo {
		p, err := measure.Run(ctx, work, o.rounds)
		if err != nil {
			return err
		}
		pairs = append(pairs, p)
	}
	if o.bed != "" {
		for _, measure := range []func(context.Context, options) ([]measure.Pair, error){measureLive, measureStatus, measureDumps} {
			more, err := measure(ctx, o)
			if err != nil {
				return err
			}
			pairs = append(pairs, more...)
		}
	}
	fmt.Fprintf(w, "Cost, medians of %d rounds in turn (%d where the peer takes a minute); a ratio over 1 is in favour of meshctl:\n", o.rounds, slowRounds)
	if err := measure.WriteTable(w, sizes, pairs); err != nil || o.page == "" {
		return err
	}
	return writePage(ctx, o, sizes, pairs)
}

// writePage replaces the page of the documentation by this run's.
func writePage(ctx context.Context, o options, sizes measure.Sizes, pairs []measure.Pair) error {
	version, err := exec.CommandContext(ctx, o.istioctl, "version", "--remote=false", "--short").Output()
	if err != nil {
		return fmt.Errorf("asking istioctl for its version: %w", err)
	}
	var before []byte
	if o.only != "" {
		if before, err = os.ReadFile(o.page); err != nil {
			return fmt.Errorf("reading the page whose rows are to be replaced: %w", err)
		}
	}
	var b bytes.Buffer
	about := measure.Page{Peer: strings.TrimPrefix(strings.TrimSpace(string(version)), "client version: "), Day: time.Now(), Rounds: o.rounds, SlowRounds: slowRounds, Before: string(before)}
	if err := measure.WritePage(&b, about, sizes, pairs); err != nil {
		return err
	}
	return os.WriteFile(o.page, b.Bytes(), 0o644)
}

// works are what is measured. The add-ons stay out: istioctl has none.
func works(o options) []measure.Work {
	ours := func(args ...string) []string { return append([]string{o.meshctl}, args...) }
	peer := func(args ...string) []string { return append([]string{o.istioctl}, args...) }
	return []measure.Work{
		{Name: "start-up", Ours: ours("version", "--remote=false"), Peer: peer("version", "--remote=false")},
		{
			Name: "manifest generate demo",
			Ours: ours("manifest", "generate", "--set", "profile=demo", "--set",
				"addons.prometheus.enabled=false,addons.grafana.enabled=false,addons.jaeger.enabled=false,addons.kiali.enabled=false"),
			Peer: peer("manifest", "generate", "--set", "profile=demo"),
		},
	}
}

func showParity(ctx context.Context, w io.Writer, o options) error {
	tools, err := parity.NewTools(ctx, o.meshctl, o.istioctl)
	if err != nil {
		return err
	}
	var rows []parity.Row
	for _, c := range parity.Profiles() {
		row, err := tools.Run(ctx, c)
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	fmt.Fprintf(w, "Parity, in objects:\n%s\n", parity.Table(rows))
	return nil
}
