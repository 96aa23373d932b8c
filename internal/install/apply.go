package install

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"

	"golang.org/x/sync/errgroup"

	"github.com/meshctl/meshctl/internal/hint"
)

// errInterrupted is in the error of an install whose context was cancelled.
var errInterrupted = errors.New("interrupted")

// Apply does what the plan says, wave by wave, and waits for each wave before
// it starts the next, until ctx ends. The report is complete even when the
// error is not nil: it says what was applied and what was not.
func (p *Plan) Apply(ctx context.Context, c Cluster, o PlanOptions) (*Report, error) {
	r := newReport(p)
	if err := p.Blocked(); err != nil {
		r.finish(p)
		return r, err
	}
	recording := !p.Empty() || !p.isRecorded()
	if recording && len(p.Steps) > 0 {
		if err := p.start(ctx, c, o, r); err != nil {
			r.finish(p)
			return r, p.explainFailure(ctx, err, r)
		}
	}
	err := p.carryOut(ctx, c, o, r)
	if recording && len(p.Steps) > 0 {
		err = errors.Join(err, p.finish(ctx, c, err))
	}
	r.finish(p)
	if err == nil {
		return r, nil
	}
	return r, p.explainFailure(ctx, err, r)
}

// start makes the namespaces, of which one takes the inventory, and records
// what is about to be done: whatever then happens, the next run knows what is ours.
func (p *Plan) start(ctx context.Context, c Cluster, o PlanOptions, r *Report) error {
	if err := applySteps(ctx, c, p.at(waveDefinitions, tierNamespaces), o, r); err != nil {
		return err
	}
	return p.begin(ctx, c, o.Record)
}

// carryOut applies and waits wave by wave, and then deletes what is no longer wanted.
func (p *Plan) carryOut(ctx context.Context, c Cluster, o PlanOptions, r *Report) error {
	told := map[string]bool{}
	for wave := range waveCount {
		if err := p.applyWave(ctx, c, wave, o, r); err != nil {
			return err
		}
		r.finish(p)
		for _, component := range r.Components {
			if component.State == StateReady && !told[component.Name] {
				told[component.Name] = true
				o.Progress.tell(Event{Component: component.Name, Phase: Ready, Text: component.summary()})
			}
		}
	}
	return p.prune(ctx, c, o, r)
}

// at are the steps of a tier.
func (p *Plan) at(wave, tier int) []*Step {
	var steps []*Step
	for _, s := range p.Steps {
		if s.wave == wave && s.tier == tier {
			steps = append(steps, s)
		}
	}
	return steps
}

func (p *Plan) applyWave(ctx context.Context, c Cluster, wave int, o PlanOptions, r *Report) error {
	for tier := range tierCount {
		if err := applySteps(ctx, c, p.at(wave, tier), o, r); err != nil {
			return err
		}
	}
	return p.waitWave(ctx, c, wave, o, r)
}

// applySteps applies all steps at once, bounded; one that fails does not keep
// the others from being tried.
func applySteps(ctx context.Context, c Cluster, steps []*Step, o PlanOptions, r *Report) error {
	var mu sync.Mutex
	var failures []error
	var g errgroup.Group
	g.SetLimit(requests)
	for _, s := range steps {
		if s.Action == Keep {
			r.kept(s)
			continue
		}
		if r.isDone(s) { // a namespace: made before the run was recorded
			continue
		}
		g.Go(func() error {
			if err := applyStep(ctx, c, s, o, r); err != nil {
				r.failed(s, err)
				mu.Lock()
				defer mu.Unlock()
				failures = append(failures, err)
			}
			return nil
		})
	}
	_ = g.Wait() // failures holds them all
	return joinFailures("installing", failures)
}

func applyStep(ctx context.Context, c Cluster, s *Step, o PlanOptions, r *Report) error {
	o.Progress.tell(Event{Component: s.Component, Object: ident(s.Object), Phase: Applying})
	told := ""
	err := retry(ctx, func() error {
		if s.Action == TakeOver {
			if err := s.adopt(ctx, c); err != nil {
				return err
			}
		}
		got, err := applyYielding(ctx, c, s, o.Force || s.force)
		if err == nil {
			r.applied(s, got)
		}
		return err
	}, func(cause error) {
		if text := message(cause); text != told {
			told = text
			o.Progress.tell(Event{Component: s.Component, Object: ident(s.Object), Phase: Applying, Text: "trying again: " + text})
		}
	})
	if err != nil {
		if told != "" && ctx.Err() != nil {
			return hint.Failf("running the same command again continues", "applying %s: not done before the deadline: %s", ident(s.Object), told)
		}
		return failure("applying", ident(s.Object), "patch", err)
	}
	o.Progress.tell(Event{Component: s.Component, Object: ident(s.Object), Phase: Applied, Text: string(r.outcome(s))})
	return nil
}

// applyYielding applies a step; where istiod has meanwhile taken a field of its
// webhook, once more without that field.
func applyYielding(ctx context.Context, c Cluster, s *Step, force bool) (*unstructured.Unstructured, error) {
	got, err := c.Apply(ctx, s.Object, false, force)
	if !isFieldConflict(err) || !isWebhook(s.Object) {
		return got, err
	}
	live, readErr := c.Get(ctx, s.Object.GroupVersionKind(), s.Object.GetNamespace(), s.Object.GetName())
	if readErr != nil {
		return nil, err // the conflict says more
	}
	yieldWebhooks(s.Object, live)
	return c.Apply(ctx, s.Object, false, force)
}

// retry calls do until it succeeds, fails for good or ctx ends; again is told
// of every failure that passes.
func retry(ctx context.Context, do func() error, again func(error)) error {
	for backoff := askAgain(); ; {
		err := do()
		if err == nil || !passes(err) {
			return err
		}
		again(err)
		if !pause(ctx, &backoff) {
			return err
		}
	}
}

// askAgain is how long to rest before the same request: ever longer, up to three seconds.
func askAgain() wait.Backoff {
	return wait.Backoff{Duration: 50 * time.Millisecond, Factor: 2, Jitter: 0.2, Steps: 7, Cap: 3 * time.Second}
}

// pause rests; false means that ctx ended meanwhile.
func pause(ctx context.Context, backoff *wait.Backoff) bool {
	timer := time.NewTimer(backoff.Step())
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// passes says whether an error of the API server may be gone a moment later.
func passes(err error) bool {
	var network net.Error
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	case meta.IsNoMatchError(err): // right after the CRD was established
		return true
	case isFieldConflict(err):
		return false
	case apierrors.IsConflict(err), apierrors.IsTooManyRequests(err), apierrors.IsServerTimeout(err),
		apierrors.IsTimeout(err), apierrors.IsServiceUnavailable(err), apierrors.IsInternalError(err):
		return true
	case apierrors.IsForbidden(err) && strings.Contains(err.Error(), "is being terminated"): // a namespace on its way out
		return true
	case isMissingNamespace(err): // seen by another API server than the one that made it
		return true
	case strings.Contains(err.Error(), "etcdserver:"):
		return true
	}
	return errors.As(err, &network)
}

// explainFailure says how far the install came.
func (p *Plan) explainFailure(ctx context.Context, err error, r *Report) error {
	if errors.Is(ctx.Err(), context.Canceled) && !errors.Is(err, errInterrupted) {
		err = fmt.Errorf("%w: %w", errInterrupted, err)
	}
	step := hint.Of(err)
	again := "running the same command again continues"
	switch {
	case step == "":
		step = again
	case !strings.Contains(step, again):
		step += "; " + again
	}
	return hint.Failf(step, "%w\n%s", err, r.standing())
}
