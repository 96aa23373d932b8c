package gatewayapi

import (
	"fmt"

	gatewayapi "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// ConflictingListeners finds listeners of one Gateway that exclude each other.
var ConflictingListeners = &analyze.Check{
	Code: "MSH0305", Name: "conflicting-listeners", Severity: analyze.Error, KIA: "KIA1503",
	Reads: []mesh.Kind{mesh.KubernetesGateway},
	Doc: analyze.Doc{
		What: "Two listeners of one Gateway have the same name, or the same port and hostname, or a port both as TCP and as something else.",
		Why:  "A port can tell HTTP, HTTPS and TLS listeners apart by their hostnames only. The first listener counts; the other is marked as conflicted and gets no traffic. Exact doubles and equal names are refused by the API server.",
		Fix:  "Give the listeners different names, and different hostnames or ports, or merge them.",
	},
	Run: func(p *analyze.Pass) {
		told := p.Runs("refused-by-schema") // of exact doubles
		for _, gw := range p.KubernetesGateways() {
			names := map[gatewayapi.SectionName]bool{}
			spots := map[string]int{} // the first listener of each
			for i := range gw.Spec.Listeners {
				l := &gw.Spec.Listeners[i]
				if names[l.Name] && !told {
					p.Report(gw.At("spec.listeners[%d].name", i), "another listener is named %q as well", l.Name)
				}
				names[l.Name] = true
				if layer(l.Protocol) == "" {
					continue
				}
				j, taken := taken(spots, l)
				if !taken {
					claim(spots, l, i)
					continue
				}
				first := &gw.Spec.Listeners[j]
				if told && first.Protocol == l.Protocol && hostname(first) == hostname(l) {
					continue
				}
				p.Report(gw.At("spec.listeners[%d]", i), "listener %q and listener %q are both for %s on port %d", l.Name, first.Name, contested(first, l), l.Port).
					Evidence(gw.At("spec.listeners[%d]", j), "has the one that counts")
			}
		}
	},
}

// taken is the listener that already has what l wants.
func taken(spots map[string]int, l *gatewayapi.Listener) (int, bool) {
	keys := []string{fmt.Sprintf("%d/tcp", l.Port), fmt.Sprintf("%d/%s", l.Port, hostname(l))}
	if layer(l.Protocol) == "tcp" {
		keys = []string{fmt.Sprintf("%d", l.Port)}
	}
	for _, k := range keys {
		if i, ok := spots[k]; ok {
			return i, true
		}
	}
	return 0, false
}

func claim(spots map[string]int, l *gatewayapi.Listener, i int) {
	if port := fmt.Sprintf("%d", l.Port); !has(spots, port) {
		spots[port] = i
	}
	if layer(l.Protocol) == "tcp" {
		spots[fmt.Sprintf("%d/tcp", l.Port)] = i
	} else {
		spots[fmt.Sprintf("%d/%s", l.Port, hostname(l))] = i
	}
}

func has(spots map[string]int, key string) bool {
	_, ok := spots[key]
	return ok
}

// contested is what two listeners both want.
func contested(a, b *gatewayapi.Listener) string {
	switch {
	case layer(a.Protocol) == "tcp" || layer(b.Protocol) == "tcp":
		return "all connections"
	case hostname(b) == "*":
		return "all hosts"
	}
	return fmt.Sprintf("%q", hostname(b))
}
