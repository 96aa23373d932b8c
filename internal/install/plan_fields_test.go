package install

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFieldChanges(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ from, to, want string }{
		"a value, by the name of its container": {
			`{kind: Deployment, spec: {template: {spec: {containers: [{name: discovery, image: pilot:1}, {name: other}]}}}}`,
			`{kind: Deployment, spec: {template: {spec: {containers: [{name: other}, {name: discovery, image: pilot:2}]}}}}`,
			`spec.template.spec.containers[discovery].image: pilot:1 -> pilot:2`,
		},
		"an item that goes and one that comes": {
			`{kind: Service, spec: {ports: [{name: http, port: 80}]}}`,
			`{kind: Service, spec: {ports: [{name: https, port: 443}]}}`,
			"spec.ports[http]: - {name, port}\nspec.ports[https]: + {name, port}",
		},
		"plain items by place": {
			`{kind: X, args: [a, b]}`, `{kind: X, args: [a, c, d]}`,
			"args[1]: b -> c\nargs[2]: + d",
		},
		"keys with dots": {
			`{kind: X, metadata: {annotations: {a.b/c: "1"}}}`, `{kind: X, metadata: {annotations: {a.b/c: "2"}}}`,
			"metadata.annotations[a.b/c]: 1 -> 2",
		},
		"of a text the lines that differ": {
			`{kind: ConfigMap, data: {mesh: "a: 1\nb: 2\n"}}`, `{kind: ConfigMap, data: {mesh: "a: 1\nb: 3\n"}}`,
			"data.mesh: b: 2 -> b: 3",
		},
		"a text that gains a line": {
			`{kind: ConfigMap, data: {mesh: "a: 1\n"}}`, `{kind: ConfigMap, data: {mesh: "a: 1\nb: 3\n"}}`,
			"data.mesh: + b: 3",
		},
		"no noise": {
			`{kind: Deployment, metadata: {uid: u, resourceVersion: "1", generation: 1, labels: {operator.istio.io/version: 1.30.0},
			  annotations: {deployment.kubernetes.io/revision: "3"}}, spec: {}, status: {replicas: 1}}`,
			`{kind: Deployment, metadata: {generation: 2, labels: {meshctl.io/managed-by: meshctl}}, spec: {x: []}}`,
			"",
		},
		"not istiod's CA bundle": {
			`{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, webhooks: [{name: a, clientConfig: {caBundle: abc, url: u}}]}`,
			`{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, webhooks: [{name: a, clientConfig: {url: v}}]}`,
			"webhooks[a].clientConfig.url: u -> v",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var lines []string
			for _, f := range fieldChanges(parse(t, c.from), parse(t, c.to)) {
				lines = append(lines, f.String())
			}
			if diff := cmp.Diff(c.want, strings.Join(lines, "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSecretsAreMaskedEverywhere(t *testing.T) {
	t.Parallel()
	from := parse(t, `{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {same: c2FtZQ==, other: b2xk, gone: Z29uZQ==}}`)
	to := parse(t, `{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {same: c2FtZQ==, other: bmV3, new: bmV3}}`)
	var lines []string
	for _, f := range fieldChanges(from, to) {
		lines = append(lines, f.String())
	}
	want := []string{"data.gone: - ***", "data.new: + ***", "data.other: *** -> *** (changed)"}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	step := &Step{Action: Change, Live: from, Object: to, tried: to}
	text, err := step.diff()
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"c2FtZQ", "b2xk", "bmV3", "Z29uZQ"} {
		if strings.Contains(text, secret) {
			t.Errorf("the diff shows %s:\n%s", secret, text)
		}
	}
	if !strings.Contains(text, "+  other: '*** (changed)'") {
		t.Errorf("the diff hides that a value changes:\n%s", text)
	}
}

func TestGenuineConflicts(t *testing.T) {
	t.Parallel()
	conflict := func(field string) Conflict { return Conflict{field, "kubectl"} }
	image := conflict(`.spec.template.spec.containers[name="discovery"].image`)
	label := conflict(`.metadata.labels.helm.sh/chart`)
	limits := conflict(`.spec.template.spec.containers[name="discovery"].resources.limits.cpu`)
	selector := conflict(`.webhooks[name="a.b.io"].namespaceSelector`)
	changes := []FieldChange{
		{Path: "spec.template.spec.containers[discovery].image", From: "a", To: "b"},
		{Path: "metadata.labels[helm.sh/chart]", From: "a", To: "b"},
		{Path: "webhooks[a.b.io].namespaceSelector.matchLabels", From: "a"},
	}
	got := genuine([]Conflict{image, label, limits, selector}, changes)
	if diff := cmp.Diff([]Conflict{image, label, selector}, got); diff != "" {
		t.Error(diff)
	}
}

func TestFormerOwner(t *testing.T) {
	t.Parallel()
	const config = `{apiVersion: v1, kind: ConfigMap, metadata: {name: istio}, data: {mesh: x}}`
	helm := owned(t, config, "helm", `{"f:data":{"f:mesh":{}}}`)
	helm.SetAnnotations(map[string]string{helmRelease: "istiod", helmNamespace: "istio-system"})
	for _, c := range []struct {
		name, want string
		obj        string
	}{{"istioctl", "istioctl", "istio-operator"}, {"istioctl's tags", "istioctl", "istioctl"}, {"kubectl", "", "kubectl-edit"}, {"us", "", FieldManager}} {
		if got, _ := formerOwner(owned(t, config, c.obj, `{"f:data":{"f:mesh":{}}}`)); got != c.want {
			t.Errorf("%s: %q", c.name, got)
		}
	}
	if got, managers := formerOwner(helm); got != "Helm release istio-system/istiod" || len(managers) != 1 {
		t.Errorf("Helm: %q %v", got, managers)
	}
}

func TestTakenOverDropsWhatOnlyTheFormerOwnerWants(t *testing.T) {
	t.Parallel()
	tried := parse(t, `
apiVersion: v1
kind: Service
metadata:
  name: gateway
  labels: {theirs: x, both: x, ours: x}
  managedFields:
  - {manager: istio-operator, operation: Apply, apiVersion: v1, fieldsType: FieldsV1, fieldsV1: {"f:metadata": {"f:labels": {"f:theirs": {}, "f:both": {}}},
      "f:spec": {"f:ports": {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}, "f:name": {}}, 'k:{"port":443,"protocol":"TCP"}': {".": {}, "f:port": {}}}}}}
  - {manager: meshctl, operation: Apply, apiVersion: v1, fieldsType: FieldsV1, fieldsV1: {"f:metadata": {"f:labels": {"f:both": {}, "f:ours": {}}},
      "f:spec": {"f:ports": {'k:{"port":443,"protocol":"TCP"}': {".": {}, "f:port": {}}}}}}
spec:
  ports: [{name: http, port: 80, protocol: TCP}, {port: 443, protocol: TCP}]
`)
	s := &Step{tried: tried, managers: []string{"istio-operator"}}
	got := s.takenOver()
	if labels := got.GetLabels(); len(labels) != 2 || labels["theirs"] != "" {
		t.Errorf("labels are %v", labels)
	}
	if ports, _ := got.Object["spec"].(map[string]any)["ports"].([]any); len(ports) != 1 {
		t.Errorf("ports are %v", ports)
	}
}
