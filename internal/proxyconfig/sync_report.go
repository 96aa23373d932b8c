package proxyconfig

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/meshctl/meshctl/internal/hint"
)

// IstiodSync is one istiod and whether it answered.
type IstiodSync struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Revision  string `json:"revision"`
	// Proxies is how many proxies are connected to it.
	Proxies int `json:"proxies"`
	// Error is why it did not answer.
	Error string `json:"error,omitempty"`
	// Hint is what to do about Error.
	Hint string `json:"hint,omitempty"`
}

// SyncReport is the result of proxy-status.
type SyncReport struct {
	// InSync is false when any proxy below is stale or refused something.
	InSync bool `json:"inSync"`
	// Complete is false when an istiod did not answer.
	Complete bool         `json:"complete"`
	Istiods  []IstiodSync `json:"istiods"`
	// Proxies has those with problems first.
	Proxies []ProxySync `json:"proxies"`

	now time.Time
}

// Syncz is the cluster that proxy-status needs.
type Syncz interface {
	// Syncz opens istiod's /debug/syncz.
	Syncz(ctx context.Context, istiod IstiodSync) (io.ReadCloser, error)
}

// GatherSync asks all istiods at once, each with a deadline of its own. An
// istiod that does not answer is in the report with its error; only the end of
// ctx is an error.
func GatherSync(ctx context.Context, cluster Syncz, istiods []IstiodSync, timeout time.Duration, now time.Time) (*SyncReport, error) {
	r := &SyncReport{Istiods: slices.Clone(istiods), Proxies: []ProxySync{}, now: now}
	proxies := make([][]ProxySync, len(istiods))
	var work sync.WaitGroup
	for i := range r.Istiods {
		work.Go(func() { proxies[i] = ask(ctx, cluster, &r.Istiods[i], timeout) })
	}
	work.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, p := range proxies {
		r.Proxies = append(r.Proxies, p...)
	}
	r.judge()
	return r, nil
}

func ask(ctx context.Context, cluster Syncz, istiod *IstiodSync, timeout time.Duration) []ProxySync {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	proxies, err := func() ([]ProxySync, error) {
		body, err := cluster.Syncz(ctx, *istiod)
		if err != nil {
			return nil, err
		}
		defer func() { _ = body.Close() }()
		return ParseSyncz(istiod.Name, body)
	}()
	switch {
	case err == nil:
		istiod.Proxies = len(proxies)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		istiod.Error = "it did not answer within " + timeout.String()
		istiod.Hint = "give it longer with --timeout; if it hangs, `kubectl logs -n " + istiod.Namespace + " " + istiod.Name + "` may say why"
	default:
		istiod.Error, istiod.Hint = err.Error(), hint.Of(err)
	}
	return proxies
}

// Keep drops the proxies that keep refuses, and judges the rest anew.
func (r *SyncReport) Keep(keep func(*ProxySync) bool) {
	r.Proxies = slices.DeleteFunc(r.Proxies, func(p ProxySync) bool { return !keep(&p) })
	r.judge()
}

// judge sorts the proxies, problems first, and says whether all is well.
func (r *SyncReport) judge() {
	order := map[SyncState]int{Rejected: 0, Stale: 1, Synced: 2}
	slices.SortStableFunc(r.Proxies, func(a, b ProxySync) int {
		if d := order[a.worst()] - order[b.worst()]; d != 0 {
			return d
		}
		return strings.Compare(a.Namespace+"/"+a.Name+"/"+a.Cluster+"/"+a.Istiod, b.Namespace+"/"+b.Name+"/"+b.Cluster+"/"+b.Istiod)
	})
	r.InSync = !slices.ContainsFunc(r.Proxies, func(p ProxySync) bool { return p.OutOfSync() })
	r.Complete = !slices.ContainsFunc(r.Istiods, func(i IstiodSync) bool { return i.Error != "" })
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
