package kube

import (
	"context"
	"errors"
	"io"
	"time"

	"k8s.io/client-go/discovery"
)

// How often the API server is asked whether it is there, and how long it may
// take to answer.
const (
	linkPause   = 2 * time.Second
	linkTimeout = 5 * time.Second
)

// Link calls told with an error when the API server stops to answer, and with
// nil when it answers again, until ctx ends. Watches do not tell: a broken one
// is opened again in silence, and one whose network is gone stays silent for
// most of a minute.
func (o *Objects) Link(ctx context.Context, told func(error)) {
	cfg, err := o.client.Config()
	if err != nil {
		return
	}
	d, err := discovery.NewDiscoveryClientForConfig(cfg)
	if err != nil {
		return
	}
	ticker := time.NewTicker(linkPause)
	defer ticker.Stop()
	watchLink(ctx, ticker.C, func() error { return alive(ctx, d) }, told)
}

// watchLink asks at every tick, and tells of every failure and of the first success after one.
func watchLink(ctx context.Context, ticks <-chan time.Time, ask func() error, told func(error)) {
	down := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks:
		}
		err := ask()
		if ctx.Err() != nil {
			return
		}
		if err != nil || down {
			told(err)
		}
		down = err != nil
	}
}

// alive returns nil when the API server gives any answer at all.
func alive(ctx context.Context, d *discovery.DiscoveryClient) error {
	ctx, stop := context.WithTimeout(ctx, linkTimeout)
	defer stop()
	err := d.RESTClient().Get().AbsPath("/livez").Do(ctx).Error()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return errors.New("no answer within " + linkTimeout.String())
	case unanswered(err):
		return errors.New(rootCause(err))
	}
	return nil // it has answered, if only to refuse
}

// unanswered says whether an error comes from the way to the API server, not from it.
func unanswered(err error) bool {
	return isUnreachable(err) || isNetTimeout(err) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
