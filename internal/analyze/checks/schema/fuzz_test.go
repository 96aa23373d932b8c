package schema_test

import (
	"context"
	"strings"
	"testing"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/schema"
	"github.com/meshctl/meshctl/internal/mesh"
	"sigs.k8s.io/yaml"
)

// FuzzChecks: whatever an object says, the checks of single objects answer and
// do not fail inside. The seeds are an object of each kind.
func FuzzChecks(f *testing.F) {
	seeds := map[mesh.Kind]string{
		mesh.VirtualService:        "hosts: [checkout]\nhttp:\n- match: [{uri: {prefix: /pay}}]\n  timeout: 5s\n  route: [{destination: {host: checkout, port: {number: 80}}, weight: 10}]",
		mesh.Gateway:               "selector: {istio: ingressgateway}\nservers: [{port: {number: 443, name: https, protocol: HTTPS}, hosts: ['*'], tls: {mode: SIMPLE, credentialName: shop}}]",
		mesh.DestinationRule:       "host: checkout\ntrafficPolicy: {outlierDetection: {interval: 1s}}\nsubsets: [{name: v1, labels: {version: v1}}]",
		mesh.ServiceEntry:          "hosts: [api.example.com]\nports: [{number: 443, name: tls, protocol: TLS}]\nresolution: DNS\nendpoints: [{address: 10.0.0.1}]",
		mesh.Sidecar:               "egress: [{hosts: ['./*']}]\ningress: [{port: {number: 80, protocol: HTTP, name: http}, defaultEndpoint: '127.0.0.1:80'}]",
		mesh.WorkloadEntry:         "address: 10.0.0.1\nlabels: {app: vm}",
		mesh.WorkloadGroup:         "template: {ports: {http: 80}}\nprobe: {httpGet: {port: 80}}",
		mesh.EnvoyFilter:           "configPatches: [{applyTo: CLUSTER, patch: {operation: MERGE, value: {connect_timeout: 1s}}}]",
		mesh.ProxyConfig:           "concurrency: 2\nenvironmentVariables: {A: b}",
		mesh.AuthorizationPolicy:   "rules: [{from: [{source: {principals: ['*']}}], to: [{operation: {paths: [/pay]}}], when: [{key: 'request.headers[a]', values: [b]}]}]",
		mesh.PeerAuthentication:    "mtls: {mode: STRICT}\nselector: {matchLabels: {app: a}}\nportLevelMtls: {80: {mode: DISABLE}}",
		mesh.RequestAuthentication: "jwtRules: [{issuer: shop, jwksUri: 'https://shop.example.com/keys'}]",
		mesh.Telemetry:             "accessLogging: [{filter: {expression: 'response.code >= 400'}}]\ntracing: [{randomSamplingPercentage: 10.5}]",
		mesh.WasmPlugin:            "url: 'oci://shop/filter:1'\npluginConfig: {a: b}",
		mesh.TrafficExtension:      "wasm: {url: 'oci://shop/filter:1'}",
		mesh.KubernetesGateway:     "gatewayClassName: istio\nlisteners: [{name: http, port: 80, protocol: HTTP}]",
		mesh.HTTPRoute:             "parentRefs: [{name: edge}]\nhostnames: [shop.example.com]\nrules: [{matches: [{path: {type: Exact, value: /pay}}], backendRefs: [{name: checkout, port: 80}]}]",
		mesh.GRPCRoute:             "parentRefs: [{name: edge}]\nrules: [{matches: [{method: {service: shop.Pay}}]}]",
		mesh.TLSRoute:              "parentRefs: [{name: edge}]\nhostnames: [shop.example.com]\nrules: [{backendRefs: [{name: checkout, port: 80}]}]",
		mesh.Service:               "selector: {app: a}\nports: [{port: 80, targetPort: http}]",
		mesh.Deployment:            "replicas: 1\ntemplate: {spec: {containers: [{name: a, image: b, resources: {limits: {cpu: 1}}}]}}",
		mesh.CronJob:               "schedule: '* * * * *'",
	}
	kinds := mesh.Kinds()
	for i, kind := range kinds {
		if seed, ok := seeds[kind]; ok {
			f.Add(i, seed)
		}
	}
	f.Add(0, "hosts: null\nhttp: [null, {match: [null]}]")
	f.Add(1, "servers: {a: [1.5, -9223372036854775808]}")
	f.Fuzz(func(t *testing.T, i int, text string) {
		if i < 0 || len(text) > 10_000 {
			return
		}
		kind := kinds[i%len(kinds)]
		var spec any
		if yaml.Unmarshal([]byte(text), &spec) != nil {
			return
		}
		raw := map[string]any{
			"apiVersion": kind.APIVersion(), "kind": kind.Kind, "spec": whole(spec),
			"metadata": map[string]any{"name": "a", "namespace": "shop"},
		}
		o := mesh.NewObject(kind, raw, mesh.Origin{File: "a.yaml"})
		report, err := analyze.Run(context.Background(), mesh.New([]*mesh.Object{o}, mesh.Options{}), schema.Checks(), analyze.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, finding := range report.Findings {
			if finding.Code == "IST0001" || strings.Contains(finding.Message, "fails on this object") {
				t.Errorf("%s: %s", kind, finding.Message)
			}
		}
	})
}

// whole makes whole numbers int64, as the readers of files do.
func whole(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for k := range v {
			v[k] = whole(v[k])
		}
	case []any:
		for i := range v {
			v[i] = whole(v[i])
		}
	case float64:
		if v == float64(int64(v)) {
			return int64(v)
		}
	}
	return value
}
