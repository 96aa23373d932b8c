package ztunnel

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/output"
)

// Policy is an authorization policy as ztunnel applies it; istiod makes some of
// PeerAuthentications.
type Policy struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	// Scope is Global, Namespace or WorkloadSelector.
	Scope string `json:"scope"`
	// Action is Allow or Deny.
	Action string `json:"action"`
	DryRun bool   `json:"dryRun"`
	// Rules match when one of them does; a rule when all its clauses do; a
	// clause when one of its matches does.
	Rules [][][]Match `json:"rules"`
}

// Match is the conditions of a policy, all of which must hold.
type Match struct {
	Namespaces         []Text    `json:"namespaces,omitempty"`
	NotNamespaces      []Text    `json:"notNamespaces,omitempty"`
	Principals         []Text    `json:"principals,omitempty"`
	NotPrincipals      []Text    `json:"notPrincipals,omitempty"`
	ServiceAccounts    []Account `json:"serviceAccounts,omitempty"`
	NotServiceAccounts []Account `json:"notServiceAccounts,omitempty"`
	SourceIPs          []string  `json:"sourceIps,omitempty"`
	NotSourceIPs       []string  `json:"notSourceIps,omitempty"`
	DestinationIPs     []string  `json:"destinationIps,omitempty"`
	NotDestinationIPs  []string  `json:"notDestinationIps,omitempty"`
	Ports              []int     `json:"destinationPorts,omitempty"`
	NotPorts           []int     `json:"notDestinationPorts,omitempty"`
}

// Account is a service account of a namespace.
type Account struct {
	Namespace string `json:"namespace"`
	Name      string `json:"serviceAccount"`
}

// Text is a condition on a string: {"Exact": x}, Prefix, Suffix or Presence.
type Text map[string]json.RawMessage

// String is the condition as an AuthorizationPolicy writes it.
func (t Text) String() string {
	for kind, raw := range t {
		var value string
		_ = json.Unmarshal(raw, &value) // Presence has none
		switch kind {
		case "Prefix":
			return value + "*"
		case "Suffix":
			return "*" + value
		case "Presence":
			return "*"
		}
		return value
	}
	return ""
}

// PolicyFilter chooses policies; empty members choose all.
type PolicyFilter struct {
	Namespace string
	// Pod chooses the policies that are in force for the pod.
	Pod Pod
}

// PolicyList is the result of ztunnel-config policy.
type PolicyList struct {
	Ztunnel  string    `json:"ztunnel"`
	Policies []*Policy `json:"policies"`
}

// ListPolicies is the policies that f chooses.
func (d *Dump) ListPolicies(f PolicyFilter) *PolicyList {
	l := &PolicyList{Ztunnel: d.Ztunnel, Policies: []*Policy{}}
	var selected []string
	for _, w := range d.Workloads {
		if f.Pod.Name != "" && f.Pod.is(w) {
			selected = append(selected, w.Policies...)
		}
	}
	for _, p := range d.Policies {
		inForce := f.Pod.Name == "" || p.Scope == "Global" || p.Scope == "Namespace" && p.Namespace == f.Pod.Namespace ||
			slices.Contains(selected, p.Namespace+"/"+p.Name)
		if inForce && (f.Namespace == "" || p.Namespace == f.Namespace) {
			l.Policies = append(l.Policies, p)
		}
	}
	return l
}

// DocumentKind is the kind of the JSON and YAML document.
func (*PolicyList) DocumentKind() string { return "ZtunnelPolicies" }

// Tables is one row per policy.
func (l *PolicyList) Tables(wide bool) []output.Table {
	t := output.Table{Columns: []string{"NAMESPACE", "POLICY NAME", "ACTION", "SCOPE"}, Empty: "No policies found."}
	if wide {
		t.Columns = append(t.Columns, "DRY RUN", "RULES")
	}
	for _, p := range l.Policies {
		row := []string{p.Namespace, p.Name, p.Action, p.Scope}
		if wide {
			dry := "no"
			if p.DryRun {
				dry = "yes"
			}
			row = append(row, dry, p.rules())
		}
		t.Rows = append(t.Rows, row)
	}
	return []output.Table{t}
}

// rules is all rules on one line: "(a and b) or (c)".
func (p *Policy) rules() string {
	var rules []string
	for _, rule := range p.Rules {
		var clauses []string
		for _, clause := range rule {
			var matches []string
			for _, m := range clause {
				if s := m.String(); s != "" {
					matches = append(matches, s)
				}
			}
			switch all := strings.Join(matches, " or "); {
			case len(matches) > 1 && len(rule) > 1:
				clauses = append(clauses, "("+all+")")
			case len(matches) > 0:
				clauses = append(clauses, all)
			}
		}
		if len(clauses) == 0 {
			clauses = []string{"everything"}
		}
		rules = append(rules, strings.Join(clauses, " and "))
	}
	switch len(rules) {
	case 0:
		return "nothing"
	case 1:
		return rules[0]
	}
	return "(" + strings.Join(rules, ") or (") + ")"
}

// String is the conditions that all must hold.
func (m Match) String() string {
	var all []string
	add := func(what string, values []string) {
		if len(values) > 0 {
			all = append(all, what+"="+strings.Join(values, ","))
		}
	}
	add("namespace", words(m.Namespaces))
	add("not-namespace", words(m.NotNamespaces))
	add("principal", words(m.Principals))
	add("not-principal", words(m.NotPrincipals))
	add("account", words(m.ServiceAccounts))
	add("not-account", words(m.NotServiceAccounts))
	add("source", m.SourceIPs)
	add("not-source", m.NotSourceIPs)
	add("destination", m.DestinationIPs)
	add("not-destination", m.NotDestinationIPs)
	add("port", words(m.Ports))
	add("not-port", words(m.NotPorts))
	return strings.Join(all, " ")
}

// String is namespace/name.
func (a Account) String() string { return a.Namespace + "/" + a.Name }

func words[T any](all []T) []string {
	var out []string
	for _, a := range all {
		out = append(out, fmt.Sprint(a))
	}
	return out
}
