package proxyconfig

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/meshctl/meshctl/internal/hint"
)

// IstiodSync is one istiod and whether it answered.
type IstiodSync struct {
	// Name is its pod, or the address by which it was reached.
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Revision  string `json:"revision"`
	// Context is the kubeconfig context of its cluster, and Cluster the cluster's
	// ID; both may be empty.
	Context string `json:"context,omitempty"`
	Cluster string `json:"cluster,omitempty"`
	// Version is what it says it is, without the commit; empty when it does not say.
	Version string `json:"version,omitempty"`
	// Proxies is how many proxies are connected to it.
	Proxies int `json:"proxies"`
	// Error is why it did not answer.
	Error string `json:"error,omitempty"`
	// Hint is what to do about Error.
	Hint string `json:"hint,omitempty"`
}

// SyncAnswer is what one istiod says.
type SyncAnswer struct {
	Proxies []ProxySync
	// Name is what it calls itself, and Version what it is, commit included;
	// either may be empty.
	Name, Version string
	// Clock is its time; zero when not known.
	Clock time.Time
}

// SyncReport is what several istiods say of the proxies connected to them.
type SyncReport struct {
	// Complete is false when an istiod did not answer.
	Complete bool
	Istiods  []IstiodSync
	Proxies  []ProxySync
}

// Syncz is the cluster that sync states are asked of.
type Syncz interface {
	// Syncz asks one istiod.
	Syncz(ctx context.Context, istiod IstiodSync) (*SyncAnswer, error)
}

// GatherSync asks all istiods at once, each with a deadline of its own. An
// istiod that does not answer is in the report with its error; only the end of
// ctx is an error. now is this machine's clock.
func GatherSync(ctx context.Context, cluster Syncz, istiods []IstiodSync, timeout time.Duration, now func() time.Time) (*SyncReport, error) {
	r := &SyncReport{Complete: true, Istiods: slices.Clone(istiods), Proxies: []ProxySync{}}
	proxies := make([][]ProxySync, len(istiods))
	var work sync.WaitGroup
	for i := range r.Istiods {
		work.Go(func() { proxies[i] = r.Istiods[i].ask(ctx, cluster, timeout, now) })
	}
	work.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for i, p := range proxies {
		r.Proxies = append(r.Proxies, p...)
		r.Complete = r.Complete && r.Istiods[i].Error == ""
	}
	return r, nil
}

// ask fills in what the istiod answers, and returns its proxies.
func (i *IstiodSync) ask(ctx context.Context, cluster Syncz, timeout time.Duration, now func() time.Time) []ProxySync {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answer, err := cluster.Syncz(ctx, *i)
	switch {
	case err == nil:
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		i.Error = "it did not answer within " + timeout.String()
		i.Hint = "give it longer with --timeout"
		if i.Namespace != "" {
			i.Hint += "; if it hangs, `kubectl logs -n " + i.Namespace + " " + i.Name + "` may say why"
		}
		return nil
	default:
		i.Error, i.Hint = err.Error(), hint.Of(err)
		return nil
	}
	i.Version, _ = SplitBuild(answer.Version)
	if answer.Name != "" {
		i.Name = answer.Name
	}
	var ahead time.Duration
	if !answer.Clock.IsZero() {
		// Its clock is cut to the second, and the answer took its time.
		if ahead = answer.Clock.Sub(now()); ahead.Abs() < 2*time.Second {
			ahead = 0
		}
	}
	for n := range answer.Proxies {
		p := &answer.Proxies[n]
		p.Istiod, p.Context, p.ahead = i.Name, i.Context, ahead
	}
	i.Proxies = len(answer.Proxies)
	return answer.Proxies
}

// SplitBuild separates what istiod says of itself, "1.31.1-<commit>-Clean",
// into its version and the whole.
func SplitBuild(text string) (version, build string) {
	version = text
	if parts := strings.Split(text, "-"); len(parts) >= 3 {
		version = strings.Join(parts[:len(parts)-2], "-")
	}
	return version, text
}

// Failed is how many istiods did not answer.
func (r *SyncReport) Failed() int {
	n := 0
	for _, i := range r.Istiods {
		if i.Error != "" {
			n++
		}
	}
	return n
}

// Failure is why not a single istiod answered; nil when one did.
func (r *SyncReport) Failure() error {
	if len(r.Istiods) == 0 || r.Failed() < len(r.Istiods) {
		return nil
	}
	first := r.Istiods[0]
	name := first.Name
	if first.Namespace != "" {
		name += "." + first.Namespace
	}
	if n := len(r.Istiods); n > 1 {
		return hint.Unanswerablef(first.Hint, "none of the %d istiods answers: %s: %s", n, name, first.Error)
	}
	return hint.Unanswerablef(first.Hint, "istiod %s does not answer: %s", name, first.Error)
}
