package kube

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"

	"github.com/meshctl/meshctl/internal/mesh"
)

// variable is what Flux, envsubst and others fill in before they apply a file,
// such as ${DOMAIN} or ${PORT:=8080}.
var variable = regexp.MustCompile(`\$\{[A-Za-z_][A-Za-z0-9_]*(?:[:=/#%^,+?-][^}]*)?\}`)

// unfilled says that a document is a template whose variables nobody has
// filled in: one is part of a name, or of a spec that cannot have it for itself.
func (d *document) unfilled(m map[string]any) string {
	if !bytes.Contains(d.text, []byte("${")) {
		return ""
	}
	metadata, _ := m["metadata"].(map[string]any)
	found := variableIn([]any{metadata["name"], metadata["namespace"]})
	if kind, _ := mesh.KindOf(fmt.Sprint(m["apiVersion"]), fmt.Sprint(m["kind"])); found == "" && slices.Contains(plainKinds, kind) {
		found = variableIn(m["spec"])
	}
	if found == "" {
		return ""
	}
	return fmt.Sprintf("its variables, such as %s, are not filled in; do that first, as `flux envsubst` does, and pipe the result in", found)
}

// plainKinds have hosts, names, ports and patterns in their specs. The others
// hold scripts and programs that have such variables themselves.
var plainKinds = []mesh.Kind{
	mesh.Service,
	mesh.Gateway, mesh.VirtualService, mesh.DestinationRule, mesh.ServiceEntry, mesh.Sidecar, mesh.WorkloadEntry,
	mesh.AuthorizationPolicy, mesh.PeerAuthentication, mesh.RequestAuthentication,
	mesh.KubernetesGateway, mesh.ListenerSet, mesh.HTTPRoute, mesh.GRPCRoute, mesh.TLSRoute, mesh.TCPRoute, mesh.ReferenceGrant,
}

// variableIn is the first variable of a value, empty when there is none.
func variableIn(value any) string {
	switch v := value.(type) {
	case string:
		return variable.FindString(v)
	case []any:
		for _, item := range v {
			if found := variableIn(item); found != "" {
				return found
			}
		}
	case map[string]any:
		found := ""
		for _, item := range v {
			if one := variableIn(item); one != "" && (found == "" || one < found) {
				found = one
			}
		}
		return found
	}
	return ""
}
