package cmd

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/proxyconfig"
	"github.com/meshctl/meshctl/internal/proxyconfig/diff"
	"github.com/meshctl/meshctl/internal/proxyconfig/status"
)

// compareFlags say how proxy-status POD compares what istiod would send with
// what Envoy has.
type compareFlags struct {
	file      string
	adminPort int
	timeout   time.Duration
}

func addCompareFlags(c *cobra.Command) *compareFlags {
	o := &compareFlags{}
	c.Flags().StringVarP(&o.file, "file", "f", "", "Envoy's side of the comparison from this config dump; - is stdin")
	c.Flags().IntVar(&o.adminPort, "proxy-admin-port", 15000, "port of Envoy's admin interface in the pod")
	c.Flags().DurationVar(&o.timeout, "compare-timeout", time.Minute, "longest time to read both sides of the comparison")
	return o
}

// comparison is the state of one proxy together with how its Envoy differs
// from its istiod.
type comparison struct {
	*status.Report
	// Comparison is nil for proxies that have no Envoy.
	Comparison *diff.Served `json:"comparison,omitempty"`
}

// settleAfter is the pause before what differs is compared again: a push may
// be on its way.
const settleAfter = time.Second

// compare compares one proxy with the istiod that it is connected to.
func (o *compareFlags) compare(ctx context.Context, f *Factory, client *kube.Client, istiods []kube.Istiod, proxy *proxyconfig.ProxySync) (*diff.Served, error) {
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	envoy, err := o.envoy(ctx, f, proxy)
	if err != nil {
		return nil, err
	}
	istiod := istiodDump(client, istiods, proxy)
	var result *diff.Served
	for again := false; ; again = true {
		result, err = diff.CompareServed(istiod.sideOf(ctx, servedPath(proxy)), envoy.side(ctx))
		if err != nil || result.Same || again || o.file != "" {
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(settleAfter):
		}
	}
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil, hint.Unanswerablef("give it longer with --compare-timeout", "comparing proxy %s with its istiod: it took longer than %s", proxy.ID(), o.timeout)
	}
	return result, err
}

// envoy is Envoy's side.
func (o *compareFlags) envoy(ctx context.Context, f *Factory, proxy *proxyconfig.ProxySync) (dump, error) {
	var dumps []dump
	var err error
	if o.file != "" {
		dumps, err = f.fileDumps(o.file)
	} else {
		dumps, err = f.podDumps(ctx, proxy.ID(), o.adminPort, false)
	}
	if err != nil {
		return dump{}, err
	}
	return dumps[0], nil
}

// servedPath asks istiod for all that it would send to a proxy.
func servedPath(proxy *proxyconfig.ProxySync) string {
	return "/debug/config_dump?include_eds&proxyID=" + url.QueryEscape(proxy.ID())
}

// istiodDump is istiod's side, from the istiod to which the proxy is
// connected, or another if it has moved meanwhile.
func istiodDump(client *kube.Client, istiods []kube.Istiod, proxy *proxyconfig.ProxySync) dump {
	istiods = slices.Clone(istiods)
	slices.SortStableFunc(istiods, func(a, b kube.Istiod) int {
		switch proxy.Istiod {
		case a.Name:
			return -1
		case b.Name:
			return 1
		}
		return 0
	})
	return dump{name: "istiod " + proxy.Istiod, open: func(ctx context.Context, path string) (io.ReadCloser, error) {
		var first error
		for _, i := range istiods {
			body, err := client.PodGet(ctx, i.Namespace, i.Name, i.Port, path)
			if err == nil {
				return body, nil
			}
			if first == nil {
				first = err
			}
			var refused *kube.StatusError
			if !errors.As(err, &refused) || refused.Code != http.StatusNotFound {
				break
			}
		}
		if first == nil {
			first = hint.Unanswerablef("", "no istiod was found")
		}
		return nil, first
	}}
}

// one shows the state of the proxy that the report was narrowed to, and how its
// Envoy differs from its istiod.
func (o *proxyStatusOptions) one(ctx context.Context, reader *meshReader, report *status.Report) error {
	err := o.compared(report, func(proxy *proxyconfig.ProxySync) (*diff.Served, error) {
		client, istiods := reader.istiods(proxy.Context)
		return o.compare.compare(ctx, o.f, client, istiods, proxy)
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// compared prints the state of the only proxy in the report, and how it
// compares. What can't be compared does not hide the state.
func (o *proxyStatusOptions) compared(report *status.Report, compare func(*proxyconfig.ProxySync) (*diff.Served, error)) error {
	proxy := &report.Proxies[0]
	shown := &comparison{Report: report}
	var failed error
	if proxy.Kind == "ztunnel" {
		o.f.IO.Warnf("%s is a ztunnel: istiod sends it workloads and policies, no Envoy configuration; `meshctl ztunnel-config all` shows what it has", proxy.ID())
	} else {
		shown.Comparison, failed = compare(proxy)
	}
	if err := o.f.print(o.out, shown); err != nil {
		return err
	}
	if failed != nil {
		failed = hint.Unanswerablef(hint.Of(failed), "what Envoy has could not be compared with what istiod would send: %w", failed)
	}
	switch verdict := verdictOf(report); {
	case failed != nil:
		return failed
	case verdict != nil:
		return verdict
	case shown.Comparison != nil && !shown.Comparison.Same:
		return errNo
	case shown.Comparison != nil && !shown.Comparison.Complete:
		return errUnanswered
	}
	return nil
}

// Tables are the proxy's state, and how it compares.
func (c *comparison) Tables(wide bool) []output.Table {
	tables := c.Report.Tables(wide)
	if c.Comparison != nil {
		tables = append(tables, c.Comparison.Tables(wide)...)
	}
	return tables
}
