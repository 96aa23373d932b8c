package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/hint"
)

// Problem is a way to be out of step.
type Problem string

// The problems, from grave to light, as --only names them.
const (
	// Rejected: the proxy refused what istiod sent.
	Rejected Problem = "error"
	// Stale: the proxy has not answered what istiod sent.
	Stale Problem = "stale"
	// NotConnected: a pod runs with a proxy of which no istiod knows.
	NotConnected Problem = "not-connected"
	// NotInjected: a pod should have a proxy and has none.
	NotInjected Problem = "not-injected"
	// Old: the proxy is of another revision than its labels ask for, or of an
	// older version than its istiod.
	Old Problem = "old"
	// NoPod: a proxy is connected whose pod is not there.
	NoPod Problem = "no-pod"
	// InStep is what --only calls a proxy that is neither stale nor refused anything.
	InStep Problem = "synced"
)

// Problems are the problems, from grave to light.
func Problems() []Problem { return []Problem{Rejected, Stale, NotConnected, NotInjected, Old, NoPod} }

// Words are what --only takes.
func Words() []string {
	words := []string{}
	for _, p := range append(Problems(), InStep) {
		words = append(words, string(p))
	}
	return words
}

// ParseOnly is what --only asks for.
func ParseOnly(words []string) ([]Problem, error) {
	only := []Problem{}
	for _, word := range words {
		word = strings.ToLower(strings.TrimSpace(word))
		if !slices.Contains(Words(), word) {
			next := hint.DidYouMean(word, Words())
			if i := slices.IndexFunc(Words(), func(w string) bool { return strings.HasPrefix(w, word) }); i >= 0 && word != "" {
				next = fmt.Sprintf("did you mean %q?", Words()[i])
			}
			if next == "" {
				next = "leave --only out to see all of them"
			}
			return nil, hint.Usagef(next, "--only: %q is not one of %s", word, strings.Join(Words(), ", "))
		}
		only = append(only, Problem(word))
	}
	return only, nil
}

// Severity is how grave a problem is.
type Severity string

// Grave problems make the exit code 1. What is light does so only when --only
// asks for it: it is known and can wait, as in the middle of an upgrade.
const (
	Grave Severity = "error"
	Light Severity = "warning"
)

// Severity is how grave the problem is.
func (p Problem) Severity() Severity {
	if p == Old || p == NoPod {
		return Light
	}
	return Grave
}

// title is the problem as tables name it.
func (p Problem) title() string { return strings.ToUpper(strings.ReplaceAll(string(p), "-", " ")) }

// Finding is one problem of one proxy or pod.
type Finding struct {
	Problem  Problem  `json:"problem"`
	Severity Severity `json:"severity"`
	// Name and Namespace are the pod's or proxy's.
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	// Cluster is the cluster's ID, Context the kubeconfig context of the istiod or pod.
	Cluster string `json:"cluster"`
	Context string `json:"context,omitempty"`
	// Workload is what runs the pod, such as deployment/web; empty when not known.
	Workload string `json:"workload,omitempty"`
	// Istiod is where the proxy is connected; empty when it is not.
	Istiod string `json:"istiod,omitempty"`
	// Types are the types of configuration that are stale or refused.
	Types []string `json:"types"`
	// AgeSeconds is for how long, at least; 0 when that is not known.
	AgeSeconds int64 `json:"ageSeconds,omitempty"`
	// Cause is why, Hint what to do about it.
	Cause string `json:"cause"`
	Hint  string `json:"hint,omitempty"`

	// unsure says that the proxy may have moved from one istiod to another
	// between their answers.
	unsure bool
}

func (f Finding) compare(o Finding) int {
	return cmp.Or(slices.Index(Problems(), f.Problem)-slices.Index(Problems(), o.Problem),
		cmp.Compare(f.Namespace, o.Namespace), cmp.Compare(f.Workload, o.Workload), cmp.Compare(f.Name, o.Name),
		cmp.Compare(f.Cluster, o.Cluster), cmp.Compare(f.Istiod, o.Istiod))
}

// id is the name as tables have it.
func (f *Finding) id() string { return f.Name + "." + f.Namespace }
