package cmd

import (
	"context"
	"hash/fnv"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/proxyconfig"
	"github.com/meshctl/meshctl/internal/proxyconfig/status"
)

// meshReader reads what proxy-status is about, of all clusters at once.
type meshReader struct {
	o        *proxyStatusOptions
	clusters []*clusterReader
	// watching says that it reads again and again. Then pods are read again only
	// when other proxies are connected than before, or after a while.
	watching  bool
	podsAt    time.Time
	connected uint64
}

// podsAgain is how long pods that were read may serve while the same proxies
// are connected.
const podsAgain = 30 * time.Second

// newMeshReader finds the clusters to read; with --xds-address it is one istiod
// of which no cluster is known.
func newMeshReader(ctx context.Context, o *proxyStatusOptions) (*meshReader, error) {
	r := &meshReader{o: o}
	if o.ask.address != "" {
		return r, r.direct()
	}
	sources, err := o.clusters.sources(ctx, o.f)
	if err != nil {
		return nil, err
	}
	for _, s := range sources {
		r.clusters = append(r.clusters, &clusterReader{o: o, source: s, state: status.Cluster{Name: s.Name}})
	}
	return r, nil
}

// direct makes --xds-address the only istiod.
func (r *meshReader) direct() error {
	o := r.o
	client, err := o.f.Client()
	if o.ask.certDir != "" || o.ask.plaintext {
		client, err = nil, nil // no token is needed
	}
	if err != nil {
		return err
	}
	c := &clusterReader{o: o}
	c.at(client, o.ask.address, nil)
	r.clusters = []*clusterReader{c}
	return nil
}

// read reads everything. Only the end of ctx, and that nothing at all could be
// read, is an error.
func (r *meshReader) read(ctx context.Context, wish *status.Wish) (*status.Mesh, error) {
	asksPods := r.o.ask.address == "" && wish.AsksPods()
	fresh := r.watching && r.o.f.Now().Sub(r.podsAt) < podsAgain
	r.each(func(c *clusterReader) { c.sync(ctx) }, asksPods && !fresh, func(c *clusterReader) { c.pods(ctx, wish) })
	if connected := r.fingerprint(); asksPods {
		if fresh && connected != r.connected {
			r.each(nil, true, func(c *clusterReader) { c.pods(ctx, wish) })
		}
		if !fresh || connected != r.connected {
			r.podsAt = r.o.f.Now()
		}
		r.connected = connected
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := r.failed(); err != nil {
		return nil, err
	}
	if r.o.revision != "" {
		wish.Revision = r.revision()
	}
	return r.mesh(), nil
}

// each does something with all clusters at once, and with also a second thing.
func (r *meshReader) each(first func(*clusterReader), also bool, second func(*clusterReader)) {
	var work sync.WaitGroup
	for _, c := range r.clusters {
		if first != nil {
			work.Go(func() { first(c) })
		}
		if also {
			work.Go(func() { second(c) })
		}
	}
	work.Wait()
}

// fingerprint is the same while the same proxies are connected.
func (r *meshReader) fingerprint() uint64 {
	var sum uint64
	for _, c := range r.clusters {
		if c.report == nil {
			continue
		}
		for i := range c.report.Proxies {
			p := &c.report.Proxies[i]
			h := fnv.New64a()
			_, _ = io.WriteString(h, p.Name+"\x00"+p.Namespace+"\x00"+p.Cluster)
			sum += h.Sum64() // in any order
		}
	}
	return sum
}

// again asks the same istiods once more.
func (r *meshReader) again(ctx context.Context) (*status.Mesh, error) {
	r.each(func(c *clusterReader) {
		if c.asker != nil {
			c.ask(ctx)
		}
	}, false, nil)
	return r.mesh(), ctx.Err()
}

func (r *meshReader) mesh() *status.Mesh {
	m := &status.Mesh{Time: r.o.f.Now()}
	for _, c := range r.clusters {
		if c.report != nil {
			m.Istiods = append(m.Istiods, c.report.Istiods...)
			m.Proxies = append(m.Proxies, c.report.Proxies...)
		}
		if r.o.ask.address == "" {
			m.Clusters = append(m.Clusters, c.state)
		}
	}
	return m
}

// revision is the revision that --revision means: it may be a tag.
func (r *meshReader) revision() string {
	for _, c := range r.clusters {
		for _, i := range c.asked {
			if i.Revision != "" {
				return i.Revision
			}
		}
	}
	return r.o.revision
}

// istiods are the istiods of a cluster that can be reached through its API
// server, and the way to them.
func (r *meshReader) istiods(context string) (*kube.Client, []kube.Istiod) {
	for _, c := range r.clusters {
		if c.source.Name == context && c.asker != nil {
			return c.asker.client, slices.Collect(maps.Values(c.asker.istiods))
		}
	}
	return nil, nil
}

// failed says that nothing at all could be read, and why.
func (r *meshReader) failed() error {
	all := proxyconfig.SyncReport{}
	var first error
	for _, c := range r.clusters {
		switch {
		case c.report != nil:
			all.Istiods = append(all.Istiods, c.report.Istiods...)
		case c.state.Error != "" && first == nil:
			first = hint.Unanswerablef(c.state.Hint, "%s", c.state.Error)
		case c.none != nil && first == nil:
			first = c.none
		}
	}
	if len(all.Istiods) > 0 {
		return all.Failure()
	}
	if len(r.clusters) > 1 {
		return hint.Unanswerablef(hint.Of(first), "none of the %d clusters has an istiod that could be asked: %w", len(r.clusters), first)
	}
	return first
}
