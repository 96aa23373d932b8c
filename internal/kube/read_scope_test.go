package kube

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/meshctl/meshctl/internal/kube/apitest"
	"github.com/meshctl/meshctl/internal/mesh"
)

const scopedMesh = `{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: stock}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: edge}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: doors}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: elsewhere}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: istio-system}}
---
{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: cart, namespace: shop}, spec: {hosts: [cart], gateways: [edge/public], http: [{route: [{destination: {host: items.stock.svc.cluster.local}}]}]}}
---
{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: public, namespace: edge}, spec: {selector: {istio: door}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: door, namespace: doors, labels: {istio: door}}, spec: {containers: [{name: istio-proxy, image: auto}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: items, namespace: stock}, spec: {ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: other, namespace: elsewhere}, spec: {ports: [{port: 80}]}}
`

// TestOneNamespaceIsReadWithWhatItRefersTo: and nothing of the rest.
func TestOneNamespaceIsReadWithWhatItRefersTo(t *testing.T) {
	t.Parallel()
	server, err := apitest.New(scopedMesh)
	if err != nil {
		t.Fatal(err)
	}
	file, err := apitest.Kubeconfig(t.TempDir(), []string{"c"}, map[string]string{"c": server.Start(t)})
	if err != nil {
		t.Fatal(err)
	}
	flags := genericclioptions.NewConfigFlags(false)
	flags.KubeConfig = &file
	live, err := NewClient(flags, 0).Read(t.Context(), ReadOptions{
		Kinds: []mesh.Kind{mesh.Service, mesh.VirtualService, mesh.Gateway, mesh.Pod}, Only: []string{"shop"}, IstioNamespace: "istio-system",
	})
	if err != nil {
		t.Fatal(err)
	}
	in := slices.Sorted(slices.Values(live.ReadIn[mesh.Service]))
	if want := []string{"doors", "edge", "istio-system", "shop", "stock"}; !slices.Equal(in, want) {
		t.Errorf("Services were read in %v, want %v", in, want)
	}
	if slices.Contains(live.Read, mesh.Service) || !slices.Contains(live.Read, mesh.Gateway) {
		t.Errorf("read everywhere: %v", live.Read)
	}
	for _, path := range server.Asked() {
		if strings.Contains(path, "elsewhere") || strings.HasSuffix(path, "/v1/services") {
			t.Errorf("it asked for %s", path)
		}
	}
	if n := count(live, mesh.Service); n != 1 {
		t.Errorf("%d Services, want 1", n)
	}
}
