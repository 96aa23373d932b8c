package kube

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/meshctl/meshctl/internal/kube/apitest"
	"github.com/meshctl/meshctl/internal/mesh"
)

const slimMesh = `
apiVersion: v1
kind: Pod
metadata:
  name: web-7d9-a
  namespace: shop
  labels: {app: web, pod-template-hash: 7d9}
  annotations: {kubectl.kubernetes.io/last-applied-configuration: "{}", shop.example/owner: web}
  ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-7d9, uid: u, controller: true}]
spec:
  serviceAccountName: web
  nodeName: one
  containers:
  - name: web
    image: shop/web:1
    ports: [{name: http, containerPort: 8080}]
    env: [{name: TOKEN, value: hidden}]
    securityContext: {runAsUser: 1337}
    readinessProbe: {tcpSocket: {port: 8080}}
status: {phase: Running, podIP: 10.0.0.1}
---
apiVersion: v1
kind: Pod
metadata:
  name: web-7d9-b
  namespace: shop
  labels: {app: web, pod-template-hash: 7d9}
  ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-7d9, uid: u, controller: true}]
spec:
  serviceAccountName: web
  nodeName: two
  containers:
  - name: web
    image: shop/web:1
    ports: [{name: http, containerPort: 8080}]
    securityContext: {runAsUser: 1337}
status: {phase: Failed}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: istiod, namespace: istio-system, labels: {app: istiod}}
spec:
  selector: {matchLabels: {app: istiod}}
  template:
    metadata: {labels: {app: istiod}}
    spec:
      volumes: [{name: cacerts, secret: {secretName: cacerts}}]
      containers:
      - name: discovery
        env: [{name: PILOT_SCOPE_GATEWAY_TO_NAMESPACE, value: "true"}]
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: carts.shop.example}
spec:
  group: shop.example
  names: {kind: Cart, plural: carts}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, description: a cart, properties: {description: {type: string, description: what it is}}}}
---
apiVersion: v1
kind: Service
metadata: {name: bound, namespace: shop, labels: {istio.io/use-waypoint: waypoint}}
spec: {ports: [{name: http, port: 80}]}
status:
  conditions: [{type: istio.io/WaypointBound, status: "False", reason: Missing, message: no waypoint, lastTransitionTime: null}]
`

func slimKinds() []mesh.Kind {
	return []mesh.Kind{mesh.Pod, mesh.Deployment, mesh.Service, mesh.CustomResourceDefinition}
}

func readSlim(t *testing.T, o ReadOptions) map[string]*mesh.Object {
	t.Helper()
	o.Slim, o.Kinds, o.IstioNamespace = true, slimKinds(), "istio-system"
	server, err := apitest.New(slimMesh)
	if err != nil {
		t.Fatal(err)
	}
	file, err := apitest.Kubeconfig(t.TempDir(), []string{"c"}, map[string]string{"c": server.Start(t)})
	if err != nil {
		t.Fatal(err)
	}
	flags := genericclioptions.NewConfigFlags(false)
	flags.KubeConfig = &file
	live, err := NewClient(flags, 0).Read(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]*mesh.Object{}
	for _, o := range live.Objects {
		found[o.Name] = o
	}
	return found
}

func TestSlimObjectsKeepWhatChecksLookAt(t *testing.T) {
	t.Parallel()
	found := readSlim(t, ReadOptions{})
	want := map[string]any{
		"apiVersion": "v1", "kind": "Pod",
		"metadata": map[string]any{
			"name": "web-7d9-a", "namespace": "shop", "labels": map[string]any{"app": "web", "pod-template-hash": "7d9"},
			"annotations": map[string]any{"kubectl.kubernetes.io/last-applied-configuration": "", "shop.example/owner": "web"},
		},
		"spec": map[string]any{
			"serviceAccountName": "web",
			"containers": []any{map[string]any{
				"name": "web", "image": "shop/web:1", "resources": map[string]any{}, "securityContext": map[string]any{"runAsUser": int64(1337)},
				"ports": []any{map[string]any{"name": "http", "containerPort": int64(8080)}},
			}},
		},
		"status": map[string]any{"phase": "Running"},
	}
	if diff := cmp.Diff(want, found["web-7d9-a"].Raw()); diff != "" {
		t.Errorf("pod (-want +got):\n%s", diff)
	}
	if phase := found["web-7d9-b"].Field("status", "phase"); phase != "Failed" {
		t.Errorf("phase %v, want Failed", phase)
	}
	status, _ := found["bound"].Field("status", "conditions").([]any)
	if len(status) != 1 {
		t.Errorf("conditions of a Service %v, want what istiod says of its waypoint", status)
	}
	s := mesh.New([]*mesh.Object{found["web-7d9-a"], found["web-7d9-b"], found["istiod"]}, mesh.Options{})
	if !s.ControlPlaneSets("PILOT_SCOPE_GATEWAY_TO_NAMESPACE", "true") {
		t.Error("istiod's environment is lost")
	}
	pods := s.Pods()
	if len(pods) != 2 || pods[0].Spec != pods[1].Spec {
		t.Errorf("%d pods, which do not share what is the same", len(pods))
	}
}

func TestSlimDefinitionsKeepWhatFilesAreJudgedBy(t *testing.T) {
	t.Parallel()
	version := func(o *mesh.Object) map[string]any {
		versions, _ := o.Field("spec", "versions").([]any)
		v, _ := versions[0].(map[string]any)
		return v
	}
	alone := version(readSlim(t, ReadOptions{})["carts.shop.example"])
	if diff := cmp.Diff(map[string]any{"name": "v1", "served": true, "storage": true}, alone); diff != "" {
		t.Errorf("without files (-want +got):\n%s", diff)
	}
	files := []*mesh.Object{mesh.NewObject(mesh.Namespace, map[string]any{}, mesh.Origin{})}
	judging := version(readSlim(t, ReadOptions{With: files})["carts.shop.example"])
	want := map[string]any{"openAPIV3Schema": map[string]any{"type": "object", "properties": map[string]any{"description": map[string]any{"type": "string"}}}}
	if diff := cmp.Diff(want, judging["schema"]); diff != "" {
		t.Errorf("with files (-want +got):\n%s", diff)
	}
}
