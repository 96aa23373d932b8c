package install

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/hint"
	"google.golang.org/protobuf/encoding/protojson"
	meshconfig "istio.io/api/mesh/v1alpha1"
	"k8s.io/apimachinery/pkg/util/validation"
)

// validate checks what the schema cannot: the form of names, and whether
// settings fit each other. It also collects Warnings.
func (s *Spec) validate() error {
	spec := lookupMap(s.tree, "spec")
	if err := checkImage(s.Hub, s.Tag, "hub", "tag"); err != nil {
		return err
	}
	if s.Revision != DefaultRevision {
		if msgs := validation.IsDNS1123Label(s.Revision); len(msgs) > 0 {
			return hint.Usagef("a revision is lower-case letters, digits and dashes, as in 1-31-1",
				"checking the revision: %q is not a DNS label", s.Revision)
		}
	}
	if msgs := validation.IsDNS1123Label(s.Namespace); len(msgs) > 0 {
		return hint.Usagef("", "checking the namespace: %q is not a DNS label", s.Namespace)
	}
	if err := s.checkVariants(lookupMap(spec, "values")); err != nil {
		return err
	}
	if err := checkMeshConfig(lookupMap(spec, "values", "meshConfig")); err != nil {
		return err
	}
	if err := checkProxyRanges(lookupMap(spec, "values", "global", "proxy")); err != nil {
		return err
	}
	if err := checkWords(lookupMap(spec, "values")); err != nil {
		return err
	}
	if err := checkIngressPorts(lookupMap(spec, "values", "gateways", "istio-ingressgateway")); err != nil {
		return err
	}
	if lookupBool(spec, "components", "istiodRemote", "enabled") {
		s.Warnings = append(s.Warnings, "components.istiodRemote has no effect; use the profile remote")
	}
	components, err := s.components()
	if err != nil {
		return err
	}
	for _, c := range components {
		if err := s.validateComponent(c); err != nil {
			return err
		}
	}
	return checkGatewayNames(components)
}

// checkGatewayNames finds two gateways that would be the same objects.
func checkGatewayNames(components []*component) error {
	seen := map[string]string{}
	for _, c := range components {
		if !c.gateway {
			continue
		}
		id := c.namespace + "/" + c.name
		if other := seen[id]; other != "" {
			return hint.Usagef("give each gateway a name of its own", "checking %s: %s has the name %s too", c.at, other, id)
		}
		seen[id] = c.at
	}
	return nil
}

// checkVariants checks the values that choose a file of the charts.
func (s *Spec) checkVariants(values map[string]any) error {
	for _, v := range []struct {
		file string
		at   []string
	}{
		{"profile-platform-", []string{"global", "platform"}},
		{"profile-platform-", []string{"platform"}},
		{"profile-compatibility-version-", []string{"compatibilityVersion"}},
		{"profile-", []string{"profile"}},
		{"profile-", []string{"global", "profile"}},
	} {
		name, known := lookupString(values, v.at...), s.charts.variants(v.file)
		if v.file == "profile-" { // the other files begin so too
			known = slices.DeleteFunc(known, func(k string) bool {
				return strings.HasPrefix(k, "platform-") || strings.HasPrefix(k, "compatibility-")
			})
		}
		if name != "" && !slices.Contains(known, name) {
			return hint.Usagef(oneOf(name, known), "checking values.%s: the charts know no %q", strings.Join(v.at, "."), name)
		}
	}
	return nil
}

// checkWords checks values that have a closed set of words, of which the charts
// pass over an unknown one without a word.
func checkWords(values map[string]any) error {
	for _, v := range []struct {
		at    []string
		known []string
	}{
		{[]string{"global", "resourceScope"}, []string{"all", "cluster", "namespace"}},
		{[]string{"global", "proxy", "tracer"}, []string{"none", "zipkin", "lightstep", "datadog", "stackdriver", "openCensusAgent"}},
	} {
		if word := lookup(values, v.at...); word != nil && !slices.Contains(v.known, fmt.Sprint(word)) {
			return hint.Usagef(oneOf(fmt.Sprint(word), v.known), "checking values.%s: there is no %q", strings.Join(v.at, "."), word)
		}
	}
	return nil
}

// checkIngressPorts finds ports that only root may open.
func checkIngressPorts(gateway map[string]any) error {
	ports, _ := gateway["ingressPorts"].([]any)
	for i, p := range ports {
		m, _ := p.(map[string]any)
		port, ok := asNumber(m["port"])
		target, given := asNumber(m["targetPort"])
		if !given && m["targetPort"] != nil || !ok {
			continue // by name
		}
		if !given {
			target = port
		}
		if target < 1024 {
			return hint.Usagef("set targetPort to 1024 or more",
				"checking values.gateways.istio-ingressgateway.ingressPorts[%d]: its target port %v is below 1024, which only root may open", i, target)
		}
	}
	return nil
}

func asNumber(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// oneOf is the hint that names the word meant, and all there are.
func oneOf(name string, known []string) string {
	all := "one of: " + strings.Join(known, ", ")
	if d := hint.DidYouMean(name, known); d != "" {
		return d + " " + all
	}
	return all
}

func (s *Spec) validateComponent(c *component) error {
	if err := checkImage(c.hub, c.tag, c.at+".hub", c.at+".tag"); err != nil {
		return err
	}
	if msgs := validation.IsDNS1123Label(c.namespace); len(msgs) > 0 {
		return hint.Usagef("", "checking %s.namespace: %q is not a DNS label", c.at, c.namespace)
	}
	if msgs := validation.IsDNS1123Subdomain(c.resourceName()); c.gateway && len(msgs) > 0 {
		return hint.Usagef("", "checking %s.name: %q is not a name that Kubernetes takes", c.at, c.name)
	}
	if r := c.settings.ReplicaCount; r != nil && *r < 0 {
		return hint.Usagef("", "checking %s.k8s.replicaCount: %d is below zero", c.at, *r)
	}
	root := lookupMap(s.tree, append([]string{"spec", "values"}, c.root...)...)
	if c.gateway && c.settings.Service != nil && !lookupBool(root, "runAsRoot") {
		for _, p := range c.settings.Service.Ports {
			target := p.TargetPort.IntValue()
			if p.TargetPort.StrVal == "" && (target > 0 && target < 1024 || target == 0 && p.Port < 1024) {
				return hint.Usagef("set targetPort to 1024 or more, or values."+strings.Join(c.root, ".")+".runAsRoot=true",
					"checking port %d of %s: its target port is below 1024, which only root may open", p.Port, c.at)
			}
		}
	}
	return nil
}

var (
	hubForm = regexp.MustCompile(`^[A-Za-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)*$`)
	tagForm = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
)

func checkImage(hub, tag, hubAt, tagAt string) error {
	if hub != "" && !hubForm.MatchString(hub) {
		return hint.Usagef("a hub is a registry and a path, as in "+Hub, "checking %s: %q is not an image registry", hubAt, hub)
	}
	if tag != "" && !tagForm.MatchString(tag) {
		return hint.Usagef("a tag is a version, as in "+Version, "checking %s: %q is not an image tag", tagAt, tag)
	}
	return nil
}

// checkMeshConfig finds values of the wrong type; unknown keys were found before.
func checkMeshConfig(mc map[string]any) error {
	if len(mc) == 0 {
		return nil
	}
	data, err := json.Marshal(mc)
	if err != nil {
		return fmt.Errorf("checking meshConfig: %w", err)
	}
	if err := (protojson.UnmarshalOptions{}).Unmarshal(data, &meshconfig.MeshConfig{}); err != nil {
		reason := strings.ReplaceAll(err.Error(), "\u00a0", " ")
		if _, after, ok := strings.Cut(reason, "): "); ok {
			reason = after
		}
		return hint.Usagef("see istio.io/latest/docs/reference/config/istio.mesh.v1alpha1", "checking meshConfig: %s", reason)
	}
	return nil
}

// checkProxyRanges checks the comma-separated lists that say what traffic a sidecar takes.
func checkProxyRanges(proxy map[string]any) error {
	for key, valid := range map[string]func(string) bool{
		"includeIPRanges": isPrefix, "excludeIPRanges": isPrefix,
		"includeInboundPorts": isPort, "excludeInboundPorts": isPort,
		"includeOutboundPorts": isPort, "excludeOutboundPorts": isPort,
	} {
		v := lookup(proxy, key)
		if v == nil || v == "" || v == "*" {
			continue
		}
		for part := range strings.SplitSeq(fmt.Sprint(v), ",") {
			if part = strings.TrimSpace(part); part != "" && part != "*" && !valid(part) {
				return hint.Usagef("write a list with commas between, or *", "checking values.global.proxy.%s: %q does not belong there", key, part)
			}
		}
	}
	return nil
}

func isPrefix(s string) bool {
	_, err := netip.ParsePrefix(s)
	return err == nil
}

func isPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}
