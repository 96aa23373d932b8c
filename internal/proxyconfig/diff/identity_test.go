package diff

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// podDump is the dump of a pod of a workload, with more beside its bootstrap.
func podDump(workload, pod, ip, node, hash string, more ...string) string {
	bootstrap := fmt.Sprintf(`bootstrap {"node":{"id":"sidecar~%[3]s~%[2]s.shop~shop.svc.cluster.local","extensions":[{"name":"%[2]s"}],
		"metadata":{"NAME":"%[2]s","NAMESPACE":"shop","WORKLOAD_NAME":"%[1]s","OWNER":"kubernetes://%[1]s","NODE_NAME":"%[4]s","INSTANCE_IPS":"%[3]s","LABELS":{"pod-template-hash":"%[5]s"}}}}`,
		workload, pod, ip, node, hash)
	return dumpOf(append([]string{bootstrap}, more...)...)
}

// inbound is a listener that names an address, as those of a pod and of headless Services do.
func inbound(name, ip string) string {
	return fmt.Sprintf(`dynamic_listeners {"name":"%[1]s","active_state":{"listener":{"name":"%[1]s","address":{"socket_address":{"address":"%[2]s","port_value":80}},"x":"%[2]s_80"}}}`, name, ip)
}

func endpoints(ips ...string) string {
	var all []string
	for _, ip := range ips {
		all = append(all, fmt.Sprintf(`{"endpoint":{"address":{"socket_address":{"address":%q,"port_value":80}}}}`, ip))
	}
	return `dynamic_endpoint_configs {"cluster_name":"outbound|80||web.shop.svc.cluster.local","endpoints":[{"lb_endpoints":[` + strings.Join(all, ",") + `]}]}`
}

func TestPodsOfOneWorkload(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		a, b string
		raw  bool
		want []string
	}{
		"nothing but themselves": {a: podDump("web", "web-1", "10.0.0.1", "n1", "x"), b: podDump("web", "web-2", "10.0.0.12", "n2", "y")},
		"their own address":      {a: podDump("web", "web-1", "10.0.0.1", "n1", "x", inbound("in", "10.0.0.1")), b: podDump("web", "web-2", "10.0.0.12", "n1", "x", inbound("in", "10.0.0.12"))},
		"each other's address":   {a: podDump("web", "web-1", "10.0.0.1", "n1", "x", inbound("peer", "10.0.0.12")), b: podDump("web", "web-2", "10.0.0.12", "n1", "x", inbound("peer", "10.0.0.1"))},
		"an address that begins as their own": {a: podDump("web", "web-1", "10.0.0.1", "n1", "x", inbound("in", "10.0.0.19")), b: podDump("web", "web-2", "10.0.0.2", "n1", "x", inbound("in", "10.0.0.29")),
			want: []string{`Istio itself: changed listener in: address.socket_address.address: 10.0.0.19 -> 10.0.0.29`, `Istio itself: changed listener in: x: 10.0.0.19_80 -> 10.0.0.29_80`}},
		"both as endpoints": {a: podDump("web", "web-1", "10.0.0.1", "n1", "x", endpoints("10.0.0.1", "10.0.0.2")), b: podDump("web", "web-2", "10.0.0.2", "n1", "x", endpoints("10.0.0.2", "10.0.0.1"))},
		"an endpoint that one lacks": {a: podDump("web", "web-1", "10.0.0.1", "n1", "x", endpoints("10.0.0.1", "10.0.0.2")), b: podDump("web", "web-2", "10.0.0.2", "n1", "x", endpoints("10.0.0.2")),
			want: []string{`Service web.shop: removed endpoints of outbound|80||web.shop.svc.cluster.local: endpoint 10.0.0.1:80 in endpoints[0]`}},
		"the hash of another ReplicaSet, raw": {a: podDump("web", "web-1", "10.0.0.1", "n1", "x"), b: podDump("web", "web-1", "10.0.0.1", "n1", "y"), raw: true,
			want: []string{`Istio itself: changed bootstrap: node.metadata.LABELS.pod-template-hash: x -> y`}},
		"another workload": {a: podDump("web", "p", "10.0.0.1", "n1", "x"), b: podDump("api", "p", "10.0.0.1", "n1", "x"),
			want: []string{`Istio itself: changed bootstrap: node.metadata.OWNER: kubernetes://web -> kubernetes://api`, `Istio itself: changed bootstrap: node.metadata.WORKLOAD_NAME: web -> api`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := compared(t, c.a, c.b, Options{Raw: c.raw})
			if d := cmp.Diff(c.want, r.lines()); d != "" {
				t.Error(d)
			}
			if raw := compared(t, c.a, c.b, Options{Raw: true}); raw.Same || len(raw.Normalised) > 0 {
				t.Errorf("raw: same %v, normalised %v", raw.Same, raw.Normalised)
			}
		})
	}
}

func TestNormalisedIsSaid(t *testing.T) {
	t.Parallel()
	r := compared(t, podDump("web", "web-1", "10.0.0.1", "n1", "x"), podDump("web", "web-2", "10.0.0.2", "n2", "x"), Options{})
	want := []Normalised{
		{"node id", "sidecar~10.0.0.1~web-1.shop~shop.svc.cluster.local", "sidecar~10.0.0.2~web-2.shop~shop.svc.cluster.local"},
		{"pod name", "web-1", "web-2"}, {"pod address", "10.0.0.1", "10.0.0.2"}, {"Kubernetes node", "n1", "n2"},
	}
	if d := cmp.Diff(want, r.Normalised); d != "" {
		t.Error(d)
	}
}

// TestParts: a part that one side lacks is named, and empty where the dump is whole.
func TestParts(t *testing.T) {
	t.Parallel()
	with := dumpOf(endpoints("10.0.0.1"), `dynamic_active_clusters {"name":"a"}`)
	without := strings.ReplaceAll(dumpOf(`dynamic_active_clusters {"name":"a"}`), "EndpointsConfigDump", "OtherConfigDump")
	r := compared(t, with, without, Options{})
	if r.Complete || !r.Same || r.section("endpoints").Skipped != "B does not have this part" {
		t.Errorf("complete %v, same %v, %+v", r.Complete, r.Same, r.section("endpoints"))
	}
	if r := compared(t, with, without, Options{Only: []string{"clusters"}}); !r.Complete || !r.Same {
		t.Errorf("only clusters: complete %v, same %v", r.Complete, r.Same)
	}
	if r := compared(t, with, strings.ReplaceAll(with, "ListenersConfigDump", "OtherConfigDump"), Options{}); !r.Complete {
		t.Error("a whole dump without listeners has none")
	}
}

// TestServed: what Envoy has from elsewhere is no difference to what istiod sends.
func TestServed(t *testing.T) {
	t.Parallel()
	istiod := dumpOf(`dynamic_active_clusters {"name":"web","type":"EDS"}`,
		`dynamic_endpoint_configs {"cluster_name":"web","endpoints":[{"locality":{},"load_balancing_weight":1,"lb_endpoints":[{"endpoint":{"address":{"socket_address":{"address":"10.0.0.1","port_value":80}}},"load_balancing_weight":1}]}]}`)
	envoy := dumpOf(`dynamic_active_clusters {"name":"web","type":"EDS"}`, `bootstrap {"node":{"id":"x"}}`, `dynamic_active_secrets {"name":"default"}`,
		`dynamic_endpoint_configs {"cluster_name":"web","policy":{"overprovisioning_factor":140},"endpoints":[{"lb_endpoints":[{"health_status":"HEALTHY","endpoint":{"health_check_config":{},"address":{"socket_address":{"address":"10.0.0.1","port_value":80}}}}]}]}`,
		`dynamic_endpoint_configs {"cluster_name":"static","endpoints":[]}`)
	if r := compared(t, istiod, envoy, Options{Served: true}); !r.Same || !r.Complete {
		t.Errorf("complete %v; they differ:\n%s", r.Complete, strings.Join(r.lines(), "\n"))
	}
	more := dumpOf(`dynamic_active_clusters {"name":"web","type":"EDS"}`, `dynamic_active_clusters {"name":"old"}`)
	want := []string{"Istio itself: added cluster old: cluster old", "Istio itself: removed endpoints of web: endpoints of web"}
	if d := cmp.Diff(want, compared(t, istiod, more, Options{Served: true}).lines()); d != "" {
		t.Error(d)
	}
}
