package trace

import (
	"strings"
	"testing"

	"github.com/meshctl/meshctl/internal/proxyconfig"
)

// What this Envoy sees of an endpoint's health counts more than what istiod told it.
func TestHealthAsTheProxySeesIt(t *testing.T) {
	t.Parallel()
	const dump = `{"configs":[
	{"@type":"x.ClustersConfigDump","dynamic_active_clusters":[{"cluster":{"name":"c","type":"EDS","common_lb_config":{"healthy_panic_threshold":{}}}}]},
	{"@type":"x.EndpointsConfigDump","dynamic_endpoint_configs":[{"endpoint_config":{"cluster_name":"c","endpoints":[{"lb_endpoints":[
		{"endpoint":{"address":{"socket_address":{"address":"10.1.1.1","port_value":80}}},"health_status":"HEALTHY"},
		{"endpoint":{"address":{"socket_address":{"address":"10.1.1.2","port_value":80}}},"health_status":"HEALTHY"}]}]}}]}]}`
	host := func(ip, health string) string {
		return `{"address":{"socket_address":{"address":"` + ip + `","port_value":80}},"health_status":{` + health + `}}`
	}
	for _, tc := range []struct {
		name, first, second string
		want                Kind
		rejected            string
	}{
		{"both healthy", `"eds_health_status":"HEALTHY"`, `"eds_health_status":"HEALTHY"`, Forwarded, ""},
		{"one ejected", `"failed_outlier_check":true`, `"eds_health_status":"HEALTHY"`, Forwarded, "10.1.1.1:80 it is ejected"},
		{"one fails its health check", `"eds_health_status":"HEALTHY"`, `"failed_active_health_check":true`, Forwarded, "10.1.1.2:80 it is unhealthy"},
		{"both ejected", `"failed_outlier_check":true`, `"failed_outlier_check":true`, NoEndpoint, "10.1.1.2:80 it is ejected"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			d := readDump(t, "d", []byte(dump))
			status := `{"cluster_statuses":[{"name":"c","host_statuses":[` + host("10.1.1.1", tc.first) + `,` + host("10.1.1.2", tc.second) + `]}]}`
			if err := d.AddStatus(proxyconfig.Source{Name: "s", Reader: strings.NewReader(status)}); err != nil {
				t.Fatal(err)
			}
			w := newWalker(d, "client", &Request{}, &Connection{})
			targets := []Target{{Cluster: "c", Share: 100}}
			w.resolve(targets)
			w.settle(targets, nil)
			rejected := ""
			for _, s := range w.walk.Steps {
				for _, c := range s.Rejected {
					rejected = c.Name + " " + c.Why
				}
			}
			if o := w.done().Outcome; o.Kind != tc.want || rejected != tc.rejected {
				t.Errorf("got %s, %q; want %s, %q", o.Kind, rejected, tc.want, tc.rejected)
			}
		})
	}
}
