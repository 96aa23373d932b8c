package measure

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	got := median([]Cost{{Wall: 5, CPU: 1, RSS: 9}, {Wall: 1, CPU: 3, RSS: 7}, {Wall: 3, CPU: 2, RSS: 8}})
	if want := (Cost{Wall: 3, CPU: 2, RSS: 8}); got != want {
		t.Errorf("median = %+v, want %+v", got, want)
	}
	if got := median([]Cost{{Wall: 2}, {Wall: 4}}).Wall; got != 3 {
		t.Errorf("median of two = %d", got)
	}
}

func TestRunMeasuresBothAndFailsLoudly(t *testing.T) {
	t.Parallel()
	p, err := Run(t.Context(), Work{Name: "x", Ours: []string{"sh", "-c", "exit 0"}, Peer: []string{"sh", "-c", "exit 0"}}, 2)
	if err != nil {
		t.Fatal(err)
	}
	if p.Ours.Wall <= 0 || p.Peer.RSS <= 0 || p.Rounds != 2 {
		t.Errorf("pair = %+v", p)
	}
	_, err = Run(t.Context(), Work{Ours: []string{"sh", "-c", "echo no >&2; exit 3"}, Peer: []string{"true"}}, 1)
	if err == nil || !strings.Contains(err.Error(), "no") {
		t.Errorf("error = %v, want the program's last words", err)
	}
}

func TestTableShowsRatiosAndGoals(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	pair := Pair{Name: "start-up", Ours: Cost{Wall: 10 * time.Millisecond, CPU: 5, RSS: 1 << 20}, Peer: Cost{Wall: 40 * time.Millisecond, CPU: 5, RSS: 2 << 20}}
	if err := WriteTable(&b, Sizes{Ours: 50 << 20, Peer: 60 << 20}, []Pair{pair}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"start-up  wall    10 ms     40 ms     4.0x   3.0x  yes", "binary    size    50.0 MiB  60.0 MiB  1.2x   1.5x  no"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no line %q in\n%s", want, b.String())
		}
	}
}

func TestPageShowsRatiosAndNoSeconds(t *testing.T) {
	t.Parallel()
	cost := func(wall time.Duration, rss int64) Cost {
		return Cost{Wall: wall * time.Second, CPU: time.Second, RSS: rss}
	}
	pairs := []Pair{
		{Name: "start-up", Ours: cost(1, 10), Peer: cost(4, 15)},
		{Name: "analyze 1,000 services, live", Ours: cost(1, 10), Peer: cost(4, 15)},
		{Name: "analyze 1,000 routes, files", Ours: cost(1, 10), Peer: cost(2, 10)},
		{Name: "analyze 8,000 routes, files", Ours: cost(8, 10), Peer: cost(128, 10)},
	}
	var b strings.Builder
	if err := WritePage(&b, Page{Peer: "1.2.3", Rounds: 7, SlowRounds: 3}, Sizes{Ours: 50 << 20, Peer: 60 << 20}, pairs); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| start-up | 4.0x | 1.0x | 1.5x | wall 3x | yes |",
		"| analyze 1,000 services, live | 4.0x | 1.0x | 1.5x | wall 1x, memory 2x | no |",
		"| size of the program | | | 1.2x | size 1.5x | no |",
		`From "analyze 1,000 routes, files" to "analyze 8,000 routes, files" meshctl's time grows 8.0-fold, istioctl's 64.0-fold.`,
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no line %q in\n%s", want, b.String())
		}
	}

	// A run of some works replaces their rows, and adds those that are new.
	var again strings.Builder
	some := []Pair{{Name: "start-up", Ours: cost(1, 10), Peer: cost(2, 15)}, {Name: "analyze 1,000 services, live", PeerFails: true}, {Name: "news", Ours: cost(1, 1), Peer: cost(1, 1)}}
	if err := WritePage(&again, Page{Before: b.String()}, Sizes{Ours: 50 << 20, Peer: 60 << 20}, some); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| start-up | 2.0x | 1.0x | 1.5x | wall 3x | no |\n| analyze 1,000 services, live | istioctl fails | | | | |\n| analyze 1,000 routes, files | 2.0x |",
		"| size of the program | | | 1.2x | size 1.5x | no |\n| news | 1.0x | 1.0x | 1.0x |  |  |\n\nFrom \"analyze 1,000 routes, files\" to",
	} {
		if !strings.Contains(again.String(), want) {
			t.Errorf("no %q in\n%s", want, again.String())
		}
	}
}
