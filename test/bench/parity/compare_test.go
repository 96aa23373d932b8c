package parity

import (
	"slices"
	"strings"
	"testing"
)

func TestCompareFindsEveryKindOfDifference(t *testing.T) {
	t.Parallel()
	const peer = `
apiVersion: v1
kind: ConfigMap
metadata: {name: a, namespace: x, labels: {istio.io/rev: default}}
data: {k: "1"}
list: [1, 2]
gone: null
---
apiVersion: v1
kind: Service
metadata: {name: only-peer}
`
	const ours = `
apiVersion: v1
kind: ConfigMap
metadata: {name: a, namespace: x, labels: {istio.io/rev: canary, meshctl.io/component: Pilot}}
data: {k: 1}
list: [1, 2, 3]
---
apiVersion: v1
kind: Service
metadata: {name: only-ours}
---
apiVersion: v1
kind: Service
metadata: {name: kiali, labels: {meshctl.io/component: addons.kiali}}
`
	r := Compare(load(t, ours), load(t, peer))
	var got []string
	for _, d := range r.Differences {
		got = append(got, d.ID+" "+d.Path)
	}
	want := []string{
		"v1 ConfigMap x/a data.k", "v1 ConfigMap x/a gone", "v1 ConfigMap x/a list",
		"v1 ConfigMap x/a metadata.labels.istio.io/rev", "v1 Service /only-peer ", "v1 Service /only-ours ",
	}
	if !slices.Equal(got, want) {
		t.Errorf("differences:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if r.Ours != 2 || r.Peer != 2 || r.Equal != 0 {
		t.Errorf("counts = %+v", r)
	}
}

func TestCompareLeavesOwnershipOut(t *testing.T) {
	t.Parallel()
	ours := load(t, "{apiVersion: v1, kind: Service, metadata: {name: a, labels: {meshctl.io/managed-by: meshctl, istio.io/rev: default}}}")
	peer := load(t, "{apiVersion: v1, kind: Service, metadata: {name: a}}")
	if r := Compare(ours, peer); r.Equal != 1 || len(r.Differences) != 0 {
		t.Errorf("result = %+v", r)
	}
}

func load(t *testing.T, s string) []Object {
	t.Helper()
	objects, err := Load([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return objects
}
