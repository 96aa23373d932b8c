package cmd

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

// dumpsAtOnce is how many proxies are read at the same time.
const dumpsAtOnce = 8

// dumpFlags say which dumps a command reads, and how it shows them.
type dumpFlags struct {
	f             *Factory
	files         []string
	selector      string
	allPods       bool
	allNamespaces bool
	adminPort     int
	timeout       time.Duration
	out           *outputFlags
}

// addDumpFlags registers what all commands on dumps have, and completes and
// checks their arguments.
func addDumpFlags(c *cobra.Command, f *Factory) *dumpFlags {
	d := &dumpFlags{f: f, out: addPeerOutput(c)}
	fs := c.Flags()
	fs.StringArrayVarP(&d.files, "file", "f", nil, "read this dump instead of a pod's; - is stdin; of a bug report the pods named")
	addFrom(c, f)
	fs.StringVarP(&d.selector, "selector", "l", "", "all pods with these labels, such as app=reviews")
	fs.BoolVar(&d.allPods, "all-pods", false, "all pods of what is named, not only one")
	fs.BoolVarP(&d.allNamespaces, "all-namespaces", "A", false, "with --selector: pods of all namespaces")
	fs.IntVar(&d.adminPort, "proxy-admin-port", 15000, "port of Envoy's admin interface in the pod")
	fs.DurationVar(&d.timeout, "timeout", time.Minute, "longest wait for the answer of a proxy")
	c.ValidArgsFunction = f.completePods
	c.Args = d.check
	return d
}

func (d *dumpFlags) check(c *cobra.Command, args []string) error {
	one := hint.Usagef("leave one of them out", "%s takes pods, --selector or --file, only one of them", c.CommandPath())
	switch {
	case len(d.files) == 0 && len(args) == 0 && d.selector == "":
		return hint.Usagef("name a pod, such as "+c.CommandPath()+" deploy/NAME, several with --selector, or a dump with --file", "%s needs a pod or a dump", c.CommandPath())
	case d.selector != "" && (len(args) > 0 || len(d.files) > 0), len(d.files) > 1 && len(args) > 0:
		return one
	case d.allNamespaces && d.selector == "":
		return hint.Usagef("name a pod of another namespace as POD.NAMESPACE", "--all-namespaces needs --selector")
	case slices.Contains(d.files, "-") && len(args) > 0:
		return one
	case d.allPods && len(d.files) > 0:
		return hint.Usagef("name the proxies", "--all-pods has no meaning with --file")
	}
	return nil
}

// several says whether the answer is about several proxies, however many there are.
func (d *dumpFlags) several(args []string) bool {
	return len(args) > 1 || len(d.files) > 1 || d.selector != "" || d.allPods
}

// find resolves the flags and arguments to the dumps that they name.
func (d *dumpFlags) find(ctx context.Context, args []string) ([]dump, error) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	var all []dump
	add := func(dumps []dump, err error) error {
		for _, one := range dumps {
			if !slices.ContainsFunc(all, func(other dump) bool { return other.name == one.name }) {
				all = append(all, one)
			}
		}
		return err
	}
	switch {
	case d.selector != "":
		namespace, err := d.f.Namespace()
		if err != nil {
			return nil, err
		}
		if d.allNamespaces {
			namespace = ""
		}
		return d.f.selectedDumps(ctx, namespace, d.selector, d.adminPort)
	case len(d.files) > 0:
		for _, file := range d.files {
			if err := add(d.f.fileDumps(file, args...)); err != nil {
				return nil, err
			}
		}
		return all, nil
	}
	for _, arg := range args {
		if err := add(d.f.podDumps(ctx, arg, d.adminPort, d.allPods)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// show reads every dump, path being what to ask a pod for, and prints what
// parse makes of it: one document, or one of all.
func (d *dumpFlags) show(ctx context.Context, args []string, path string, parse func(proxyconfig.Source) (output.Document, error)) error {
	dumps, err := d.find(ctx, args)
	if err != nil {
		return err
	}
	how := dumpRead{path: path, timeout: d.timeout, keep: d.out.format.value == string(output.AsJSON) || d.out.format.value == string(output.AsYAML)}
	if !d.several(args) {
		doc, err := d.readOne(ctx, dumps[0], how, parse)
		if err != nil {
			return err
		}
		return d.f.print(d.out, doc)
	}
	docs, errs := make([]output.Document, len(dumps)), make([]error, len(dumps))
	var work sync.WaitGroup
	slots := make(chan struct{}, dumpsAtOnce)
	for i := range dumps {
		work.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			docs[i], errs[i] = d.readOne(ctx, dumps[i], how, parse)
		})
	}
	work.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	return d.printSeveral(dumps, docs, errs)
}

func (d *dumpFlags) readOne(ctx context.Context, one dump, how dumpRead, parse func(proxyconfig.Source) (output.Document, error)) (doc output.Document, err error) {
	err = one.read(ctx, how, func(s proxyconfig.Source) error {
		doc, err = parse(s)
		return err
	})
	return doc, err
}

// printSeveral prints what could be read, after a line on stderr for each
// proxy that could not.
func (d *dumpFlags) printSeveral(dumps []dump, docs []output.Document, errs []error) error {
	all := &proxyconfig.Several{Proxies: []output.Document{}, Failed: []proxyconfig.Unread{}}
	for i, one := range dumps {
		if errs[i] == nil {
			all.Add(one.name, docs[i])
			continue
		}
		all.Failed = append(all.Failed, proxyconfig.Unread{Proxy: one.name, Error: errs[i].Error(), Hint: hint.Of(errs[i])})
		d.f.IO.Warnf("%s is left out: %v", one.name, errs[i])
	}
	switch {
	case len(all.Proxies) == 0:
		err := errors.New("none of them answered")
		return hint.Unanswerablef(all.Failed[0].Hint, "reading the configuration of %d proxies: %w", len(dumps), err)
	case len(all.Failed) == 0:
		return d.f.print(d.out, all)
	}
	if err := d.f.print(d.out, all); err != nil {
		return err
	}
	return errUnanswered
}
