package install

import (
	"slices"
	"strings"
)

// discoveryTopLevel are the keys of the istiod chart that stand at the top of
// spec.values; its other keys are written under pilot.
var discoveryTopLevel = []string{
	"global", "meshConfig", "revision", "revisionTags", "ownerName", "telemetry", "sidecarInjectorWebhook",
	"istiodRemote", "experimental", "base", "gateways", "gatewayClasses",
}

// undocumentedValues are keys that charts or the injection templates read, or
// that Istio's documented values have, but that the charts give no default.
// A trailing .* says that anything may stand below.
const undocumentedValues = `
profile platform compatibilityVersion defaultRevision gatewayClasses.* meshConfig.*
istioCni.enabled istioCni.chained istioCni.provider
base.validateGateway
cni.enabled cni.logLevel cni.privileged cni.pspClusterRole cni.rollingMaxUnavailable
cni.repair.image cni.repair.createEvents
gateways.enabled gateways.securityContext.* gateways.seccompProfile.*
gateways.istio-ingressgateway.enabled gateways.istio-ingressgateway.replicaCount
gateways.istio-ingressgateway.labels.* gateways.istio-ingressgateway.runAsRoot
gateways.istio-egressgateway.enabled gateways.istio-egressgateway.replicaCount
gateways.istio-egressgateway.labels.* gateways.istio-egressgateway.customService
global.agentgateway.image global.caName global.enableReaderRBAC global.ipFamilies global.ipFamilyPolicy
global.jwtPolicy global.multiCluster.enabled global.multiCluster.globalDomainSuffix
global.multiCluster.includeEnvoyFilter global.platform global.profile global.podDNSSearchNamespaces
global.proxy.enableCoreDump global.proxy.holdApplicationUntilProxyStarts global.proxy.lifecycle.*
global.proxy_init.resources.* global.readerServiceAccount.name global.readerServiceAccount.namespace
global.revision global.sds.token.* global.tracer.* global.trustBundleName global.waypoint.toleration
pilot.crlConfigMapName pilot.enabled pilot.cni.chained pilot.istiodRemote.* pilot.env.* pilot.terminationMessagePolicy
sidecarInjectorWebhook.injectionURL
ztunnel.*`

// textValues are values that a number would spoil: 1.10 is not 1.1.
const textValues = `profile platform compatibilityVersion revision defaultRevision global.hub global.tag
global.platform global.profile pilot.hub pilot.tag cni.hub cni.tag ztunnel.hub ztunnel.tag`

// chartDefaults gives the default values of the chart in a directory.
type chartDefaults func(dir string) map[string]any

// valuesSchema puts the schema of spec.values together from the charts' own defaults.
func valuesSchema(defaults chartDefaults) *shape {
	root := &shape{kind: mapValue, keys: map[string]*shape{}, loose: true}
	pilot := map[string]any{}
	for k, v := range defaults(dirDiscovery) {
		if slices.Contains(discoveryTopLevel, k) {
			merge(root, map[string]any{k: v})
		} else {
			pilot[k] = v
		}
	}
	merge(root, map[string]any{"pilot": pilot})
	cni := defaults(dirCNI)
	merge(root, map[string]any{"cni": cni, "global": cni["global"]})
	merge(root, map[string]any{"ztunnel": defaults(dirZtunnel)})
	for _, dir := range []string{dirBase, dirIngress, dirEgress} {
		merge(root, defaults(dir))
	}
	for p := range strings.FieldsSeq(undocumentedValues) {
		root.allow(strings.Split(p, "."))
	}
	for p := range strings.FieldsSeq(textValues) {
		root.strictText(strings.Split(p, "."))
	}
	openResources(root)
	root.keys["meshConfig"] = &shape{load: meshConfigSchema}
	return root
}

// merge adds the keys of a chart's defaults to s.
func merge(s *shape, defaults map[string]any) {
	for k, v := range defaults {
		m, isMap := v.(map[string]any)
		old := s.keys[k]
		switch {
		case isMap && len(m) > 0 && old != nil && old.keys != nil:
			merge(old, m)
		case isMap && len(m) > 0:
			c := &shape{kind: mapValue, keys: map[string]*shape{}, loose: true}
			merge(c, m)
			s.keys[k] = c
		case old == nil || old.kind == anyValue:
			s.keys[k] = defaultSchema(v)
		}
	}
}

func defaultSchema(v any) *shape {
	switch v.(type) {
	case map[string]any:
		return &shape{kind: mapValue, open: whatever, loose: true}
	case []any:
		return &shape{kind: listValue, elem: whatever, loose: true}
	case string:
		return &shape{kind: textValue, loose: true}
	case bool:
		return &shape{kind: boolValue, loose: true}
	case nil:
		return whatever
	}
	return &shape{kind: numberValue, loose: true}
}

// allow makes the key at path known, if it is not yet.
func (s *shape) allow(path []string) {
	if path[0] == "*" {
		s.open = whatever
		return
	}
	if s.keys == nil {
		s.keys = map[string]*shape{}
	}
	c := s.keys[path[0]]
	switch {
	case c == nil && len(path) == 1:
		s.keys[path[0]] = whatever
		return
	case len(path) == 1:
		return
	case c == nil || c.kind == anyValue:
		c = &shape{kind: mapValue, loose: true}
		s.keys[path[0]] = c
	}
	c.allow(path[1:])
}

// strictText makes the key at path one that only takes a text.
func (s *shape) strictText(path []string) {
	for _, k := range path[:len(path)-1] {
		s = s.keys[k]
	}
	s.keys[path[len(path)-1]] = &shape{kind: textValue}
}

// openResources lets every container's resources name any resource. Quantities,
// and what may be a number or a percentage, stay as they were written.
func openResources(s *shape) {
	for k, c := range s.keys {
		if k == "resources" || k == "defaultResources" {
			s.keys[k] = &shape{kind: mapValue, loose: true, keys: map[string]*shape{
				"requests": {kind: mapValue, open: whatever, loose: true},
				"limits":   {kind: mapValue, open: whatever, loose: true},
				"claims":   whatever,
			}}
			continue
		}
		if strings.HasPrefix(k, "rollingMax") {
			s.keys[k] = whatever
			continue
		}
		openResources(c)
	}
}
