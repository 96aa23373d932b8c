package install

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Reason is why an object is not ready: what was seen on which object, what
// proves it, and what to do next. Object, Reason and Message are never empty.
type Reason struct {
	Object string `json:"object"`
	// Container is the container of a pod that Reason is about.
	Container string `json:"container,omitempty"`
	// Reason is one word, Kubernetes' own where it has one.
	Reason  string `json:"reason"`
	Message string `json:"message"`
	// Others counts further pods of the same workload with the same reason.
	Others   int        `json:"others,omitempty"`
	Evidence []Evidence `json:"evidence"`
	Next     string     `json:"next,omitempty"`
	// Terminal says that waiting alone does not heal it.
	Terminal bool `json:"terminal"`

	// pending says that more is being asked about it.
	pending bool
	// of is the workload whose pod Object is: pods come and go.
	of string
}

// Evidence is what the cluster itself says, word for word.
type Evidence struct {
	// Kind is event, condition, status or log.
	Kind string `json:"kind"`
	// Source is the reason of an event, the type of a condition, or which log.
	Source string `json:"source"`
	Text   string `json:"text"`
	// At is when it was last seen; nil when nobody noted it.
	At *time.Time `json:"at,omitempty"`
	// Count is how often an event was seen.
	Count int32 `json:"count,omitempty"`
}

// The kinds of evidence.
const (
	evidenceEvent     = "event"
	evidenceCondition = "condition"
	evidenceStatus    = "status"
	evidenceLog       = "log"
)

// reasonWaiting is the reason of an object with which nothing is wrong yet.
const reasonWaiting = "Waiting"

func waitingFor(object, message, next string) Reason {
	return Reason{Object: object, Reason: reasonWaiting, Message: message, Next: next}
}

// cause says whether the reason names something that is wrong.
func (r Reason) cause() bool { return r.Reason != reasonWaiting }

// String is the reason on one line.
func (r Reason) String() string { return fmt.Sprintf("%s: %s", r.where(), r.what()) }

// where names the object, its container and how many others are alike.
func (r Reason) where() string {
	s := r.Object
	if r.Others > 0 {
		s += " and " + count(r.Others, "other")
	}
	if r.Container != "" {
		s += ", container " + r.Container
	}
	return s
}

func (r Reason) what() string { return r.Reason + ": " + r.Message }

// counts are what changes in a message though it says the same.
var counts = regexp.MustCompile(`; restarts: [0-9]+|[0-9]+`)

// key is the same for the same reason told again with another count, or of another pod.
func (r Reason) key() string {
	return strings.Join([]string{orElse(r.of, r.Object), r.Container, r.Reason, counts.ReplaceAllString(r.Message, "")}, "\x00")
}

// proof is the evidence and the next step, a line each.
func (r Reason) proof(now time.Time) []string {
	var lines []string
	for _, e := range r.Evidence {
		lines = append(lines, e.lines(now)...)
	}
	if r.Next != "" {
		lines = append(lines, "next: "+r.Next)
	}
	return lines
}

func (e Evidence) lines(now time.Time) []string {
	head := e.Kind + " " + e.Source
	if e.Kind == evidenceLog {
		head = e.Source
	}
	if e.At != nil {
		head += " (" + age(now.Sub(*e.At)) + " ago"
		if e.Count > 1 {
			head += fmt.Sprintf(", %d times", e.Count)
		}
		head += ")"
	}
	text := strings.Split(strings.TrimRight(e.Text, "\n"), "\n")
	if e.Kind != evidenceLog && len(text) == 1 {
		return []string{head + ": " + text[0]}
	}
	lines := []string{head + ":"}
	for _, l := range text {
		lines = append(lines, "  | "+l)
	}
	return lines
}

// age is a duration as kubectl shows it: the largest unit that is not zero, and one more.
func age(d time.Duration) string {
	d = max(d, 0).Round(time.Second)
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%ds", d/time.Minute, d%time.Minute/time.Second)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dd", d/(24*time.Hour))
}

// tree shows an object that is not ready, below it what it waits for, each
// with what proves it.
func tree(want *unstructured.Unstructured, standing string, reasons []Reason, now time.Time) []string {
	lines := []string{ident(want)}
	if standing != "" {
		lines[0] += ": " + standing
	}
	for _, r := range reasons {
		indent := "  "
		switch {
		case r.Object != ident(want):
			heading := r.Object
			if r.Others > 0 {
				heading += " and " + count(r.Others, "other")
			}
			lines = append(lines, indent+heading)
			indent += "  "
		case !r.cause() && r.Message == standing: // said already
			continue
		}
		if r.Container != "" {
			lines = append(lines, indent+"container "+r.Container)
			indent += "  "
		}
		lines = append(lines, indent+r.what())
		for _, l := range r.proof(now) {
			lines = append(lines, indent+"  "+l)
		}
	}
	return lines
}

// alike makes one reason of those that say the same of several pods.
func alike(reasons []Reason) []Reason {
	var all []Reason
	for _, r := range reasons {
		i := slices.IndexFunc(all, func(have Reason) bool { return have.key() == r.key() })
		switch {
		case i < 0:
			all = append(all, r)
		case all[i].Object != r.Object:
			all[i].Others++
		}
	}
	return all
}

func indented(lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = "  " + l
	}
	return out
}
