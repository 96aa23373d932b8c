package mesh_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/mesh"
)

// TestWorkloadsOfForeignKinds: any kind that carries a pod template is a
// workload, and its place is where the template stands.
func TestWorkloadsOfForeignKinds(t *testing.T) {
	t.Parallel()
	const pod = "metadata: {labels: {app: shop}}, spec: {containers: [{name: app, image: app:1}]}"
	files, err := kube.ReadTexts(context.Background(), []kube.Text{{Path: "x.yaml", Text: []byte(`
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: rollout, namespace: shop}
spec: {replicas: 2, template: {` + pod + `}}
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: knative, namespace: shop}
spec: {template: {` + pod + `}}
---
apiVersion: apps.kruise.io/v1alpha1
kind: CloneSet
metadata: {name: kruise, namespace: shop}
spec: {template: {` + pod + `}}
---
apiVersion: jobset.x-k8s.io/v1alpha2
kind: JobSet
metadata: {name: jobset, namespace: shop}
spec: {replicatedJobs: [{name: a, template: {spec: {template: {` + pod + `}}}}]}
---
apiVersion: ray.io/v1
kind: RayCluster
metadata: {name: ray, namespace: shop}
spec: {headGroupSpec: {template: {` + pod + `}}, workerGroupSpecs: [{template: {` + pod + `}}]}
---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: by-reference, namespace: shop}
spec: {workloadRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
---
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: no-pods, namespace: shop}
spec: {template: {metadata: {name: x}, spec: {project: default}}}
`)}})
	if err != nil || len(files.Broken) > 0 {
		t.Fatal(err, files.Broken)
	}
	s := mesh.New(files.Objects, mesh.Options{})
	got := map[string]int{}
	for _, w := range s.Select("shop", map[string]string{"app": "shop"}) {
		got[w.Object.Name+" "+w.At("spec").Path]++
	}
	want := map[string]int{
		"rollout spec.template.spec": 1, "knative spec.template.spec": 1, "kruise spec.template.spec": 1,
		"jobset spec.replicatedJobs[0].template.spec.template.spec": 1,
		"ray spec.headGroupSpec.template.spec":                      1, "ray spec.workerGroupSpecs[0].template.spec": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("workloads (-want +got):\n%s", diff)
	}
	if !s.KnowsWorkloads("shop") || s.KnowsWorkloads("other") || s.Known(mesh.Gateway) {
		t.Error("what the files hold nothing of is known")
	}
}
