package cmd

import (
	"fmt"
	"strings"

	"github.com/meshctl/meshctl/internal/install"
)

// announced is how many lines a plan takes before one is asked about it.
const announced = 40

// announce says where the plan goes and what it does. What is new is counted;
// what changes or goes is named.
func (r *applyRun) announce(p *install.Plan) {
	t, io := r.target, r.f.IO
	name, server := r.client.Context()
	title := "Istio " + t.version
	if t.profile != "" {
		title += ", profile " + t.profile
	}
	if t.revision != install.DefaultRevision {
		title += ", revision " + t.revision
	}
	io.Errf("%s, into namespace %s of context %s (%s)", title, t.namespace, name, server)
	if last := p.Resumes(); last != nil {
		how := "failed"
		if last.Status == install.Deploying {
			how = "was killed, or still runs"
		}
		io.Errf("the last run, %s, %s: this one goes on from what is there", entryTitle(last), how)
	}
	counts := []string{}
	for _, c := range []struct {
		action install.Action
		text   string
		always bool
	}{
		{install.Create, "to create", true}, {install.Change, "to change", true}, {install.TakeOver, "to take over", false},
		{install.Prune, "to prune", false}, {install.Refused, "in conflict", false}, {install.Keep, "unchanged", true},
	} {
		if n := p.Count("", c.action); n > 0 || c.always {
			counts = append(counts, fmt.Sprintf("%d %s", n, c.text))
		}
	}
	io.Errf("%d objects in %d components: %s", len(p.Steps), len(p.Components), strings.Join(counts, ", "))
	if r.dryRun.value != dryRunNone {
		return // the plan itself is the result
	}
	lines := planLines(p)
	for i, line := range lines {
		if i == announced {
			io.Errf("  and %d more: --diff shows all of it", len(lines)-announced)
			break
		}
		io.Errf("  %s", line)
	}
}

// planLines name what a plan changes, takes over, prunes and leaves.
func planLines(p *install.Plan) []string {
	var lines []string
	for _, c := range p.Planned().Components {
		owned := 0
		for _, o := range c.Objects {
			switch {
			case o.Action == install.Keep, o.Action == install.Create, o.Action == install.Refused: // counted, or in the error
			case o.OwnerOnly():
				owned++
			default:
				lines = append(lines, planLine(o))
			}
		}
		if owned > 0 {
			lines = append(lines, fmt.Sprintf("own %s of %s, which stay as they are", plural(owned, "object"), c.Name))
		}
	}
	for _, l := range p.Left {
		lines = append(lines, fmt.Sprintf("leave %s: %s", l.Ident(), l.Why))
	}
	return lines
}

func planLine(o install.ObjectReport) string {
	line := fmt.Sprintf("%s %s", o.Action, o.Ident())
	if o.From != "" {
		line += " from " + o.From
	}
	const most = 3
	var fields []string
	for i, f := range o.Fields {
		if i == most {
			fields = append(fields, fmt.Sprintf("and %d more", len(o.Fields)-most))
			break
		}
		fields = append(fields, f.String())
	}
	if len(fields) > 0 {
		line += ": " + strings.Join(fields, "; ")
	}
	return line
}

// nextSteps says what one does after an install.
func (r *applyRun) nextSteps(report *install.Report) {
	if r.f.IO.Quiet || len(report.Components) == 0 {
		return
	}
	join := "inject sidecars into a namespace: kubectl label namespace NAME istio-injection=enabled"
	if r.target.revision != install.DefaultRevision {
		join = "inject sidecars into a namespace: kubectl label namespace NAME istio.io/rev=" + r.target.revision
	}
	kiali := false
	for _, c := range report.Components {
		switch {
		case c.State == install.StateRemoved:
		case c.Name == "ztunnel":
			join = "take a namespace into the mesh: kubectl label namespace NAME istio.io/dataplane-mode=ambient"
		case c.Name == "kiali":
			kiali = true
		}
	}
	steps := []string{join, "check the configuration: meshctl analyze -A"}
	if kiali {
		steps = append(steps, "look at the mesh: meshctl dashboard kiali")
	}
	r.f.IO.Errf("%s %s", r.f.IO.Style().Strong("next:"), strings.Join(steps, "\n      "))
}
