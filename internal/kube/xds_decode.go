package kube

import (
	"fmt"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	status "github.com/envoyproxy/go-control-plane/envoy/service/status/v3"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// decodeSync is an istiod's answer in a plain form.
func decodeSync(answer *discovery.DiscoveryResponse) (*XDSSync, error) {
	sync := &XDSSync{Proxies: make([]XDSProxy, 0, len(answer.GetResources()))}
	sync.Istiod, sync.Version = identity(answer)
	for _, resource := range answer.GetResources() {
		var client status.ClientConfig
		if err := resource.UnmarshalTo(&client); err != nil {
			return nil, fmt.Errorf("reading the state of a proxy: %w", err)
		}
		sync.Proxies = append(sync.Proxies, xdsProxy(&client))
	}
	return sync, nil
}

func xdsProxy(client *status.ClientConfig) XDSProxy {
	meta := client.GetNode().GetMetadata().GetFields()
	p := XDSProxy{
		ID: client.GetNode().GetId(), Namespace: meta["NAMESPACE"].GetStringValue(),
		Cluster: meta["CLUSTER_ID"].GetStringValue(), Version: meta["ISTIO_VERSION"].GetStringValue(),
	}
	for _, g := range client.GetGenericXdsConfigs() {
		p.Types = append(p.Types, xdsType(g.GetTypeUrl(), g.GetConfigStatus(), g.GetLastUpdated(), g.GetErrorState().GetDetails()))
	}
	if len(p.Types) > 0 {
		return p
	}
	for _, old := range client.GetXdsConfig() { //nolint:staticcheck // istiods before 1.16 answer like this
		if url := oldTypeURL(old); url != "" {
			p.Types = append(p.Types, xdsType(url, old.GetStatus(), nil, ""))
		}
	}
	return p
}

func xdsType(url string, state status.ConfigStatus, sent *timestamppb.Timestamp, failed string) XDSType {
	t := XDSType{URL: url, State: state.String(), Error: failed}
	if sent != nil {
		t.Sent = sent.AsTime()
	}
	return t
}

// oldTypeURL is the type that an answer of the older form is about.
func oldTypeURL(c *status.PerXdsConfig) string {
	const prefix = "type.googleapis.com/envoy.config."
	switch c.GetPerXdsConfig().(type) {
	case *status.PerXdsConfig_ClusterConfig:
		return prefix + "cluster.v3.Cluster"
	case *status.PerXdsConfig_ListenerConfig:
		return prefix + "listener.v3.Listener"
	case *status.PerXdsConfig_RouteConfig:
		return prefix + "route.v3.RouteConfiguration"
	case *status.PerXdsConfig_EndpointConfig:
		return prefix + "endpoint.v3.ClusterLoadAssignment"
	}
	return ""
}
