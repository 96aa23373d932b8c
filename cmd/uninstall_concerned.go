package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/install"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/revision"
)

// istiodTimeout is how long an istiod may take to say which proxies it has.
const istiodTimeout = 10 * time.Second

// concerned finds out who uses what goes: the proxies that are connected, and
// the namespaces that name the revision or its tags. A revision of which there
// is nothing is an error.
func (o *uninstallOptions) concerned(ctx context.Context, f *Factory, client *kube.Client, removal *install.Removal) (*install.Concerned, error) {
	c := &install.Concerned{Proxies: []string{}, Gateways: []string{}, Unanswered: []string{}, Names: []install.NameUsers{}}
	o.concern = c
	state, err := revision.Read(ctx, kube.NewObjects(client, install.FieldManager), o.find.Namespace)
	switch {
	case err != nil:
		f.IO.Warnf("which namespaces name what goes is not known: %v", err)
		state = &revision.State{}
	case o.revision != "" && len(removal.Objects) == 0 && len(removal.Skipped) == 0:
		return nil, state.Unknown("uninstalling revision "+o.revision, o.revision)
	}
	if len(removal.Objects) == 0 {
		return c, nil
	}
	add := func(name, rev string, tag bool, u revision.Users) {
		if (o.purge || rev == o.revision) && (len(u.Namespaces) > 0 || u.Pods > 0) {
			c.Names = append(c.Names, install.NameUsers{Name: name, Tag: tag, Revision: rev, Namespaces: u.Namespaces, Pods: u.Pods})
		}
	}
	for _, r := range state.Revisions {
		add(r.Name, r.Name, false, r.Users)
	}
	for _, t := range state.Tags {
		add(t.Name, t.Revision, true, t.Users)
	}
	if t := state.Tag(revision.Default); t != nil && t.Revision == o.revision && len(state.Revisions) > 1 {
		f.IO.Warnf("revision %s is the default one; `meshctl tag set default -r REVISION --overwrite` makes another the default before it goes", o.revision)
	}
	return c, o.proxies(ctx, f, client, c)
}

// proxies asks the istiods that go, all at once, for their proxies. One that
// does not answer is named; it does not keep anything from being removed.
func (o *uninstallOptions) proxies(ctx context.Context, f *Factory, client *kube.Client, c *install.Concerned) error {
	istiods, err := client.Istiods(ctx, o.find.Namespace, o.revision)
	if err != nil {
		return ctx.Err() // none runs, so none has proxies
	}
	report, err := f.askIstiods(ctx, client, istiods, istiodTimeout)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return hint.Unanswerablef("give it longer with --timeout", "asking the istiods for their proxies: no time is left")
		}
		return err
	}
	for _, i := range report.Istiods {
		if i.Error != "" {
			c.Unanswered = append(c.Unanswered, i.Name)
		}
	}
	for i := range report.Proxies {
		p := &report.Proxies[i]
		c.Proxies = append(c.Proxies, p.ID())
		if p.Kind == "router" {
			c.Gateways = append(c.Gateways, p.ID())
		}
	}
	slices.Sort(c.Proxies)
	slices.Sort(c.Gateways)
	slices.Sort(c.Unanswered)
	return nil
}

// warnConcerned says who loses what.
func (f *Factory) warnConcerned(c *install.Concerned) {
	if n := len(c.Proxies); n > 0 {
		f.IO.Warnf("%s: %s; what stays keeps its configuration, and gets neither changes nor new certificates", count(n, "connected proxy", "connected proxies"), some(c.Proxies))
	}
	if len(c.Gateways) > 0 {
		f.IO.Warnf("of these, gateways: %s", some(c.Gateways))
	}
	if len(c.Unanswered) > 0 {
		f.IO.Warnf("%s did not say which proxies are connected: %s", plural(len(c.Unanswered), "istiod"), strings.Join(c.Unanswered, ", "))
	}
	for _, n := range c.Names {
		what := "revision " + n.Name
		if n.Tag {
			what = "tag " + n.Name + " of revision " + n.Revision
		}
		f.IO.Warnf("%s is used by %s: without it their new pods get no proxy", what, revision.Users{Namespaces: n.Namespaces, Pods: n.Pods}.Text())
	}
}

// count is "1 proxy" or "2 proxies".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// some is a list of names, at most ten of them.
func some(names []string) string {
	const shown = 10
	text := strings.Join(names[:min(shown, len(names))], ", ")
	if more := len(names) - shown; more > 0 {
		text += " and " + plural(more, "other")
	}
	return text
}
