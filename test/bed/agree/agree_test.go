package agree

import (
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/meshctl/meshctl/test/bed/netpod"
)

var (
	seed   = flag.Uint64("seed", 1, "of the random requests")
	scale  = flag.Float64("scale", 1, "how many times the usual number of requests")
	only   = flag.String("sets", "", "regular expression: only these sets")
	out    = flag.String("out", "", "folder for every Envoy's dump, every request and its access log line")
	replay = flag.String("replay", "", "folder of an earlier run with -out: judge that again, without any Envoy")
	most   = flag.Int("most", 5, "disagreements of a set to show")
	update = flag.Bool("update", false, "write docs/trace-agreement.md")
)

// TestMain makes the test binary the program around each Envoy, when it is told to.
func TestMain(m *testing.M) {
	if config := os.Getenv(netpod.Env); config != "" {
		os.Exit(netpod.Run(config, os.Args[1:]))
	}
	flag.Parse()
	os.Exit(m.Run())
}

const (
	wantSets      = 20
	wantRequests  = 2000
	tooUndecided  = 0.01
	page          = "../../../docs/trace-agreement.md"
	setsAtOneTime = 8
)

func TestAgreement(t *testing.T) {
	sets, err := Load("testdata/sets")
	if err != nil {
		t.Fatal(err)
	}
	if *only != "" {
		var kept []*Set
		for _, s := range sets {
			if regexp.MustCompile(*only).MatchString(s.Name) {
				kept = append(kept, s)
			}
		}
		sets = kept
	}
	if *replay != "" {
		var results []*Result
		for _, s := range sets {
			r, err := Replay(*replay, s)
			if err != nil {
				t.Fatal(err)
			}
			results = append(results, r)
		}
		report(t, results, 0)
		return
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	start := time.Now()
	m, err := Start(ctx, program, sets)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Bed.Down)
	t.Logf("control plane after %.1f s; seed %d", time.Since(start).Seconds(), *seed)
	results := make([]*Result, len(sets))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(setsAtOneTime)
	for i, s := range sets {
		g.Go(func() error {
			if err := m.Apply(gctx, s); err != nil {
				return fmt.Errorf("set %s: %w", s.Name, err)
			}
			var err error
			if results[i], err = m.Run(gctx, s, *seed, *scale); err != nil || *out == "" {
				return err
			}
			return results[i].Save(*out)
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	report(t, results, time.Since(start))
}

func report(t *testing.T, results []*Result, took time.Duration) {
	var sum Result
	for _, r := range results {
		sum.Requests = append(sum.Requests, r.Requests...)
		sum.Agreed, sum.Undecided, sum.Disagreed = sum.Agreed+r.Agreed, sum.Undecided+r.Undecided, sum.Disagreed+r.Disagreed
		for i, d := range r.Disagreements {
			if i < *most {
				t.Errorf("trace and Envoy disagree: %s", d)
			}
		}
		for i, d := range r.UndecidedBecause {
			if i < 3 {
				t.Logf("undecided: %s", d)
			}
		}
	}
	table := Table(results, *seed)
	t.Logf("%d sets, %d requests in %.1f s\n%s", len(results), len(sum.Requests), took.Seconds(), table)
	if *only != "" {
		return
	}
	if len(results) < wantSets || len(sum.Requests) < wantRequests {
		t.Errorf("%d sets and %d requests; want at least %d and %d", len(results), len(sum.Requests), wantSets, wantRequests)
	}
	if share := float64(sum.Undecided) / float64(len(sum.Requests)); share >= tooUndecided {
		t.Errorf("%.1f %% undecided, want less than %.0f %%", 100*share, 100*tooUndecided)
	}
	if *update && !t.Failed() {
		if err := os.WriteFile(page, []byte(table), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(page); *seed == 1 && *scale == 1 && !t.Failed() && (err != nil || strings.TrimSpace(string(want)) != strings.TrimSpace(table)) {
		t.Errorf("%s is not what this run found; write it with -update", page)
	}
}
