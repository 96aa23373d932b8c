package install

import (
	"reflect"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// discoveryTopLevel are the keys of the istiod chart that stand at the top of
// spec.values; its other keys are written under pilot.
var discoveryTopLevel = []string{
	"global", "meshConfig", "revision", "revisionTags", "ownerName", "telemetry", "sidecarInjectorWebhook",
	"istiodRemote", "experimental", "base", "gateways", "gatewayClasses",
}

// undocumentedValues are keys that charts or the injection templates read, or
// that Istio's documented values have, but that the charts give no default, or
// one that does not tell their kind. In front stands the kind of the keys on
// the line; below an open one anything may stand.
const undocumentedValues = `
text profile platform compatibilityVersion revision defaultRevision
text global.hub global.tag pilot.hub pilot.tag cni.hub cni.tag ztunnel.hub ztunnel.tag
text istioCni.provider istio_cni.provider cni.logLevel cni.pspClusterRole cni.repair.image cni.repair.createEvents
text global.agentgateway.image global.caName global.ipFamilyPolicy global.jwtPolicy global.platform global.profile
text global.multiCluster.globalDomainSuffix global.readerServiceAccount.name global.readerServiceAccount.namespace
text global.revision global.trustBundleName pilot.crlConfigMapName pilot.terminationMessagePolicy
text sidecarInjectorWebhook.injectionURL
boolean istioCni.enabled istioCni.chained istio_cni.enabled istio_cni.chained base.validateGateway
boolean cni.enabled cni.privileged gateways.enabled global.enableReaderRBAC global.multiCluster.enabled
boolean global.multiCluster.includeEnvoyFilter global.proxy.enableCoreDump global.proxy.holdApplicationUntilProxyStarts
boolean gateways.istio-ingressgateway.enabled gateways.istio-ingressgateway.runAsRoot
boolean gateways.istio-egressgateway.enabled gateways.istio-egressgateway.customService
boolean pilot.enabled pilot.cni.chained
number gateways.istio-ingressgateway.replicaCount gateways.istio-egressgateway.replicaCount
texts base.excludedCRDs revisionTags cni.excludeNamespaces pilot.ipFamilies sidecarInjectorWebhook.defaultTemplates
texts gateways.istio-ingressgateway.ipFamilies gateways.istio-ingressgateway.loadBalancerSourceRanges
texts gateways.istio-egressgateway.ipFamilies global.certSigners global.imagePullSecrets global.ipFamilies
texts global.podDNSSearchNamespaces
open gatewayClasses meshConfig gateways.securityContext global.proxy_init.resources global.sds.token global.tracer
open gateways.istio-ingressgateway.labels gateways.istio-egressgateway.labels
open pilot.istiodRemote pilot.env ztunnel
any cni.rollingMaxUnavailable`

// kubernetesValues are values that have the form of a Kubernetes type; a list
// of them when the type is one of the items.
func kubernetesValues() map[reflect.Type]string {
	return map[reflect.Type]string{
		reflect.TypeFor[corev1.Affinity]():                   "pilot.affinity cni.affinity global.waypoint.affinity",
		reflect.TypeFor[corev1.SeccompProfile]():             "pilot.seccompProfile cni.seccompProfile global.proxy.seccompProfile gateways.seccompProfile",
		reflect.TypeFor[corev1.Lifecycle]():                  "global.proxy.lifecycle",
		reflect.TypeFor[corev1.NodeSelector]():               "global.waypoint.nodeSelector",
		reflect.TypeFor[[]metav1.LabelSelector]():            "sidecarInjectorWebhook.neverInjectSelector sidecarInjectorWebhook.alwaysInjectSelector",
		reflect.TypeFor[[]corev1.Volume]():                   "pilot.volumes ztunnel.volumes",
		reflect.TypeFor[[]corev1.VolumeMount]():              "pilot.volumeMounts ztunnel.volumeMounts",
		reflect.TypeFor[[]corev1.TopologySpreadConstraint](): "pilot.topologySpreadConstraints global.waypoint.topologySpreadConstraints",
		reflect.TypeFor[[]corev1.Toleration](): "pilot.tolerations cni.tolerations ztunnel.tolerations global.defaultTolerations global.waypoint.tolerations " +
			"global.waypoint.toleration gateways.istio-ingressgateway.tolerations gateways.istio-egressgateway.tolerations",
	}
}

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
	for line := range strings.Lines(undocumentedValues) {
		kind, keys, _ := strings.Cut(strings.TrimSpace(line), " ")
		for key := range strings.FieldsSeq(keys) {
			root.allow(strings.Split(key, "."), kind)
		}
	}
	for t, keys := range kubernetesValues() {
		for key := range strings.FieldsSeq(keys) {
			*root.place(strings.Split(key, ".")) = shape{load: sync.OnceValue(func() *shape { return goSchema(t) })}
		}
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
		return &shape{kind: textValue}
	case bool:
		return &shape{kind: boolValue}
	case nil:
		return whatever
	}
	return &shape{kind: numberValue}
}

// place is the shape at path, which is made where it is missing.
func (s *shape) place(path []string) *shape {
	for _, key := range path {
		if s.keys == nil {
			s.keys = map[string]*shape{}
		}
		next := s.keys[key]
		if next == nil || next == whatever {
			next = &shape{kind: mapValue, loose: true}
			s.keys[key] = next
		}
		s = next
	}
	return s
}

// allow makes the key at path one of that kind.
func (s *shape) allow(path []string, kind string) {
	p := s.place(path)
	switch kind {
	case "text":
		*p = shape{kind: textValue}
	case "boolean":
		*p = shape{kind: boolValue}
	case "number":
		*p = shape{kind: numberValue}
	case "texts":
		*p = shape{kind: listValue, elem: &shape{kind: textValue}}
	case "any":
		*p = *whatever
	case "open":
		if p.keys == nil {
			p.kind = mapValue
		}
		p.open = whatever
	}
}

// openResources lets every container's resources name any resource, and labels
// and their like any key. Quantities, and what may be a number or a percentage,
// stay as they were written.
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
		if low := strings.ToLower(k); c.keys != nil && (strings.HasSuffix(low, "labels") || strings.HasSuffix(low, "annotations")) {
			c.open = whatever
		}
		openResources(c)
	}
}
