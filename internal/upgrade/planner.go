package upgrade

import (
	"cmp"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// planner makes one plan.
type planner struct {
	in    Input
	facts *facts
	fleet *fleet
	plan  *Plan
}

// Reads are the kinds that a plan needs; from may be empty, for what runs.
func Reads(from, to string) ([]mesh.Kind, error) {
	rules, err := Rules()
	if err != nil {
		return nil, err
	}
	start, _ := ParseVersion(from) // what is no version comes before all
	end, err := ParseVersion(to)
	if err != nil {
		return nil, hint.Usagef("for example --to 1.31.1", "--to: %w", err)
	}
	all := append(workloadKinds(), mesh.Namespace, mesh.ConfigMap, mesh.MutatingWebhookConfiguration, mesh.CustomResourceDefinition, mesh.EnvoyFilter)
	for _, k := range mesh.Kinds() {
		if k.IsIstio() {
			all = append(all, k)
		}
	}
	for _, r := range between(rules, start, end) {
		kinds, err := r.kinds()
		if err != nil {
			return nil, err
		}
		all = append(all, kinds...)
	}
	slices.SortFunc(all, mesh.Kind.Compare)
	return slices.Compact(all), nil
}

// New makes the plan.
func New(in Input) (*Plan, error) {
	to, err := ParseVersion(in.To)
	if err != nil {
		return nil, hint.Usagef("for example --to 1.31.1", "--to: %w", err)
	}
	p := &planner{in: in, fleet: newFleet(in.Snapshot)}
	p.plan = &Plan{
		To: to, Kubernetes: strings.TrimPrefix(in.Kubernetes, "v"), ControlPlanes: p.fleet.planes, Tags: p.fleet.tags,
		Findings: []*Finding{}, Undecided: []Undecided{}, Steps: []Step{},
	}
	if p.plan.ControlPlanes == nil {
		p.plan.ControlPlanes = []*ControlPlane{}
	}
	if p.plan.Tags == nil {
		p.plan.Tags = []Tag{}
	}
	plane, err := p.start()
	if err != nil {
		return nil, err
	}
	if err := known(p.plan.From, to, in.Embedded); err != nil {
		return nil, err
	}
	p.facts = newFacts(in.Snapshot, plane, in.Live)
	p.plan.Proxies = p.fleet.groups()
	p.plan.Way = newWay(p.plan.From, to)
	if err := p.rules(); err != nil {
		return nil, err
	}
	if err := p.checks(); err != nil {
		return nil, err
	}
	p.plan.Steps = p.steps()
	p.plan.finish()
	return p.plan, nil
}

// start finds the version to come from, and the control plane that runs it.
func (p *planner) start() (*ControlPlane, error) {
	var plane *ControlPlane
	switch {
	case p.in.Revision != "":
		if plane = p.fleet.plane(p.fleet.resolve(p.in.Revision)); plane == nil {
			return nil, hint.Usagef(p.revisionHint(), "there is no control plane of revision %q in namespace %q", p.in.Revision, p.in.Snapshot.IstioNamespace())
		}
	case len(p.fleet.planes) > 0:
		plane = p.fleet.planes[0]
	}
	if p.in.From != "" {
		from, err := ParseVersion(p.in.From)
		if err != nil {
			return nil, hint.Usagef("for example --from 1.29.2", "--from: %w", err)
		}
		p.plan.From = from
		return plane, nil
	}
	const say = "say it with --from, for example --from 1.29.2"
	switch {
	case plane == nil && !p.in.Live:
		return nil, hint.Usagef(say, "the files hold no istiod, so the version that runs is not known")
	case plane == nil:
		why := p.facts0().missing(mesh.Deployment, mesh.Pod)
		if !why.empty() {
			return nil, hint.Unanswerablef(say, "finding the version that runs: %s %s", strings.Join(why.kinds, " and "), why.reason)
		}
		return nil, hint.Unanswerablef("name the control plane's namespace with -i, or say the version with --from",
			"there is no istiod in namespace %q", p.in.Snapshot.IstioNamespace())
	case plane.Version.IsZero():
		return nil, hint.Unanswerablef(say, "the image of %s %s/%s does not tell its version", plane.Object.Kind, plane.Object.Namespace, plane.Object.Name)
	}
	p.plan.From = plane.Version
	return plane, nil
}

// facts0 is what is known before it is clear what runs.
func (p *planner) facts0() *facts { return &facts{snapshot: p.in.Snapshot, live: p.in.Live} }

func (p *planner) revisionHint() string {
	var names []string
	for _, plane := range p.fleet.planes {
		names = append(names, plane.Revision)
	}
	for _, t := range p.fleet.tags {
		names = append(names, t.Name)
	}
	if len(names) == 0 {
		return "name the control plane's namespace with -i"
	}
	return cmp.Or(hint.DidYouMean(p.in.Revision, names), "there are "+strings.Join(names, ", "))
}

// known refuses a target that no rule of this program was written for.
func known(from, to Version, embedded string) error {
	newest, err := ParseVersion(embedded)
	if err != nil {
		return err
	}
	if from.Compare(to) < 0 && newest.minorsTo(to) > 0 {
		return hint.Usagef("a newer meshctl knows more; this one goes up to "+newest.Minor(),
			"what Istio %s changes is not known to this meshctl, which was made for %s", to.Minor(), newest)
	}
	return nil
}

// rules applies those that lie on the way.
func (p *planner) rules() error {
	all, err := Rules()
	if err != nil {
		return err
	}
	way := between(all, p.plan.From, p.plan.To)
	p.plan.Summary.Rules = len(way)
	for _, r := range way {
		out, err := r.apply(p.facts)
		switch {
		case err != nil:
			return err
		case out.triggered:
			p.add(&Finding{
				ID: r.ID, Since: r.Version, Severity: r.Severity, Title: r.Title, What: r.What, Why: r.Why, Todo: r.Todo,
				Keep: r.Keep.at(p.plan.To), Link: r.Link, Hits: out.hits,
			})
		case !out.undecided.empty():
			p.undecided(r.ID, out.undecided)
		}
	}
	return nil
}

func (p *planner) add(f *Finding) {
	if f.Hits == nil {
		f.Hits = []Hit{}
	}
	p.plan.Findings = append(p.plan.Findings, f)
}
