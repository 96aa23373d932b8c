package install

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// resolveSet is the merged spec after settings over the default profile.
func resolveSet(t *testing.T, set ...string) map[string]any {
	t.Helper()
	s, err := Resolve(Inputs{Set: set})
	if err != nil {
		t.Fatalf("%v: %v", set, err)
	}
	return lookupMap(s.Tree(), "spec")
}

func TestSettingsHaveTheTypeThatIsWanted(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		set  string
		at   []string
		want any
	}{
		{"tag=1.10", []string{"values", "global", "tag"}, "1.10"},
		{"tag=17", []string{"tag"}, "17"},
		{"values.global.tag=1.10", []string{"values", "global", "tag"}, "1.10"},
		{"spec.tag=1.10", []string{"tag"}, "1.10"},
		{"components.pilot.tag=1.10", []string{"components", "pilot", "tag"}, "1.10"},
		{"compatibilityVersion=1.30", []string{"values", "compatibilityVersion"}, "1.30"},
		{"revision=110", []string{"values", "revision"}, "110"},
		{"components.cni.enabled=true", []string{"values", "pilot", "cni", "enabled"}, true},
		{"components.pilot.k8s.replicaCount=2", []string{"components", "pilot", "k8s", "replicaCount"}, int64(2)},
		{`components.pilot.k8s.podAnnotations.a\.b/c=true`, []string{"components", "pilot", "k8s", "podAnnotations", "a.b/c"}, "true"},
		{"components.pilot.k8s.nodeSelector.size=2", []string{"components", "pilot", "k8s", "nodeSelector", "size"}, "2"},
		{"values.pilot.traceSampling=1.5", []string{"values", "pilot", "traceSampling"}, 1.5},
		{"values.pilot.env.A=1.10", []string{"values", "pilot", "env", "A"}, "1.10"},
		{"values.pilot.env.A=007", []string{"values", "pilot", "env", "A"}, "007"},
		{"values.pilot.env.A=7", []string{"values", "pilot", "env", "A"}, int64(7)},
		{"values.pilot.env.A=True", []string{"values", "pilot", "env", "A"}, true},
		{"values.pilot.env.A=t", []string{"values", "pilot", "env", "A"}, "t"},
		{"values.pilot.env.A=a=b", []string{"values", "pilot", "env", "A"}, "a=b"},
		{"values.pilot.env.A=", []string{"values", "pilot", "env", "A"}, ""},
		{"values.pilot.rollingMaxSurge=1", []string{"values", "pilot", "rollingMaxSurge"}, int64(1)},
		{"values.global.proxy.includeInboundPorts=80", []string{"values", "global", "proxy", "includeInboundPorts"}, "80"},
		{"values.global.proxy.includeInboundPorts=80,443", []string{"values", "global", "proxy", "includeInboundPorts"}, "80,443"},
		{`values.global.proxy.includeInboundPorts=80\,443`, []string{"values", "global", "proxy", "includeInboundPorts"}, "80,443"},
		{"meshConfig.defaultConfig.proxyMetadata.V=1.10", []string{"values", "meshConfig", "defaultConfig", "proxyMetadata", "V"}, "1.10"},
		{"meshConfig.enableTracing=true", []string{"values", "meshConfig", "enableTracing"}, true},
		{"hub=quay.io/a,tag=1.2", []string{"tag"}, "1.2"},
		{"hub=quay.io/a,tag=1.2", []string{"values", "global", "hub"}, "quay.io/a"},
	} {
		if d := cmp.Diff(tt.want, lookup(resolveSet(t, tt.set), tt.at...)); d != "" {
			t.Errorf("%s: %v: -want +got\n%s", tt.set, tt.at, d)
		}
	}
}

func TestSettingsReachListsOfTheProfile(t *testing.T) {
	t.Parallel()
	for _, set := range []string{
		"components.egressGateways[0].enabled=true",
		"components.egressGateways.[0].enabled=true",
		"components.egressGateways[name:istio-egressgateway].enabled=true",
	} {
		want := []any{map[string]any{"name": "istio-egressgateway", "enabled": true}}
		if d := cmp.Diff(want, lookup(resolveSet(t, set), "components", "egressGateways")); d != "" {
			t.Errorf("%s: -want +got\n%s", set, d)
		}
	}
	two := resolveSet(t, "components.ingressGateways[1].name=edge", "components.ingressGateways[name:edge].namespace=edge")
	want := []any{
		map[string]any{"name": "istio-ingressgateway", "enabled": true},
		map[string]any{"name": "edge", "namespace": "edge"},
	}
	if d := cmp.Diff(want, lookup(two, "components", "ingressGateways")); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}
