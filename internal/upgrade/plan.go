package upgrade

import (
	"cmp"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// Input is what a plan is made from.
type Input struct {
	Snapshot *mesh.Snapshot
	// Live says that the snapshot is of a cluster, not of files.
	Live bool
	// To is the version to go to.
	To string
	// From is the version to come from; empty for what runs.
	From string
	// Revision is the control plane to upgrade; empty for the oldest one.
	Revision string
	// Kubernetes is the cluster's version, such as v1.33.2; empty when not known.
	Kubernetes string
	// Embedded is the version of Istio that this program installs, and whose
	// CRDs it holds.
	Embedded string
}

// Finding is one thing that the upgrade means for the mesh.
type Finding struct {
	// ID names the rule or the check.
	ID string `json:"id"`
	// Since is the minor release that brings the change; empty for what no
	// release brought.
	Since    string   `json:"since,omitempty"`
	Severity Severity `json:"severity"`
	Title    string   `json:"title"`
	What     string   `json:"what,omitempty"`
	Why      string   `json:"why,omitempty"`
	Todo     string   `json:"todo,omitempty"`
	Keep     *Keep    `json:"keep,omitempty"`
	Link     string   `json:"link,omitempty"`
	// Hits are the objects concerned; none when it concerns everyone.
	Hits []Hit `json:"hits"`
}

// Plan is what an upgrade means for one mesh.
type Plan struct {
	From          Version         `json:"from"`
	To            Version         `json:"to"`
	Kubernetes    string          `json:"kubernetes,omitempty"`
	Way           Way             `json:"way"`
	ControlPlanes []*ControlPlane `json:"controlPlanes"`
	Tags          []Tag           `json:"tags"`
	Proxies       []ProxyGroup    `json:"proxies"`
	Findings      []*Finding      `json:"findings"`
	Undecided     []Undecided     `json:"undecided"`
	// Steps are those of the upgrade, the ones already done included.
	Steps   []Step  `json:"steps"`
	Summary Summary `json:"summary"`
}

// Summary counts a plan's findings.
type Summary struct {
	Blockers  int `json:"blockers"`
	Actions   int `json:"actions"`
	Notes     int `json:"notes"`
	Undecided int `json:"undecided"`
	// Rules is how many rules lie on the way.
	Rules int `json:"rules"`
}

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
				Keep: r.Keep, Link: r.Link, Hits: out.hits,
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

// finish sorts and counts.
func (p *Plan) finish() {
	for _, f := range p.Findings {
		slices.SortStableFunc(f.Hits, func(a, b Hit) int {
			return cmp.Or(a.Position.Compare(b.Position), strings.Compare(a.Object.Namespace, b.Object.Namespace),
				strings.Compare(a.Object.Kind, b.Object.Kind), strings.Compare(a.Object.Name, b.Object.Name))
		})
		switch f.Severity {
		case Blocker:
			p.Summary.Blockers++
		case Action:
			p.Summary.Actions++
		default:
			p.Summary.Notes++
		}
	}
	slices.SortStableFunc(p.Findings, func(a, b *Finding) int { return cmp.Compare(severityRank(a.Severity), severityRank(b.Severity)) })
	p.Summary.Undecided = len(p.Undecided)
}

// Work says whether the plan holds anything to do before or with the upgrade.
func (p *Plan) Work() bool { return p.Summary.Blockers+p.Summary.Actions > 0 }
