package e2e

import (
	"testing"

	"github.com/meshctl/meshctl/test/bed"
)

const catalogPolicies = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: readers, namespace: shop}
spec:
  selector: {matchLabels: {app: catalog}}
  action: ALLOW
  rules:
  - from: [{source: {principals: [cluster.local/ns/shop/sa/frontend]}}]
    to: [{operation: {methods: [GET]}}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no-admin, namespace: shop}
spec:
  selector: {matchLabels: {app: catalog}}
  action: DENY
  rules:
  - to: [{operation: {paths: ["/admin*"]}}]
`

// TestTraceNamesThePolicy asks real proxies where requests go before and after
// there are AuthorizationPolicies, and what their gateway serves.
func TestTraceNamesThePolicy(t *testing.T) {
	t.Parallel()
	b, m := onBed(t, bed.Options{})
	j := &job{meshctl: m, bed: b}
	j.want(t, 0, "install", "--set", "profile=default", "-y", "-q")
	j.apply(t, "shop.yaml")
	for _, name := range []string{"frontend", "catalog-v1", "catalog-v2"} {
		j.ready(t, "shop", name)
	}
	j.apply(t, "mesh.yaml")
	ask := func(words ...string) []string {
		return append([]string{"trace", "--from", "deploy/frontend", "-n", "shop", "--"}, words...)
	}

	r := j.eventually(t, 0, ask("GET", "http://catalog/admin")...)
	contains(t, "before any policy", r.stdout, "mutual TLS", "it reaches catalog-v")

	applyText(t, b.REST(), catalogPolicies)
	r = j.eventually(t, 1, ask("GET", "http://catalog/admin/users")...)
	contains(t, "a DENY policy", r.stdout, "403: denied by AuthorizationPolicy no-admin.shop rule 0")
	r = j.eventually(t, 1, ask("POST", "http://catalog/items")...)
	contains(t, "no ALLOW policy", r.stdout, "403: denied, since no ALLOW policy matches", `AuthorizationPolicy readers.shop rule 0: the method is "POST", not "GET"`)
	r = j.want(t, 0, ask("GET", "http://catalog/items")...)
	contains(t, "an ALLOW policy", r.stdout, "allowed by AuthorizationPolicy readers.shop rule 0")

	gateway := []string{"routes", "deploy/istio-ingressgateway", "-n", "istio-system", "--host"}
	r = j.eventually(t, 0, append(gateway, "shop.example.com")...)
	contains(t, "routes", r.stdout, "frontend.shop:80", "VirtualService frontend.shop")
	r = j.want(t, 1, append(gateway, "other.example.com")...)
	contains(t, "no route", r.stdout, "is for other.example.com")
}
