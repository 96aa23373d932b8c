package install

import (
	"encoding/json"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestUpToDate(t *testing.T) {
	t.Parallel()
	const (
		deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: istiod, namespace: istio-system, labels: {app: istiod}}
spec:
  selector: {matchLabels: {app: istiod}}
  template:
    spec:
      hostNetwork: false
      nodeSelector: {}
      containers:
      - name: discovery
        args: [discovery, --domain, cluster.local]
        ports:
        - {containerPort: 8080}
        resources: {requests: {cpu: 0.5, memory: 2Gi}}
`
		ours = `{"f:metadata":{"f:labels":{"f:app":{}}},"f:spec":{"f:selector":{},"f:template":{"f:spec":{"f:hostNetwork":{},"f:containers":{
			"k:{\"name\":\"discovery\"}":{".":{},"f:name":{},"f:args":{},
			"f:ports":{"k:{\"containerPort\":8080,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}},
			"f:resources":{"f:requests":{"f:cpu":{},"f:memory":{}}}}}}}}}`
	)
	// live is what the API server makes of it: defaults, other people's fields.
	const live = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: istiod, namespace: istio-system, uid: u, labels: {app: istiod, team: mesh}, annotations: {deployment.kubernetes.io/revision: "1"}}
spec:
  replicas: 3
  selector: {matchLabels: {app: istiod}}
  template:
    spec:
      restartPolicy: Always
      containers:
      - name: discovery
        args: [discovery, --domain, cluster.local]
        imagePullPolicy: IfNotPresent
        ports:
        - {containerPort: 8080, protocol: TCP}
        resources: {requests: {cpu: 500m, memory: 2Gi}}
status: {replicas: 3}
`
	for name, c := range map[string]struct {
		change  func(want, live map[string]any)
		manager string
		is      bool
	}{
		"as applied":               {is: true},
		"nothing applied by us":    {manager: "istio-operator"},
		"a label of ours changed":  {change: func(_, l map[string]any) { dig(l, "metadata", "labels")["app"] = "x" }},
		"a label of ours is gone":  {change: func(_, l map[string]any) { delete(dig(l, "metadata", "labels"), "app") }},
		"a field we want no more":  {change: func(w, _ map[string]any) { delete(dig(w, "metadata"), "labels") }},
		"a new field":              {change: func(w, _ map[string]any) { dig(w, "spec")["paused"] = true }},
		"an atomic map that grew":  {change: func(_, l map[string]any) { dig(l, "spec", "selector", "matchLabels")["x"] = "y" }},
		"an atomic list, reversed": {change: func(_, l map[string]any) { first(l)["args"] = []any{"cluster.local", "--domain", "discovery"} }},
		"a quantity changed":       {change: func(_, l map[string]any) { dig(first(l), "resources", "requests")["cpu"] = "600m" }},
		"a container more":         {change: func(w, _ map[string]any) { more(w) }},
		"a container of others":    {change: func(_, l map[string]any) { more(l) }, is: true},
		"another port":             {change: func(w, _ map[string]any) { dig(first(w)["ports"].([]any)[0])["containerPort"] = int64(9090) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, l := parse(t, deployment), parse(t, live)
			if c.change != nil {
				c.change(w.Object, l.Object)
			}
			if !json.Valid([]byte(ours)) {
				t.Fatal("the managed fields are not JSON")
			}
			l.SetManagedFields([]metav1.ManagedFieldsEntry{{
				Manager: orElse(c.manager, FieldManager), Operation: metav1.ManagedFieldsOperationApply,
				APIVersion: "apps/v1", FieldsV1: metav1.NewFieldsV1(ours),
			}})
			if got := upToDate(w, l); got != c.is {
				t.Errorf("up to date: %v", got)
			}
		})
	}
}

func dig(v any, path ...string) map[string]any {
	m := v.(map[string]any)
	for _, p := range path {
		m = m[p].(map[string]any)
	}
	return m
}

func first(deployment map[string]any) map[string]any {
	return dig(dig(deployment, "spec", "template", "spec")["containers"].([]any)[0])
}

func more(deployment map[string]any) {
	spec := dig(deployment, "spec", "template", "spec")
	spec["containers"] = append(spec["containers"].([]any), map[string]any{"name": "extra"})
}
