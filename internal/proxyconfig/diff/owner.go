package diff

import (
	"strings"

	"github.com/meshctl/meshctl/internal/proxyconfig"
)

// Owner is the object that a part of the configuration comes from; both empty
// where Envoy names none: that is Istio itself, or an EnvoyFilter.
type Owner struct {
	// Kind is VirtualService, DestinationRule, Service ...
	Kind string `json:"kind"`
	// Name is NAME.NAMESPACE; of a ServiceEntry the host and of a
	// RequestAuthentication the issuer, because Envoy is told no more.
	Name string `json:"name"`
}

func (o Owner) String() string {
	switch o.Kind {
	case "":
		return "Istio itself"
	case "ServiceEntry":
		return o.Kind + " for " + o.Name
	case "RequestAuthentication":
		return o.Kind + " for issuer " + o.Name
	}
	return o.Kind + " " + o.Name
}

// ownerIn is the owner that an object names in its metadata, or else the first
// that something in it names: a virtual host's routes, an RBAC filter's policies.
func ownerIn(v any) (Owner, bool) {
	m, _ := v.(map[string]any)
	if m == nil {
		return Owner{}, false
	}
	if o, ok := namedIn(m); ok {
		return o, true
	}
	if routes, ok := m["routes"].([]any); ok {
		for _, r := range routes {
			if route, _ := r.(map[string]any); route != nil {
				if o, ok := namedIn(route); ok {
					return o, true
				}
			}
		}
		return ownerOfHost(strings.SplitN(nameOf(m), ":", 2)[0])
	}
	return ownerOfFilter(m)
}

// namedIn is the owner in an object's metadata.
func namedIn(m map[string]any) (Owner, bool) {
	istio := inner(m, "metadata", "filter_metadata", "istio")
	if path, ok := istio["config"].(string); ok {
		if kind, name := proxyconfig.OwnerOf(path); kind != "" {
			return Owner{kindName(kind), name}, true
		}
	}
	services, _ := istio["services"].([]any)
	for _, s := range services {
		service, _ := s.(map[string]any)
		host, name, namespace := stringOf(service["host"]), stringOf(service["name"]), stringOf(service["namespace"])
		switch {
		case host == "" || name == "" || namespace == "":
		case name == host:
			return Owner{"ServiceEntry", host}, true
		default:
			return Owner{"Service", name + "." + namespace}, true
		}
	}
	return Owner{}, false
}

// ownerOfFilter is the policy behind an RBAC filter, and the rule behind one
// that checks tokens.
func ownerOfFilter(m map[string]any) (Owner, bool) {
	for _, rules := range []string{"rules", "shadow_rules"} {
		for policy := range inner(m, "typed_config", rules, "policies") {
			if o, ok := ownerOfPolicy(policy); ok {
				return o, true
			}
		}
	}
	for _, p := range inner(m, "typed_config", "providers") {
		if provider, _ := p.(map[string]any); provider != nil && stringOf(provider["issuer"]) != "" {
			return Owner{"RequestAuthentication", stringOf(provider["issuer"])}, true
		}
	}
	return Owner{}, false
}

// ownerOfPolicy reads istiod's names of RBAC policies: ns[shop]-policy[deny]-rule[0].
func ownerOfPolicy(name string) (Owner, bool) {
	rest, ok := strings.CutPrefix(name, "ns[")
	if !ok {
		return Owner{}, false
	}
	namespace, rest, ok := strings.Cut(rest, "]-policy[")
	if !ok {
		return Owner{}, false
	}
	policy, _, ok := strings.Cut(rest, "]-rule[")
	return Owner{"AuthorizationPolicy", policy + "." + namespace}, ok
}

// ownerOfCluster is the Service behind the name of a cluster, such as
// outbound|80||catalog.shop.svc.cluster.local.
func ownerOfCluster(name string) (Owner, bool) {
	direction, rest, ok := strings.Cut(name, "|")
	if !ok || !strings.HasPrefix(direction, "outbound") {
		return Owner{}, false
	}
	return ownerOfHost(rest[strings.LastIndexByte(rest, '|')+1:])
}

// ownerOfHost is the Service or ServiceEntry of a host.
func ownerOfHost(host string) (Owner, bool) {
	parts := strings.SplitN(host, ".", 4)
	switch {
	case len(parts) >= 3 && parts[2] == "svc":
		return Owner{"Service", parts[0] + "." + parts[1]}, true
	case len(parts) >= 2 && host != "*":
		return Owner{"ServiceEntry", host}, true
	}
	return Owner{}, false
}

// kindName is a kind as istiod's paths spell it, virtual-service, as people do.
func kindName(kind string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(kind, "-") {
		switch word {
		case "http", "grpc", "tcp", "tls", "udp":
			b.WriteString(strings.ToUpper(word))
		case "":
		default:
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return strings.ReplaceAll(b.String(), "Httproute", "HTTPRoute")
}

// inner is the object that names lead to, nil when there is none.
func inner(m map[string]any, names ...string) map[string]any {
	for _, name := range names {
		m, _ = m[name].(map[string]any)
	}
	return m
}
