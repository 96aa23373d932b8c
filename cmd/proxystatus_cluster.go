package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/mesh"
	"github.com/meshctl/meshctl/internal/proxyconfig"
	"github.com/meshctl/meshctl/internal/proxyconfig/status"
)

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

// at makes the istiod at an address the one to ask.
func (c *clusterReader) at(client *kube.Client, address string, roots []byte) {
	xds := c.o.ask.xds(c.o.f, client)
	xds.Address, xds.Roots = address, roots
	c.asker, _ = newAsker(client, nil, xds, true)
	c.asked = []proxyconfig.IstiodSync{{Name: address, Context: c.source.Name}}
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
		address, roots, webhookErr := client.WebhookIstiod(ctx, c.o.revision)
		if webhookErr != nil || address == "" {
			return webhookErr
		}
		c.at(client, address, roots)
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
func (o *proxyStatusOptions) each() time.Duration {
	if o.wait {
		return min(o.timeout, eachTimeout)
	}
	return o.timeout
}
