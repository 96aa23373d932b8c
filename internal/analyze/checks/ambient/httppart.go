package ambient

import (
	"fmt"
	"slices"

	security "istio.io/api/security/v1beta1"
)

// httpPart is what of a policy ztunnel does not know.
type httpPart struct {
	// path is the first such field.
	path  string
	names []string
}

func (part *httpPart) add(name, format string, args ...any) {
	if part.path == "" {
		part.path = fmt.Sprintf(format, args...)
	}
	if !slices.Contains(part.names, name) {
		part.names = append(part.names, name)
	}
}

// field is a list of a policy and its name.
type field struct {
	name   string
	values []string
}

// httpParts are the parts of a policy that ztunnel does not know. AUDIT is
// nothing that anyone enforces.
func httpParts(spec *security.AuthorizationPolicy) httpPart {
	var part httpPart
	switch spec.GetAction() {
	case security.AuthorizationPolicy_CUSTOM:
		part.add("CUSTOM", "spec.action")
		return part
	case security.AuthorizationPolicy_AUDIT:
		return part
	}
	for i, rule := range spec.GetRules() {
		for j, from := range rule.GetFrom() {
			s := from.GetSource()
			part.fields(fmt.Sprintf("spec.rules[%d].from[%d].source", i, j), []field{
				{"requestPrincipals", s.GetRequestPrincipals()}, {"notRequestPrincipals", s.GetNotRequestPrincipals()},
				{"remoteIpBlocks", s.GetRemoteIpBlocks()}, {"notRemoteIpBlocks", s.GetNotRemoteIpBlocks()},
			})
		}
		for j, to := range rule.GetTo() {
			o := to.GetOperation()
			part.fields(fmt.Sprintf("spec.rules[%d].to[%d].operation", i, j), []field{
				{"hosts", o.GetHosts()}, {"notHosts", o.GetNotHosts()},
				{"methods", o.GetMethods()}, {"notMethods", o.GetNotMethods()},
				{"paths", o.GetPaths()}, {"notPaths", o.GetNotPaths()},
			})
		}
		for j, when := range rule.GetWhen() {
			if !slices.Contains(connectionKeys(), when.GetKey()) {
				part.add(when.GetKey(), "spec.rules[%d].when[%d].key", i, j)
			}
		}
	}
	return part
}

func (part *httpPart) fields(base string, fields []field) {
	for _, f := range fields {
		if len(f.values) > 0 {
			part.add(f.name, "%s.%s", base, f.name)
		}
	}
}

// connectionKeys are the conditions that ztunnel knows.
func connectionKeys() []string {
	return []string{"source.ip", "source.namespace", "source.principal", "destination.ip", "destination.port"}
}
