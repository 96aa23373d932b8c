package bed

import (
	"strings"

	udpa "github.com/cncf/xds/go/udpa/type/v1"
	xdstype "github.com/cncf/xds/go/xds/type/v3"
	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

const (
	typePrefix  = "type.googleapis.com/"
	clusterType = typePrefix + "envoy.config.cluster.v3.Cluster"
	lisType     = typePrefix + "envoy.config.listener.v3.Listener"
	routeType   = typePrefix + "envoy.config.route.v3.RouteConfiguration"
	epType      = typePrefix + "envoy.config.endpoint.v3.ClusterLoadAssignment"
	hcmType     = typePrefix + "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
)

// stripFilters takes out of listeners and clusters the filters that only Istio's build of Envoy has.
func stripFilters(resp *discovery.DiscoveryResponse) error {
	for i, any := range resp.Resources {
		var m proto.Message
		var strip func() error
		switch resp.TypeUrl {
		case lisType:
			l := &listener.Listener{}
			m, strip = l, func() error { return stripListener(l) }
		case clusterType:
			c := &cluster.Cluster{}
			m, strip = c, func() error {
				kept := c.Filters[:0]
				for _, f := range c.Filters {
					if f.TypedConfig == nil || inUpstreamEnvoy(f.TypedConfig) {
						kept = append(kept, f)
					}
				}
				c.Filters = kept
				return nil
			}
		default:
			return nil
		}
		if err := any.UnmarshalTo(m); err != nil {
			return err
		}
		if err := strip(); err != nil {
			return err
		}
		out, err := anypb.New(m)
		if err != nil {
			return err
		}
		resp.Resources[i] = out
	}
	return nil
}

func stripListener(l *listener.Listener) error {
	chains := l.FilterChains
	if l.DefaultFilterChain != nil {
		chains = append(chains[:len(chains):len(chains)], l.DefaultFilterChain)
	}
	for _, chain := range chains {
		kept := chain.Filters[:0]
		for _, f := range chain.Filters {
			if f.GetTypedConfig() != nil && !inUpstreamEnvoy(f.GetTypedConfig()) {
				continue
			}
			if err := stripHTTP(f); err != nil {
				return err
			}
			kept = append(kept, f)
		}
		chain.Filters = kept
	}
	return nil
}

func stripHTTP(f *listener.Filter) error {
	if f.GetTypedConfig().GetTypeUrl() != hcmType {
		return nil
	}
	h := &hcm.HttpConnectionManager{}
	if err := f.GetTypedConfig().UnmarshalTo(h); err != nil {
		return err
	}
	kept := h.HttpFilters[:0]
	for _, hf := range h.HttpFilters {
		if hf.GetTypedConfig() == nil || inUpstreamEnvoy(hf.GetTypedConfig()) {
			kept = append(kept, hf)
		}
	}
	h.HttpFilters = kept
	out, err := anypb.New(h)
	if err != nil {
		return err
	}
	f.ConfigType = &listener.Filter_TypedConfig{TypedConfig: out}
	return nil
}

// inUpstreamEnvoy tells by the type of its configuration whether upstream Envoy has an extension.
func inUpstreamEnvoy(config *anypb.Any) bool {
	name := config.TypeUrl
	switch {
	case config.MessageIs(&udpa.TypedStruct{}):
		t := &udpa.TypedStruct{}
		if config.UnmarshalTo(t) == nil {
			name = t.TypeUrl
		}
	case config.MessageIs(&xdstype.TypedStruct{}):
		t := &xdstype.TypedStruct{}
		if config.UnmarshalTo(t) == nil {
			name = t.TypeUrl
		}
	}
	name = strings.TrimPrefix(name, typePrefix)
	return strings.HasPrefix(name, "envoy.extensions.") || strings.HasPrefix(name, "envoy.config.") || strings.HasPrefix(name, "xds.")
}
