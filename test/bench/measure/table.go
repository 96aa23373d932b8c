package measure

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// Goal is a ratio of DESIGN.md: how many times less than the peer. 0: none.
type Goal struct {
	Work, Metric string
	Ratio        float64
}

// Goals are the ratios that the design sets for what this program measures.
func Goals() []Goal {
	goals := []Goal{
		{"binary", "size", 1 / 0.65},
		{"start-up", "wall", 3},
		{"manifest generate demo", "wall", 3},
		{"install, nothing to change", "wall", 2},
		{"analyze 5,000 services, files", "wall", 8},
		{"analyze 5,000 services, files", "memory", 1},
		{"analyze 8,000 routes, files", "wall", 50},
		{"proxy-status, 1 istiod, 1,000 proxies", "wall", 1},
		{"proxy-status, 1 istiod, 5,000 proxies", "wall", 1},
		{"proxy-status, 3 istiods, 1,000 proxies", "wall", 1},
		{"proxy-status, 3 istiods, 5,000 proxies", "wall", 1},
		{"proxy-status, 10 istiods, 1,000 proxies", "wall", 1},
		{"proxy-status, 10 istiods, 5,000 proxies", "wall", 1},
		{"analyze 1,000 services, live", "wall", 1},
		{"analyze 1,000 services, live", "memory", 2},
		{"analyze 50,000 objects, live", "wall", 1},
		{"analyze 50,000 objects, live", "memory", 2},
	}
	for _, part := range []string{"cluster", "listener", "route", "endpoint", "secret"} {
		for _, size := range []string{"6 MB", "60 MB"} {
			work := "proxy-config " + part + ", dump of " + size
			goals = append(goals, Goal{work, "wall", 5}, Goal{work, "memory", 3})
		}
	}
	return goals
}

// Sizes are those of the two binaries, in bytes.
type Sizes struct{ Ours, Peer int64 }

// WriteTable writes ratios, with the figures that they come from beside them.
// A ratio over 1 says that meshctl takes less.
func WriteTable(w io.Writer, sizes Sizes, pairs []Pair) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "WORK\tMETRIC\tMESHCTL\tISTIOCTL\tRATIO\tGOAL\tMET")
	row := func(work, metric, ours, peer string, ratio float64) {
		goal, met := "-", "-"
		for _, g := range Goals() {
			if g.Work == work && g.Metric == metric {
				goal, met = fmt.Sprintf("%.1fx", g.Ratio), "no"
				if ratio >= g.Ratio {
					met = "yes"
				}
			}
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%.1fx\t%s\t%s\n", work, metric, ours, peer, ratio, goal, met)
	}
	row("binary", "size", mib(sizes.Ours), mib(sizes.Peer), ratio(sizes.Ours, sizes.Peer))
	for _, p := range pairs {
		if p.PeerFails {
			fmt.Fprintf(tw, "%s\twall\t%s\tfails after %s\t-\t-\t-\n", p.Name, ms(p.Ours.Wall), ms(p.Peer.Wall))
			continue
		}
		row(p.Name, "wall", ms(p.Ours.Wall), ms(p.Peer.Wall), ratio(p.Ours.Wall, p.Peer.Wall))
		row(p.Name, "cpu", ms(p.Ours.CPU), ms(p.Peer.CPU), ratio(p.Ours.CPU, p.Peer.CPU))
		row(p.Name, "memory", mib(p.Ours.RSS), mib(p.Peer.RSS), ratio(p.Ours.RSS, p.Peer.RSS))
	}
	return tw.Flush()
}

func ratio[T ~int64](ours, peer T) float64 {
	if ours == 0 {
		return 0
	}
	return float64(peer) / float64(ours)
}

func ms(d time.Duration) string { return fmt.Sprintf("%.0f ms", d.Seconds()*1000) }
func mib(n int64) string        { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
