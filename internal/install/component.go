package install

import (
	"encoding/json"
	"fmt"

	"github.com/meshctl/meshctl/internal/hint"
)

// Directories of the charts below charts/.
const (
	dirBase      = "base"
	dirDiscovery = "istio-control/istio-discovery"
	dirIngress   = "gateways/istio-ingress"
	dirEgress    = "gateways/istio-egress"
	dirCNI       = "istio-cni"
	dirZtunnel   = "ztunnel"
)

// componentType is one of the parts that a mesh is installed from.
type componentType struct {
	label     string   // value of the component label
	key       string   // key under spec.components
	dir       string   // its chart
	root      []string // where its settings stand under spec.values
	kind      string   // kind of the workload it makes
	resource  string   // name of that workload
	container string   // its main container
	multi     bool     // spec.components has a list of them
	gateway   bool
	flatten   bool // its chart reads its settings at the top of values
	byDefault bool // installed even if spec.components is silent about it
	byValues  bool // values.<root>.enabled installs it too
}

// componentTypes are in the order that they are rendered and listed in.
func componentTypes() []componentType {
	return []componentType{
		{label: "Base", key: "base", dir: dirBase, root: []string{"global"}, byDefault: true},
		{label: "Pilot", key: "pilot", dir: dirDiscovery, root: []string{"pilot"}, byDefault: true,
			kind: "Deployment", resource: "istiod", container: "discovery"},
		{label: "IngressGateways", key: "ingressGateways", dir: dirIngress, root: []string{"gateways", "istio-ingressgateway"},
			kind: "Deployment", resource: "istio-ingressgateway", container: "istio-proxy",
			multi: true, gateway: true, byDefault: true, byValues: true},
		{label: "EgressGateways", key: "egressGateways", dir: dirEgress, root: []string{"gateways", "istio-egressgateway"},
			kind: "Deployment", resource: "istio-egressgateway", container: "istio-proxy",
			multi: true, gateway: true, byValues: true},
		{label: "Cni", key: "cni", dir: dirCNI, root: []string{"cni"},
			kind: "DaemonSet", resource: "istio-cni-node", container: "install-cni"},
		{label: "Ztunnel", key: "ztunnel", dir: dirZtunnel, root: []string{"ztunnel"},
			kind: "DaemonSet", resource: "ztunnel", container: "istio-proxy", flatten: true},
	}
}

// component is one enabled part with the user's settings for it.
type component struct {
	componentType
	at        string // where it stands under spec, for messages
	name      string // of a gateway
	labels    map[string]any
	namespace string
	hub, tag  string
	k8s       map[string]any     // settings as written: what is not there is not touched
	settings  kubernetesSettings // the same, typed

	// As one Helm release of its own: its name, and the values to use instead of
	// those that the spec gives. Empty in an install.
	release string
	values  map[string]any
}

// resourceName is the name of the component's workload, before any revision.
func (c *component) resourceName() string {
	if c.name != "" {
		return c.name
	}
	return c.resource
}

// components lists the enabled components.
func (s *Spec) components() ([]*component, error) {
	var out []*component
	spec := lookupMap(s.tree, "spec")
	for _, t := range componentTypes() {
		forced := t.byValues && lookupBool(lookupMap(spec, append([]string{"values"}, t.root...)...), "enabled")
		given := lookup(spec, "components", t.key)
		if given == nil {
			if t.byDefault || forced {
				c, err := newComponent(t, "components."+t.key, nil, s.Namespace)
				if err != nil {
					return nil, err
				}
				out = append(out, c)
			}
			continue
		}
		items, at := []any{given}, []string{"components." + t.key}
		if t.multi {
			items, _ = given.([]any)
			at = at[:0]
			for i := range items {
				at = append(at, fmt.Sprintf("components.%s[%d]", t.key, i))
			}
		}
		for i, item := range items {
			m, _ := item.(map[string]any)
			if enabled, ok := m["enabled"].(bool); ok && !enabled && !forced {
				continue
			}
			c, err := newComponent(t, at[i], m, s.Namespace)
			if err != nil {
				return nil, err
			}
			out = append(out, c)
		}
	}
	return out, nil
}

func newComponent(t componentType, at string, m map[string]any, namespace string) (*component, error) {
	c := &component{
		componentType: t, at: at,
		name: lookupString(m, "name"), labels: lookupMap(m, "label"),
		namespace: lookupString(m, "namespace"),
		hub:       lookupString(m, "hub"), tag: lookupString(m, "tag"),
		k8s: lookupMap(m, "k8s"),
	}
	if c.gateway && c.name == "" {
		c.name = t.resource // the charts would make objects without a name
	}
	if c.namespace == "" {
		c.namespace = namespace
	}
	if c.k8s == nil {
		return c, nil
	}
	data, err := json.Marshal(c.k8s)
	if err != nil {
		return nil, fmt.Errorf("reading %s.k8s: %w", at, err)
	}
	if err := json.Unmarshal(data, &c.settings); err != nil {
		return nil, hint.Usagef("the settings under k8s have the form of the Kubernetes fields of the same name",
			"reading %s.k8s: %s", at, jsonReason(err))
	}
	return c, nil
}
