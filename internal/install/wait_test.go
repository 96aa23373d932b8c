package install

import "testing"

func TestReadiness(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		object string
		ready  bool
		text   string
		note   string
	}{
		"config":                     {object: `{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}`, ready: true},
		"load balancer, no address":  {object: `{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {type: LoadBalancer}}`, ready: true},
		"CRD, new":                   {object: `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: a}}`, text: "Install in progress"},
		"CRD, established":           {object: `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: a}, status: {conditions: [{type: Established, status: "True"}]}}`, ready: true},
		"deployment, not looked at":  {object: `{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, generation: 1}, spec: {replicas: 2}}`, text: "Replicas: 0/2"},
		"deployment, old generation": {object: `{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, generation: 2}, spec: {replicas: 1}, status: {observedGeneration: 1, replicas: 1}}`, text: "Deployment generation is 2, but latest observed generation is 1"},
		"deployment, gave up":        {object: `{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, status: {conditions: [{type: Progressing, status: "False", reason: ProgressDeadlineExceeded}]}}`, text: "Progress deadline exceeded"},
		"daemon set, one of two":     {object: `{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: a, generation: 1}, status: {observedGeneration: 1, desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 1, numberReady: 1}}`, text: "Available: 1/2"},
		"daemon set without nodes":   {object: `{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: a, generation: 1}, status: {observedGeneration: 1, desiredNumberScheduled: 0}}`, ready: true, note: "DaemonSet a runs nowhere: no node matches it"},
		"on its way out":             {object: `{apiVersion: v1, kind: Namespace, metadata: {name: a, deletionTimestamp: "2026-01-01T00:00:00Z"}}`, text: "Resource scheduled for deletion"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, want := readiness(parse(t, c.object)), (ready{c.ready, c.text, c.note}); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
	if got := readiness(nil); got.ready || got.text == "" {
		t.Errorf("nothing: %+v", got)
	}
}
