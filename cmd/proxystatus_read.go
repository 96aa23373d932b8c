package cmd

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/mesh"
	"github.com/meshctl/meshctl/internal/proxyconfig"
	"github.com/meshctl/meshctl/internal/proxyconfig/status"
)

// meshReader reads what proxy-status is about, of all clusters at once.
type meshReader struct {
	o        *proxyStatusOptions
	clusters []*clusterReader
}

// clusterReader reads one cluster.
type clusterReader struct {
	o      *proxyStatusOptions
	source kube.Remote

	asker  *asker
	asked  []proxyconfig.IstiodSync
	none   error // that it has no istiod of its own
	report *proxyconfig.SyncReport
	state  status.Cluster
}

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
	c.at(client, o.ask.address)
	r.clusters = []*clusterReader{c}
	return nil
}

// at makes the istiod at an address the one to ask.
func (c *clusterReader) at(client *kube.Client, address string) {
	xds := c.o.ask.xds(c.o.f, client)
	xds.Address = address
	c.asker, _ = newAsker(client, nil, xds, true)
	c.asked = []proxyconfig.IstiodSync{{Name: address, Context: c.source.Name}}
}

// read reads everything. Only the end of ctx, and that nothing at all could be
// read, is an error.
func (r *meshReader) read(ctx context.Context, wish *status.Wish) (*status.Mesh, error) {
	var work sync.WaitGroup
	for _, c := range r.clusters {
		work.Go(func() { c.sync(ctx) })
		if r.o.ask.address == "" && wish.AsksPods() {
			work.Go(func() { c.pods(ctx, wish) })
		}
	}
	work.Wait()
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

// again asks the same istiods once more.
func (r *meshReader) again(ctx context.Context) (*status.Mesh, error) {
	var work sync.WaitGroup
	for _, c := range r.clusters {
		if c.asker != nil {
			work.Go(func() { c.ask(ctx) })
		}
	}
	work.Wait()
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

// qualified is an istiod's name with its namespace, where it has one.
func qualified(i proxyconfig.IstiodSync) string {
	if i.Namespace == "" {
		return i.Name
	}
	return i.Name + "." + i.Namespace
}

// sync finds the istiods and asks them.
func (c *clusterReader) sync(ctx context.Context) {
	if err := c.find(ctx); err != nil {
		c.state.Error, c.state.Hint, c.report = err.Error(), hint.Of(err), nil
		return
	}
	c.state.Error, c.state.Hint = "", ""
	if c.asker != nil {
		c.ask(ctx)
	}
}

func (c *clusterReader) ask(ctx context.Context) {
	report, err := proxyconfig.GatherSync(ctx, c.asker, c.asked, c.o.each(), c.o.f.Now)
	if err == nil {
		c.report = report
	}
}

// find finds the cluster's istiods, or the one elsewhere that its injector names.
func (c *clusterReader) find(ctx context.Context) error {
	if c.o.ask.address != "" {
		return nil
	}
	if c.source.Err != nil {
		return c.source.Err
	}
	ctx, cancel := context.WithTimeout(ctx, c.o.each())
	defer cancel()
	client, namespace := c.source.Client, c.o.f.IstioNamespace()
	istiods, err := client.SelectIstiods(ctx, namespace, c.o.revision, c.o.ask.selector())
	var none *kube.NoIstiodError
	if errors.As(err, &none) {
		c.none, c.asker, c.asked, c.report = err, nil, nil, nil
		address, webhookErr := client.WebhookIstiod(ctx, c.o.revision)
		if webhookErr != nil || address == "" {
			return webhookErr
		}
		c.at(client, address)
		return nil
	}
	if err != nil {
		if ctx.Err() != nil {
			err = hint.Unanswerablef("give it longer with --timeout", "looking for istiods: no answer within %s", c.o.each())
		}
		return err
	}
	c.none = nil
	c.asker, c.asked = newAsker(client, istiods, c.o.ask.xds(c.o.f, client), c.o.ask.given)
	for i := range c.asked {
		c.asked[i].Context = c.source.Name
	}
	return nil
}

// pods reads what says who should be connected.
func (c *clusterReader) pods(ctx context.Context, wish *status.Wish) {
	if c.source.Err != nil {
		return
	}
	what := kube.ReadOptions{
		Kinds: []mesh.Kind{mesh.Pod, mesh.MutatingWebhookConfiguration, mesh.WorkloadEntry, mesh.WorkloadGroup},
		Slim:  true, ProxyStates: true, IstioNamespace: c.o.f.IstioNamespace(), Namespaces: []string{c.o.f.IstioNamespace()},
	}
	if wish.Namespace != "" {
		what.Only, what.Namespaces = []string{wish.Namespace}, append(what.Namespaces, wish.Namespace)
	}
	ctx, cancel := context.WithTimeout(ctx, c.o.each())
	defer cancel()
	live, err := c.source.Client.Read(ctx, what)
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("it took longer than %s", c.o.each())
		}
		c.state.View, c.state.Skipped = nil, []mesh.Skip{{Kind: mesh.Pod, Reason: err.Error()}}
		return
	}
	c.state.Skipped = live.Skipped
	c.state.View = mesh.New(live.Objects, mesh.Options{
		Cluster: c.source.Name, Read: live.Read, ReadIn: live.ReadIn, Skipped: live.Skipped, IstioNamespace: c.o.f.IstioNamespace(),
	})
}

// each is how long one istiod, and one cluster, may take.
func (o *proxyStatusOptions) each() time.Duration { return o.timeout }
