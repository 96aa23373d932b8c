package kube

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	status "github.com/envoyproxy/go-control-plane/envoy/service/status/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	grpccredentials "google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	grpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/meshctl/meshctl/internal/hint"
)

// ads answers questions for the sync state as istiod does.
type ads struct {
	discovery.UnimplementedAggregatedDiscoveryServiceServer
	// wants is the token that a caller must have; "" is none.
	wants string
	// certificate says that a caller must have one.
	certificate, silent bool
}

func (a *ads) StreamAggregatedResources(s discovery.AggregatedDiscoveryService_StreamAggregatedResourcesServer) error {
	request, err := s.Recv()
	if err != nil {
		return err
	}
	md, _ := metadata.FromIncomingContext(s.Context())
	if token := strings.Join(md["authorization"], ""); a.wants != "" && token != "Bearer "+a.wants {
		return grpcstatus.Error(codes.Unauthenticated, "who is this?")
	}
	p, _ := peer.FromContext(s.Context())
	if info, ok := p.AuthInfo.(grpccredentials.TLSInfo); a.certificate && (!ok || len(info.State.PeerCertificates) == 0) {
		return grpcstatus.Error(codes.Unauthenticated, "no certificate")
	}
	if a.silent {
		<-s.Context().Done()
		return nil
	}
	if request.GetTypeUrl() != "istio.io/debug/syncz" || request.GetNode().GetMetadata().GetFields()["GENERATOR"].GetStringValue() != "event" {
		return grpcstatus.Error(codes.InvalidArgument, "not asked as istioctl asks")
	}
	if err := s.Send(&discovery.DiscoveryResponse{TypeUrl: "something/else"}); err != nil {
		return err
	}
	return s.Send(syncAnswer())
}

func syncAnswer() *discovery.DiscoveryResponse {
	meta, _ := structpb.NewStruct(map[string]any{"CLUSTER_ID": "east", "NAMESPACE": "shop", "ISTIO_VERSION": "1.31.1"})
	sent := timestamppb.New(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	one, _ := anypb.New(&status.ClientConfig{
		Node: &core.Node{Id: "web-1.shop", Metadata: meta},
		GenericXdsConfigs: []*status.ClientConfig_GenericXdsConfig{
			{TypeUrl: "type.googleapis.com/envoy.config.cluster.v3.Cluster", ConfigStatus: status.ConfigStatus_SYNCED, LastUpdated: sent},
			{TypeUrl: "type.googleapis.com/envoy.config.listener.v3.Listener", ConfigStatus: status.ConfigStatus_ERROR},
		},
	})
	old, _ := anypb.New(&status.ClientConfig{
		Node: &core.Node{Id: "old-1.shop"},
		XdsConfig: []*status.PerXdsConfig{ //nolint:staticcheck // as istiods before 1.16 answer
			{Status: status.ConfigStatus_STALE, PerXdsConfig: &status.PerXdsConfig_RouteConfig{}},
			{Status: status.ConfigStatus_SYNCED},
		},
	})
	return &discovery.DiscoveryResponse{
		TypeUrl: "istio.io/debug/syncz", Resources: []*anypb.Any{one, old},
		ControlPlane: &core.ControlPlane{Identifier: `{"Component":"istiod","ID":"istiod-1","Info":{"version":"1.31.1"}}`},
	}
}

// serve listens on loopback until the test ends.
func (a *ads) serve(t *testing.T, options ...grpc.ServerOption) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(options...)
	discovery.RegisterAggregatedDiscoveryServiceServer(s, a)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return l.Addr().String()
}

// certDir has a certificate for a name, its key and its issuer, as --cert-dir
// wants them.
func certDir(t *testing.T, name string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for file, block := range map[string]*pem.Block{
		"cert-chain.pem": {Type: "CERTIFICATE", Bytes: certificate}, "root-cert.pem": {Type: "CERTIFICATE", Bytes: certificate}, "key.pem": {Type: "EC PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(filepath.Join(dir, file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func serverTLS(t *testing.T, dir string) grpc.ServerOption {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert-chain.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return grpc.Creds(grpccredentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12}))
}

func TestXDSSync(t *testing.T) {
	t.Parallel()
	dir := certDir(t, "istiod.istio-system.svc")
	token := func(context.Context) (string, error) { return "secret", nil }
	plain := (&ads{}).serve(t)
	byToken := (&ads{wants: "secret"}).serve(t, serverTLS(t, dir))
	byCertificate := (&ads{certificate: true}).serve(t, serverTLS(t, dir))
	silent := (&ads{silent: true}).serve(t)
	unused, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = unused.Close()
	for _, c := range []struct {
		name string
		x    XDS
		want string // part of the error, "" for an answer
	}{
		{"in plain text", XDS{Address: plain, Plaintext: true}, ""},
		{"a token", XDS{Address: byToken, Insecure: true, Token: token}, ""},
		{"no token", XDS{Address: byToken, Insecure: true}, "refused: who is this?"},
		{"a certificate", XDS{Address: byCertificate, CertDir: dir, Authority: "istiod.istio-system.svc"}, ""},
		{"no certificate", XDS{Address: byCertificate, Insecure: true, Token: token}, "refused: no certificate"},
		{"another name", XDS{Address: byCertificate, CertDir: dir, Authority: "istiod.other.svc"}, "x509: certificate is valid for istiod.istio-system.svc, not istiod.other.svc"},
		{"an unknown issuer", XDS{Address: byToken, Token: token, Authority: "istiod.istio-system.svc"}, "x509: "},
		{"no TLS", XDS{Address: plain, Token: token, Insecure: true}, "tls: "},
		{"nobody there", XDS{Address: unused.Addr().String(), Plaintext: true}, "connection refused"},
		{"no answer", XDS{Address: silent, Plaintext: true}, "no answer before the deadline"},
		{"no such directory", XDS{Address: byToken, CertDir: t.TempDir()}, "there is no cert-chain.pem"},
		{"no token to be had", XDS{Address: byToken, Insecure: true, Token: func(context.Context) (string, error) { return "", errors.New("forbidden") }}, "forbidden"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			limit := time.Minute
			if strings.Contains(c.want, "deadline") {
				limit = 200 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			got, err := (*Client)(nil).XDSSync(ctx, Istiod{}, c.x)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Fatalf("%v, want %q", err, c.want)
				}
				if hint.Of(err) == "" && c.want != "forbidden" {
					t.Errorf("no hint: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			checkSync(t, got)
		})
	}
}

func checkSync(t *testing.T, got *XDSSync) {
	t.Helper()
	if got.Istiod != "istiod-1" || got.Version != "1.31.1" || len(got.Proxies) != 2 {
		t.Fatalf("%+v", got)
	}
	p := got.Proxies[0]
	if p.ID != "web-1.shop" || p.Cluster != "east" || p.Namespace != "shop" || p.Version != "1.31.1" || len(p.Types) != 2 {
		t.Errorf("%+v", p)
	}
	if p.Types[0].State != "SYNCED" || p.Types[0].Sent.Year() != 2026 || p.Types[1].State != "ERROR" || !p.Types[1].Sent.IsZero() {
		t.Errorf("%+v", p.Types)
	}
	if old := got.Proxies[1]; len(old.Types) != 1 || old.Types[0].State != "STALE" || !strings.HasSuffix(old.Types[0].URL, "route.v3.RouteConfiguration") {
		t.Errorf("%+v", old)
	}
}
