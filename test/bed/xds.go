package bed

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	secret "github.com/envoyproxy/go-control-plane/envoy/service/secret/v3"
	"google.golang.org/grpc"
	grpccredentials "google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// xdsRelay stands where pilot-agent stands in a real pod: between an Envoy and its istiod.
type xdsRelay struct {
	discovery.UnimplementedAggregatedDiscoveryServiceServer
	runtime *runtime
	proxy   proxy
}

// serveXDS answers an Envoy's configuration and certificate streams on the socket "xds" in dir.
func (r *runtime) serveXDS(run *podRun, p proxy, dir string) error {
	path := filepath.Join(dir, "xds")
	_ = os.Remove(path)
	l, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	s := grpc.NewServer(grpc.MaxRecvMsgSize(256 << 20))
	discovery.RegisterAggregatedDiscoveryServiceServer(s, &xdsRelay{runtime: r, proxy: p})
	secret.RegisterSecretDiscoveryServiceServer(s, &secrets{bed: r.bed, proxy: p})
	context.AfterFunc(run.ctx, s.Stop)
	go func() { _ = s.Serve(l) }()
	return nil
}

// StreamAggregatedResources passes requests up and responses down, these without the filters this Envoy cannot have.
func (x *xdsRelay) StreamAggregatedResources(down discovery.AggregatedDiscoveryService_StreamAggregatedResourcesServer) error {
	ctx, cancel := context.WithCancel(down.Context())
	defer cancel()
	conn, err := x.runtime.dialIstiod(ctx, x.proxy)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // the streams tell
	up, err := discovery.NewAggregatedDiscoveryServiceClient(conn).StreamAggregatedResources(ctx)
	if err != nil {
		return err
	}
	go func() {
		defer cancel()
		for {
			req, err := down.Recv()
			if err != nil || up.Send(req) != nil {
				return
			}
		}
	}()
	for {
		resp, err := up.Recv()
		if err != nil {
			return err
		}
		if !x.proxy.unfiltered {
			if err := stripFilters(resp); err != nil {
				return err
			}
		}
		if x.runtime.bed.opts.Network != nil {
			if err := destinationFromHeader(resp); err != nil {
				return err
			}
		}
		if err := down.Send(resp); err != nil {
			return err
		}
	}
}

// dialIstiod connects to one istiod behind a discovery address such as istiod-canary.istio-system.svc:15012: on the port
// that asks for no identity, or where there is traffic as the proxy itself, for gateways are given their certificates.
func (r *runtime) dialIstiod(ctx context.Context, p proxy) (*grpc.ClientConn, error) {
	runs, err := r.istiodsBehind(p.discovery)
	if err != nil {
		return nil, err
	}
	run := runs[rand.IntN(len(runs))]
	port, creds := int32(15010), insecure.NewCredentials()
	if r.bed.opts.Network != nil {
		me, err := r.bed.Identity(ctx, p.identity())
		if err != nil {
			return nil, err
		}
		port = 15012
		creds = grpccredentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{me}, InsecureSkipVerify: true}) //nolint:gosec // loopback, our own child
	}
	return grpc.NewClient("passthrough:///istiod", grpc.WithTransportCredentials(creds),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(256<<20)),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return run.dial(ctx, port) }))
}

func (r *runtime) istiodsBehind(address string) ([]*podRun, error) {
	alive := r.istiods()
	if len(alive) == 0 {
		return nil, errors.New("the bed runs no istiod")
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("discovery address %q: %w", address, err)
	}
	names := strings.Split(host, ".")
	if len(names) < 2 {
		return nil, fmt.Errorf("discovery address %q: want SERVICE.NAMESPACE.svc:PORT", address)
	}
	s, err := r.services.Services(names[1]).Get(names[0])
	if err != nil {
		return nil, fmt.Errorf("discovery address %q: %w", address, err)
	}
	behind := map[types.NamespacedName]bool{}
	for _, pod := range r.podsOf(s) {
		behind[types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name}] = true
	}
	var out []*podRun
	for _, run := range alive {
		if behind[run.key] {
			out = append(out, run)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("discovery address %q: no istiod runs behind it", address)
	}
	return out, nil
}

// discoveryAddress is where proxies made by the bed look for istiod: the first Service of one.
func (r *runtime) discoveryAddress() (string, error) {
	services, err := r.services.List(labels.Everything())
	if err != nil {
		return "", err
	}
	best := ""
	for _, s := range services {
		if len(r.podsOf(s)) == 0 || s.Spec.Selector["app"] != "istiod" || !hasPort(s, 15012) {
			continue
		}
		if name := s.Name + "." + s.Namespace + ".svc:15012"; best == "" || name < best {
			best = name
		}
	}
	if best == "" {
		return "", errors.New("no Service of an istiod with a pod in this bed: install Istio first")
	}
	return best, nil
}

func hasPort(s *corev1.Service, port int32) bool {
	for _, p := range s.Spec.Ports {
		if p.Port == port {
			return true
		}
	}
	return false
}
