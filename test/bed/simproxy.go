package bed

import (
	"context"
	"fmt"
	"net"
	"slices"
	"time"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"
)

type behaviour int

const (
	ack behaviour = iota
	nack
	stale
)

// rejection is what an Envoy says of a listener whose filter it does not know.
const rejection = `Error adding/updating listener(s) virtualInbound: Didn't find a registered implementation for 'bed.unknown_filter' with type URL: 'bed.UnknownFilter'`

// simProxy is one simulated proxy: what it subscribes to is what an Envoy would.
type simProxy struct {
	namespace, name string
	index           int
	behave          behaviour
}

// run keeps the proxy connected until ctx is done, and says in ready when it first has everything.
func (c *simProxy) run(ctx context.Context, istiod *podRun, ready chan<- error) {
	first := ready
	for ctx.Err() == nil {
		err := c.connect(ctx, istiod, func() {
			if first != nil {
				first <- nil
				first = nil
			}
		})
		if busy := status.Code(err) == codes.ResourceExhausted; err != nil && first != nil && !busy && ctx.Err() == nil {
			first <- fmt.Errorf("%s.%s: %w", c.name, c.namespace, err)
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(reconnectDelay):
		}
	}
}

func (c *simProxy) connect(ctx context.Context, istiod *podRun, complete func()) error {
	conn, err := grpc.NewClient("passthrough:///istiod", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(256<<20)), grpc.WithReadBufferSize(4<<10), grpc.WithWriteBufferSize(4<<10),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return istiod.dial(ctx, 15010) }))
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // the streams tell
	stream, err := discovery.NewAggregatedDiscoveryServiceClient(conn).StreamAggregatedResources(ctx)
	if err != nil {
		return err
	}
	node, err := c.node()
	if err != nil {
		return err
	}
	s := &session{proxy: c, stream: stream, complete: complete, asked: map[string][]string{},
		answers: map[string]*discovery.DiscoveryResponse{}}
	for _, t := range []string{clusterType, lisType} {
		if err := stream.Send(&discovery.DiscoveryRequest{Node: node, TypeUrl: t}); err != nil {
			return err
		}
		node = nil // only the first request says who
	}
	for {
		resp, err := stream.Recv()
		if err != nil {
			return err
		}
		if err := s.handle(resp); err != nil {
			return err
		}
	}
}

func (c *simProxy) node() (*corev3.Node, error) {
	ip := fmt.Sprintf("10.120.%d.%d", c.index/250, c.index%250+1)
	meta, err := structpb.NewStruct(map[string]any{
		"NAME": c.name, "NAMESPACE": c.namespace, "ISTIO_VERSION": istioVersion, "CLUSTER_ID": "Kubernetes", "SERVICE_ACCOUNT": "default",
		"INSTANCE_IPS": ip, "LABELS": map[string]any{"app": c.name}, "PROXY_CONFIG": map[string]any{"serviceCluster": c.name + "." + c.namespace},
		"INTERCEPTION_MODE": "REDIRECT", "MESH_ID": "cluster.local",
	})
	id := proxy{role: "sidecar", ip: ip, name: c.name, namespace: c.namespace}.nodeID()
	return &corev3.Node{Id: id, Cluster: c.name + "." + c.namespace, Metadata: meta}, err
}

// session is one connection's state.
type session struct {
	proxy    *simProxy
	stream   discovery.AggregatedDiscoveryService_StreamAggregatedResourcesClient
	answers  map[string]*discovery.DiscoveryResponse // the last per type URL, without its resources
	asked    map[string][]string                     // resource names per type URL
	complete func()
}

// handle asks for what a push refers to, then acknowledges it, rejects it, or says nothing.
func (s *session) handle(resp *discovery.DiscoveryResponse) error {
	first := s.answers[resp.TypeUrl] == nil
	s.answers[resp.TypeUrl] = &discovery.DiscoveryResponse{VersionInfo: resp.VersionInfo, Nonce: resp.Nonce}
	if first || s.proxy.behave != stale {
		if err := s.followUp(resp); err != nil {
			return err
		}
	}
	if len(s.answers) == 4 {
		s.complete()
	}
	if s.proxy.behave == stale {
		return nil
	}
	return s.stream.Send(s.request(resp.TypeUrl))
}

// request answers the last push of a type.
func (s *session) request(typeURL string) *discovery.DiscoveryRequest {
	req := &discovery.DiscoveryRequest{TypeUrl: typeURL, ResourceNames: s.asked[typeURL]}
	if last := s.answers[typeURL]; last != nil {
		req.VersionInfo, req.ResponseNonce = last.VersionInfo, last.Nonce
	}
	if s.proxy.behave == nack && typeURL == lisType {
		req.VersionInfo = ""
		req.ErrorDetail = &rpcstatus.Status{Code: int32(codes.Internal), Message: rejection}
	}
	return req
}

// followUp subscribes to the endpoints of the clusters, or the routes of the listeners, in a push.
func (s *session) followUp(resp *discovery.DiscoveryResponse) error {
	next := map[string]string{clusterType: epType, lisType: routeType}[resp.TypeUrl]
	if next == "" {
		return nil
	}
	names := namesIn(resp)
	slices.Sort(names)
	names = slices.Compact(names)
	if slices.Equal(names, s.asked[next]) {
		if len(names) == 0 && s.answers[next] == nil {
			s.answers[next] = &discovery.DiscoveryResponse{} // nothing to ask for
		}
		return nil
	}
	s.asked[next] = names
	return s.stream.Send(s.request(next))
}

// namesIn returns what the resources refer to by name: a cluster's endpoints, a listener's routes.
func namesIn(resp *discovery.DiscoveryResponse) []string {
	var names []string
	for _, any := range resp.Resources {
		switch resp.TypeUrl {
		case clusterType:
			c := &cluster.Cluster{}
			if any.UnmarshalTo(c) == nil && c.GetType() == cluster.Cluster_EDS {
				names = append(names, orDefault(c.GetEdsClusterConfig().GetServiceName(), c.Name))
			}
		case lisType:
			l := &listener.Listener{}
			if any.UnmarshalTo(l) == nil {
				names = append(names, routesOf(l)...)
			}
		}
	}
	return names
}

func routesOf(l *listener.Listener) []string {
	var names []string
	for _, chain := range append(l.FilterChains, l.DefaultFilterChain) {
		for _, f := range chain.GetFilters() {
			h := &hcm.HttpConnectionManager{}
			if f.GetTypedConfig().GetTypeUrl() == hcmType && f.GetTypedConfig().UnmarshalTo(h) == nil && h.GetRds() != nil {
				names = append(names, h.GetRds().RouteConfigName)
			}
		}
	}
	return names
}
