package measure

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Page is what WritePage tells beside the ratios.
type Page struct {
	Peer string    // the peer's version
	Day  time.Time // of the run
	// SlowRounds are the counted runs of works that take the peer a minute, Rounds those of the others.
	Rounds, SlowRounds int
	// Before is the page as it was: the rows of works that this run did not
	// measure stay. It is empty when the run measured all.
	Before string
}

// WritePage writes ratios as a page of the documentation. Seconds are the
// machine's, so it has none.
func WritePage(w io.Writer, about Page, sizes Sizes, pairs []Pair) error {
	var b strings.Builder
	fmt.Fprintf(&b, `# Speed and size, beside istioctl

This page is written by `+"`make bench`"+`, which runs meshctl and istioctl %s in turn on one machine (here of %d cores, on %s) and takes the medians of
%d rounds (%d where istioctl takes a minute). A ratio of 3x says that istioctl takes three times as long, or as much. The goals are our own; "no" stands where one is missed.
Generated meshes hold seeded faults, so that both have findings to report; `+"`cd test/bench && go run ./cmd/meshgen -services 5000`"+` writes the one of 5,000 services.
meshctl runs all its checks, several times as many as istioctl has. `+"`"+`make bench ONLY=proxy`+"`"+` measures only what has that in its name, and replaces those rows.

| work | wall | CPU | memory | goal | met |
|---|---|---|---|---|---|
`, about.Peer, runtime.NumCPU(), about.Day.UTC().Format(time.DateOnly), about.Rounds, about.SlowRounds)
	var rows, growths []string
	for _, p := range pairs {
		if p.PeerFails {
			rows = append(rows, fmt.Sprintf("| %s | istioctl fails | | | | |", p.Name))
			continue
		}
		goals, met := judged(p)
		rows = append(rows, fmt.Sprintf("| %s | %.1fx | %.1fx | %.1fx | %s | %s |", p.Name,
			ratio(p.Ours.Wall, p.Peer.Wall), ratio(p.Ours.CPU, p.Peer.CPU), ratio(p.Ours.RSS, p.Peer.RSS), goals, met))
	}
	size, goal := ratio(sizes.Ours, sizes.Peer), goalOf("binary", "size")
	rows = append(rows, fmt.Sprintf("| size of the program | | | %.1fx | size %.1fx | %s |", size, goal, yes(size >= goal)))
	for _, ending := range []string{"routes, files", "1,000 proxies", "5,000 proxies"} {
		if line := growth(pairs, ending); line != "" {
			growths = append(growths, line)
		}
	}
	for _, row := range over(about.Before, "| ", rows) {
		fmt.Fprintln(&b, row)
	}
	for _, line := range over(about.Before, "From ", growths) {
		fmt.Fprintf(&b, "\n%s\n", line)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// over are the lines of a page that begin so, with those of a run in place of
// the ones that begin with the same name, and what is new of them at the end.
func over(before, begin string, run []string) []string {
	name := func(line string) string {
		first, _, _ := strings.Cut(strings.TrimPrefix(line, begin), " |")
		from, _, _ := strings.Cut(first, " to ")
		return from
	}
	var lines []string
	for line := range strings.Lines(before) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, begin) && name(line) != "work" {
			lines = append(lines, line)
		}
	}
	for _, line := range run {
		i := slices.IndexFunc(lines, func(old string) bool { return name(old) == name(line) })
		if i >= 0 {
			lines[i] = line
		} else {
			lines = append(lines, line)
		}
	}
	return lines
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
	return fmt.Sprintf("From \"%s\" to \"%s\" meshctl's time grows %.1f-fold, istioctl's %.1f-fold.", first.Name, last.Name,
		times(first.Ours.Wall, last.Ours.Wall), times(first.Peer.Wall, last.Peer.Wall))
}
