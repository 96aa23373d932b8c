package trace

import (
	"net/netip"
	"testing"
)

// A waypoint reads what comes out of its tunnel in a listener of its own,
// whose chains stand for services.
func TestWaypoint(t *testing.T) {
	t.Parallel()
	const dump = `{"configs":[
	{"@type":"x.BootstrapConfigDump","bootstrap":{"node":{"id":"waypoint~10.0.0.9~w.shop~shop.svc.cluster.local"}}},
	{"@type":"x.ClustersConfigDump","dynamic_active_clusters":[{"cluster":{"name":"c","type":"STATIC","load_assignment":{"endpoints":[{"lb_endpoints":[{"endpoint":{"address":{"socket_address":{"address":"10.1.1.1","port_value":80}}}}]}]}}}]},
	{"@type":"x.ListenersConfigDump","dynamic_listeners":[{"name":"main_internal","active_state":{"listener":{"name":"main_internal","internal_listener":{},
		"filter_chain_matcher":{"matcher_tree":{"input":{"typed_config":{"@type":"x.DestinationIPInput"}},"exact_match_map":{"map":{"10.9.9.9":{"action":{"typed_config":{"@type":"x.StringValue","value":"inbound-vip|80|tcp|db.shop.svc.cluster.local"}}}}}}},
		"filter_chains":[{"name":"inbound-vip|80|tcp|db.shop.svc.cluster.local","filters":[{"typed_config":{"@type":"x.TcpProxy","cluster":"c"}}]}]}}}]}]}`
	d := readDump(t, "waypoint", []byte(dump))
	for _, tc := range []struct {
		ip   netip.Addr
		host string
		want Kind
	}{
		{netip.Addr{}, "db", Forwarded},
		{netip.Addr{}, "db.shop", Forwarded},
		{netip.Addr{}, "other", Undecidable},
		{netip.MustParseAddr("10.9.9.9"), "x", Forwarded},
		{netip.MustParseAddr("10.9.9.8"), "db", Closed},
	} {
		r, err := ParseRequest([]string{"tcp://" + tc.host + ":80"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Address = tc.ip
		if got := Start(d, r); got.Outcome.Kind != tc.want {
			t.Errorf("%s %s: %s: %s", tc.ip, tc.host, got.Outcome.Kind, got.Verdict)
		}
	}
}
