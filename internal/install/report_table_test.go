package install

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/output"
)

// example is a plan with every action in it.
func example(t *testing.T) *Plan {
	t.Helper()
	live := parse(t, `{apiVersion: apps/v1, kind: Deployment, metadata: {name: istiod, namespace: istio-system}, spec: {replicas: 1}}`)
	tried := parse(t, `{apiVersion: apps/v1, kind: Deployment, metadata: {name: istiod, namespace: istio-system}, spec: {replicas: 2}}`)
	gateway := object("Deployment", "istio-system", "gateway")
	return &Plan{
		Components: []string{"istiod", "gateway"},
		Steps: []*Step{
			{Component: "istiod", Action: Create, Object: object("ConfigMap", "istio-system", "istio")},
			{Component: "istiod", Action: Keep, Object: object("Service", "istio-system", "istiod")},
			{Component: "istiod", Action: Change, Object: tried, Live: live, tried: tried, Fields: fieldChanges(live, tried)},
			{Component: "istiod", Action: TakeOver, Object: object("ServiceAccount", "istio-system", "istiod"), From: "istioctl", Live: live, tried: live},
			{Component: "istiod", Action: Refused, Object: object("MutatingWebhookConfiguration", "", "injector"), Conflicts: []Conflict{{".webhooks", "kubectl-edit"}}},
			{Component: "gateway", Action: Prune, Object: gateway, Live: gateway},
		},
		Left: []Left{{Recorded{Component: "kiali", APIVersion: "v1", Kind: "Service", Namespace: "istio-system", Name: "kiali"}, "it belongs to Helm release x/kiali now"}},
	}
}

func written(t *testing.T, d output.Document, format output.Format) string {
	t.Helper()
	var b bytes.Buffer
	if err := output.Write(&b, output.Options{Format: format}, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestThePlanAsATable(t *testing.T) {
	t.Parallel()
	want := `COMPONENT  OBJECTS  CREATE  CHANGE  UNCHANGED  TAKE-OVER  PRUNE  CONFLICT
istiod     5        1       1       1          1          0      1
gateway    1        0       0       0          0          1      0

ACTION     OBJECT                                 FIELD             FROM                   TO
create     ConfigMap istio-system/istio
change     Deployment istio-system/istiod         spec.replicas     1                      2
conflict   MutatingWebhookConfiguration injector  webhooks          owned by kubectl-edit
take over  istiod: 1 object                       (ownership only)  istioctl               meshctl
prune      Deployment istio-system/gateway

LEFT                        WHY
Service istio-system/kiali  it belongs to Helm release x/kiali now
`
	if diff := cmp.Diff(want, written(t, example(t).Planned(), output.AsTable)); diff != "" {
		t.Error(diff)
	}
}

func TestThePlanAsYAML(t *testing.T) {
	t.Parallel()
	p := example(t)
	p.Steps, p.Components = p.Steps[2:3], p.Components[:1]
	want := `apiVersion: meshctl.io/v1
components:
- changed: 1
  conflicts: 0
  created: 0
  name: istiod
  notes: []
  objects:
  - action: change
    apiVersion: apps/v1
    conflicts: []
    done: false
    fields:
    - from: 1
      path: spec.replicas
      to: 2
    kind: Deployment
    name: istiod
    namespace: istio-system
  pruned: 0
  reasons: []
  state: Planned
  takenOver: 0
  unchanged: 0
kind: InstallReport
left:
- apiVersion: v1
  component: kiali
  kind: Service
  name: kiali
  namespace: istio-system
  why: it belongs to Helm release x/kiali now
`
	if diff := cmp.Diff(want, written(t, p.Planned(), output.AsYAML)); diff != "" {
		t.Error(diff)
	}
}

func TestThePlanAsADiff(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := example(t).WriteDiff(&b); err != nil {
		t.Fatal(err)
	}
	want := `--- /dev/null
+++ planned/ConfigMap istio-system/istio
@@ -0,0 +1,5 @@
+apiVersion: v1
+kind: ConfigMap
+metadata:
+  name: istio
+  namespace: istio-system
--- live/Deployment istio-system/istiod
+++ planned/Deployment istio-system/istiod
@@ -4,4 +4,4 @@
   name: istiod
   namespace: istio-system
 spec:
-  replicas: 1
+  replicas: 2
# take over from istioctl: ServiceAccount istio-system/istiod
# conflict: MutatingWebhookConfiguration injector: .webhooks is owned by kubectl-edit
--- live/Deployment istio-system/gateway
+++ /dev/null
@@ -1,5 +0,0 @@
-apiVersion: apps/v1
-kind: Deployment
-metadata:
-  name: gateway
-  namespace: istio-system
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestTwoManifestsCompared(t *testing.T) {
	t.Parallel()
	a, b := ours("same", "gone").Components[0].Objects, ours("same", "new").Components[0].Objects
	b[1].Object["data"] = map[string]any{"mesh": "x"}
	want := `ACTION  OBJECT                       FIELD  FROM  TO
prune   ConfigMap istio-system/gone
create  ConfigMap istio-system/new
change  ConfigMap istio-system/same  data         {mesh}
`
	if diff := cmp.Diff(want, written(t, Compare(a, b), output.AsTable)); diff != "" {
		t.Error(diff)
	}
}
