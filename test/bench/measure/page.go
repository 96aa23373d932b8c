package measure

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"
)

// Page is what WritePage tells beside the ratios.
type Page struct {
	Peer string    // the peer's version
	Day  time.Time // of the run
	// SlowRounds are the counted runs of works that take the peer a minute, Rounds those of the others.
	Rounds, SlowRounds int
}

// WritePage writes ratios as a page of the documentation. Seconds are the
// machine's, so it has none.
func WritePage(w io.Writer, about Page, sizes Sizes, pairs []Pair) error {
	var b strings.Builder
	fmt.Fprintf(&b, `# Speed and size, beside istioctl

This page is written by `+"`make bench`"+`, which runs meshctl and istioctl %s in turn on one machine (here of %d cores, on %s) and takes the medians of
%d rounds (%d where istioctl takes a minute). A ratio of 3x says that istioctl takes three times as long, or as much. The goals are our own; "no" stands where one is missed.
Generated meshes hold seeded faults, so that both have findings to report; `+"`cd test/bench && go run ./cmd/meshgen -services 5000`"+` writes the one of 5,000 services.
meshctl runs all its checks, several times as many as istioctl has.

| work | wall | CPU | memory | goal | met |
|---|---|---|---|---|---|
`, about.Peer, runtime.NumCPU(), about.Day.UTC().Format(time.DateOnly), about.Rounds, about.SlowRounds)
	for _, p := range pairs {
		if p.PeerFails {
			fmt.Fprintf(&b, "| %s | istioctl fails | | | | |\n", p.Name)
			continue
		}
		goals, met := judged(p)
		fmt.Fprintf(&b, "| %s | %.1fx | %.1fx | %.1fx | %s | %s |\n", p.Name,
			ratio(p.Ours.Wall, p.Peer.Wall), ratio(p.Ours.CPU, p.Peer.CPU), ratio(p.Ours.RSS, p.Peer.RSS), goals, met)
	}
	size, goal := ratio(sizes.Ours, sizes.Peer), goalOf("binary", "size")
	fmt.Fprintf(&b, "| size of the program | | | %.1fx | size %.1fx | %s |\n", size, goal, yes(size >= goal))
	b.WriteString(growth(pairs, "routes, files"))
	b.WriteString(growth(pairs, "1,000 proxies"))
	b.WriteString(growth(pairs, "5,000 proxies"))
	_, err := io.WriteString(w, b.String())
	return err
}

// judged are the goals of a work, and whether all are met.
func judged(p Pair) (goals, met string) {
	var words []string
	all := true
	for _, m := range []struct {
		metric string
		ratio  float64
	}{{"wall", ratio(p.Ours.Wall, p.Peer.Wall)}, {"memory", ratio(p.Ours.RSS, p.Peer.RSS)}} {
		if goal := goalOf(p.Name, m.metric); goal > 0 {
			words = append(words, fmt.Sprintf("%s %gx", m.metric, goal))
			all = all && m.ratio >= goal
		}
	}
	if len(words) == 0 {
		return "", ""
	}
	return strings.Join(words, ", "), yes(all)
}

func yes(met bool) string {
	if met {
		return "yes"
	}
	return "no"
}

func goalOf(work, metric string) float64 {
	for _, g := range Goals() {
		if g.Work == work && g.Metric == metric {
			return g.Ratio
		}
	}
	return 0
}

// growth says how the time grows from the first of the works with this ending
// to the last.
func growth(pairs []Pair, ending string) string {
	var of []Pair
	for _, p := range pairs {
		if strings.HasSuffix(p.Name, ending) {
			of = append(of, p)
		}
	}
	if len(of) < 2 {
		return ""
	}
	first, last := of[0], of[len(of)-1]
	times := func(a, b time.Duration) float64 { return b.Seconds() / a.Seconds() }
	return fmt.Sprintf("\nFrom \"%s\" to \"%s\" meshctl's time grows %.1f-fold, istioctl's %.1f-fold.\n", first.Name, last.Name,
		times(first.Ours.Wall, last.Ours.Wall), times(first.Peer.Wall, last.Peer.Wall))
}
