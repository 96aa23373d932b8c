package mesh

import (
	"strings"
	"testing"
)

func TestOneOfSeveral(t *testing.T) {
	t.Parallel()
	config := func(name, key, text string) *Object {
		return NewObject(ConfigMap, map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name, "namespace": "istio-system"},
			"data": map[string]any{key: text},
		}, Origin{})
	}
	labelled := func(kind Kind, labels, spec map[string]any) *Object {
		return NewObject(kind, map[string]any{
			"apiVersion": kind.APIVersion(), "kind": kind.Kind, "spec": spec,
			"metadata": map[string]any{"name": "x", "namespace": "istio-system", "labels": labels},
		}, Origin{})
	}
	tests := []struct {
		name   string
		object *Object
		sign   string // "" for none
	}{
		{"a mesh of its own", config("istio-sidecar-injector", "values", `{"global":{"network":"","multiCluster":{"clusterName":""}}}`), ""},
		{"istiod's own name for a single cluster", config("istio-sidecar-injector", "values", `{"global":{"multiCluster":{"clusterName":"Kubernetes"}}}`), ""},
		{"a cluster's name", config("istio-sidecar-injector", "values", `{"global":{"multiCluster":{"clusterName":"east"}}}`), `clusterName in ConfigMap istio-system/istio-sidecar-injector is "east"`},
		{"a network", config("istio-sidecar-injector", "values", `{"global":{"network":"net-east"}}`), `"net-east"`},
		{"values that cannot be read", config("istio-sidecar-injector", "values", `{{`), ""},
		{"one network", config("istio", "meshNetworks", "networks:\n  net-east: {}\n"), ""},
		{"two networks", config("istio", "meshNetworks", "networks:\n  net-east: {}\n  net-west: {}\n"), "several networks"},
		{"a gateway between clusters", labelled(Service, map[string]any{"istio": "eastwestgateway"}, nil), "Service istio-system/x"},
		{"a gateway to a network", labelled(Service, map[string]any{NetworkLabel: "net-west"}, nil), "Service istio-system/x"},
		{"any gateway", labelled(Service, map[string]any{"istio": "ingressgateway"}, nil), ""},
		{"an ambient gateway between clusters", labelled(KubernetesGateway, nil, map[string]any{"gatewayClassName": "istio-east-west"}), "is a gateway between clusters"},
		{"a remote secret", labelled(Secret, map[string]any{"istio/multiCluster": "true"}, nil), "access to another"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := New([]*Object{tt.object}, Options{}).OneOfSeveral()
			if (got == "") != (tt.sign == "") || !strings.Contains(got, tt.sign) {
				t.Errorf("sign is %q, want one with %q", got, tt.sign)
			}
			if got := New([]*Object{tt.object}, Options{Complete: true}).OneOfSeveral(); got != "" {
				t.Errorf("input that is complete has the sign %q", got)
			}
			with := Views([]Cluster{{Name: "east", Objects: []*Object{tt.object}}, {Name: "west"}}, false, Options{})[0]
			if got := with.OneOfSeveral(); got != "" {
				t.Errorf("with another cluster read the sign is %q", got)
			}
		})
	}
}
