package upgrade

import (
	"cmp"
	"slices"
	"strings"

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
