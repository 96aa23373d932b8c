package analyze

import (
	"fmt"
	"time"

	"github.com/meshctl/meshctl/internal/mesh"
)

// Severity says how much a finding matters.
type Severity string

// The severities, the worst first.
const (
	Error   Severity = "error"   // traffic, security or the object itself is broken
	Warning Severity = "warning" // works, but probably not as meant
	Info    Severity = "info"    // worth knowing
)

// Severities are all severities, the worst first.
func Severities() []Severity { return []Severity{Error, Warning, Info} }

// AtLeast says whether s is as bad as other or worse.
func (s Severity) AtLeast(other Severity) bool { return s.rank() <= other.rank() }

func (s Severity) rank() int {
	switch s {
	case Error:
		return 0
	case Warning:
		return 1
	}
	return 2
}

// Check looks for one defect. Several checks may share a code, as those of
// IST0101 do; the name is unique.
type Check struct {
	// Code is the number users know: ISTnnnn with istioctl's meaning, or MSHnnnn.
	Code string
	// Name says the defect in kebab-case, such as missing-host.
	Name     string
	Severity Severity
	// Reads are the kinds without which the check makes no sense: when one of
	// them cannot be read, the check is skipped and listed as such.
	Reads []mesh.Kind
	// Uses are kinds that the check asks for as well; it must not conclude
	// from their absence without asking the snapshot what is known.
	Uses []mesh.Kind
	Doc  Doc
	// KIA is Kiali's code for the same defect, such as KIA1101; empty when it has none.
	KIA string
	// Run reports what it finds. It runs concurrently with other checks.
	Run func(*Pass)
}

// Doc is what `meshctl explain` says of a check.
type Doc struct {
	// What is the defect, in a sentence or two.
	What string
	// Why is what happens in the mesh because of it.
	Why string
	// Fix is how to mend it.
	Fix string
}

// Pass is one run of one check over one snapshot.
type Pass struct {
	*mesh.Snapshot
	// Now is the time of the run.
	Now time.Time

	check    *Check
	findings []*Finding
	unknown  map[unknown]int
	// conclusions are kept only where something is unreadable.
	conclusions *conclusions
	memos       *memos
	advised     int
}

// mostAdvised is how many findings of a check get advice that is searched for.
const mostAdvised = 40

// Advise calls look, which searches many names for better advice than the
// check's own. Each search costs a look at every name, so a check with
// thousands of findings searches for the first of them only.
func (p *Pass) Advise(look func()) {
	if p.advised < mostAdvised {
		p.advised++
		look()
	}
}

// unknown is what a check would have had to know.
type unknown struct {
	kind      mesh.Kind
	namespace string
}

// Report notes a finding at a location: vs.At("spec.hosts[%d]", i). The
// message is one sentence without full stop, names in double quotes.
func (p *Pass) Report(at mesh.Location, format string, args ...any) *Finding {
	f := &Finding{
		Code: p.check.Code, Check: p.check.Name, Severity: p.check.Severity,
		Object: objectOf(at.Object), Field: at.Path, Message: fmt.Sprintf(format, args...),
		Related: []Related{}, Uncertain: []Uncertain{}, at: at, from: p.check,
	}
	if at.Object != nil && !p.Owns(at.Object) {
		return f // another cluster's or revision's snapshot reports it
	}
	if f.Object.Cluster == "" {
		f.Object.Cluster = p.Cluster()
	}
	p.findings = append(p.findings, f)
	if later := p.replacementOf(at.Object); later != nil {
		f.Evidence(later.At(""), "is the definition that counts%s", via(later))
	}
	return f
}

// replacementOf is the later definition of an object of a file, nil when the
// object itself counts.
func (p *Pass) replacementOf(o *mesh.Object) *mesh.Object {
	if o == nil || o.Origin.File == "" || o.Generated {
		return nil
	}
	if later := p.Counting(o); later != o {
		return later
	}
	return nil
}

func via(o *mesh.Object) string {
	if o.Origin.Via == "" {
		return ""
	}
	return ", rendered by " + o.Origin.Via
}

// CantTell notes that something could not be judged, because the input says
// nothing of a kind in a namespace (empty: in any). The report counts these.
func (p *Pass) CantTell(kind mesh.Kind, namespace string) {
	p.unknown[unknown{kind, namespace}]++
}
