package analyze

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/meshctl/meshctl/internal/deadline"
	"github.com/meshctl/meshctl/internal/mesh"
)

// Options say what of a run's findings to keep.
type Options struct {
	// Namespaces keep only findings about objects in them, about themselves,
	// and about what lives in none; nil keeps all.
	Namespaces []string
	// Suppress are the findings that the user does not want; see [ParseSuppression].
	Suppress []Suppression
	// Threshold drops milder findings from the report, after they were counted.
	Threshold Severity
	// FailOn is the mildest severity that fails; it changes nothing but what
	// JUnit calls a failure.
	FailOn Severity
	// Severities are those that the user gives to findings, by code or name, in
	// lower case; the name counts more.
	Severities map[string]Severity
	// Known says whether a word names a check of ours or of another program that
	// reads the same annotations; nil knows all words.
	Known func(word string) bool
	// Now is the time by which certificates are judged and suppressions expire; the
	// clock's when zero.
	Now time.Time
}

// InternalError is the code of a finding about a check that failed inside.
const InternalError = "IST0001"

// Run runs the checks over a snapshot, all processors at once. A check that
// panics becomes a finding of its own (IST0001). When ctx ends the error names
// the checks that were not done; these may go on for a while, for nobody.
func Run(ctx context.Context, snapshot *mesh.Snapshot, checks []*Check, options Options) (*Report, error) {
	return RunAll(ctx, []*mesh.Snapshot{snapshot}, checks, options)
}

// RunAll is [Run] over the snapshots of several clusters and revisions, as
// [mesh.Views] makes them, in one report.
func RunAll(ctx context.Context, snapshots []*mesh.Snapshot, checks []*Check, options Options) (*Report, error) {
	underway := &underway{}
	report, err := deadline.Do(ctx, func() (*Report, error) {
		return runAll(ctx, snapshots, checks, options, underway)
	})
	if err != nil {
		return nil, underway.late(err)
	}
	return report, nil
}

func runAll(ctx context.Context, snapshots []*mesh.Snapshot, checks []*Check, options Options, underway *underway) (*Report, error) {
	report := newReport()
	if options.Now.IsZero() {
		options.Now = time.Now()
	}
	var passes []*Pass
	for _, snapshot := range snapshots {
		report.Summary.Objects += snapshot.Own()
		shared := newMemos(checks)
		for _, c := range checks {
			if reason := unreadable(snapshot, c); reason != "" {
				report.skip(SkippedCheck{Code: c.Code, Check: c.Name, Cluster: snapshot.Cluster(), Reason: reason})
				continue
			}
			passes = append(passes, &Pass{Snapshot: snapshot, check: c, unknown: map[unknown]int{}, memos: shared, Now: options.Now})
		}
	}
	report.checks = ran(passes)
	report.Summary.Checks = len(report.checks)
	runPasses(ctx, passes, underway)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	underway.placing()
	report.collect(passes, options)
	return report, nil
}

// runPasses runs all passes, unless ctx ends before.
func runPasses(ctx context.Context, passes []*Pass, underway *underway) {
	next := make(chan *Pass)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), max(len(passes), 1)) {
		workers.Go(func() {
			for p := range next {
				done := underway.begin(p.check.Name)
				p.run()
				done()
			}
		})
	}
	for _, p := range passes {
		if ctx.Err() != nil {
			break
		}
		next <- p
	}
	close(next)
	workers.Wait()
}

// ran are the different checks of the passes.
func ran(passes []*Pass) []*Check {
	var checks []*Check
	seen := map[*Check]bool{}
	for _, p := range passes {
		if !seen[p.check] {
			seen[p.check] = true
			checks = append(checks, p.check)
		}
	}
	return checks
}

// unreadable is why the check cannot run: a kind it reads that was refused.
func unreadable(s *mesh.Snapshot, c *Check) string {
	for _, k := range c.Reads {
		if reason, skipped := s.Skipped(k); skipped {
			return fmt.Sprintf("%s could not be read: %s", k.Resource, reason)
		}
	}
	return ""
}

// run runs the check and turns a panic into a finding.
func (p *Pass) run() {
	defer func() {
		if r := recover(); r != nil {
			p.findings = append(p.findings, &Finding{
				Code: InternalError, Check: p.check.Name, Severity: Error, Related: []Related{}, Uncertain: []Uncertain{},
				Message: fmt.Sprintf("the check %s failed inside and says nothing about this mesh: %v (%s)", p.check.Name, r, panicPlace()),
				Fix:     "report it with the input to https://github.com/meshctl/meshctl/issues, and go on with --skip " + p.check.Name,
			})
		}
	}()
	p.listen()
	p.check.Run(p)
	p.doubt()
}

// panicPlace is the innermost function of ours on the stack of a panic.
func panicPlace() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		f, more := frames.Next()
		if strings.Contains(f.File, "/internal/") && strings.Contains(f.Function, "meshctl") {
			return fmt.Sprintf("%s:%d", f.File[strings.LastIndex(f.File, "/internal/")+1:], f.Line)
		}
		if !more {
			return "unknown place"
		}
	}
}

// Select is the checks that only and skip name, by code, name, Kiali's code or
// severity; nil only means all. An unknown word is returned.
func Select(checks []*Check, only, skip []string) (selected []*Check, unknownWord string) {
	for _, word := range slices.Concat(only, skip) {
		if !slices.ContainsFunc(checks, func(c *Check) bool { return c.named(word) }) {
			return nil, word
		}
	}
	for _, c := range checks {
		if (len(only) == 0 || slices.ContainsFunc(only, c.named)) && !slices.ContainsFunc(skip, c.named) {
			selected = append(selected, c)
		}
	}
	return selected, ""
}

// named says whether a word means the check, among others perhaps.
func (c *Check) named(word string) bool {
	return c.Is(word) || strings.EqualFold(string(c.Severity), word)
}

// Is says whether a word is the check's code, name, or Kiali's code for it.
func (c *Check) Is(word string) bool {
	return strings.EqualFold(c.Code, word) || strings.EqualFold(c.Name, word) ||
		slices.ContainsFunc(c.KialiCodes(), func(kia string) bool { return strings.EqualFold(kia, word) })
}

// KialiCodes are Kiali's codes for the same defect.
func (c *Check) KialiCodes() []string {
	return strings.FieldsFunc(c.KIA, func(r rune) bool { return r == ',' || r == ' ' || r == '/' })
}

// HelpURL is the page that tells of the check's code.
func (c *Check) HelpURL() string {
	if strings.HasPrefix(c.Code, "IST") {
		return "https://istio.io/latest/docs/reference/config/analysis/" + strings.ToLower(c.Code) + "/"
	}
	return homepage + "/blob/main/docs/checks.md#" + strings.ToLower(c.Code)
}

// Reads are all kinds that the checks ask for, sorted.
func Reads(checks []*Check) []mesh.Kind {
	seen := map[mesh.Kind]bool{}
	for _, c := range checks {
		for _, k := range slices.Concat(c.Reads, c.Uses) {
			seen[k] = true
		}
	}
	kinds := make([]mesh.Kind, 0, len(seen))
	for k := range seen {
		kinds = append(kinds, k)
	}
	slices.SortFunc(kinds, mesh.Kind.Compare)
	return kinds
}
