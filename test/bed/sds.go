package bed

import (
	"context"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	secret "github.com/envoyproxy/go-control-plane/envoy/service/secret/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// secrets gives an Envoy its workload certificate and the mesh's root, as pilot-agent does. They are signed by istiod's own
// CA where its Secret is there, by the bed's otherwise.
type secrets struct {
	secret.UnimplementedSecretDiscoveryServiceServer
	bed   *Bed
	proxy proxy
}

// StreamSecrets answers each request for names once; requests that acknowledge are not answered.
func (s *secrets) StreamSecrets(stream secret.SecretDiscoveryService_StreamSecretsServer) error {
	for {
		req, err := stream.Recv()
		if err != nil {
			return err
		}
		if req.ResponseNonce != "" {
			continue
		}
		resp := &discovery.DiscoveryResponse{TypeUrl: req.TypeUrl, VersionInfo: time.Now().UTC().Format(time.RFC3339Nano), Nonce: "1"}
		for _, name := range req.ResourceNames {
			res, err := s.make(stream.Context(), name)
			if err != nil {
				return err
			}
			if res != nil {
				resp.Resources = append(resp.Resources, res)
			}
		}
		if err := stream.Send(resp); err != nil {
			return err
		}
	}
}

func (s *secrets) make(ctx context.Context, name string) (*anypb.Any, error) {
	ca := s.bed.authority(ctx)
	var m proto.Message
	switch name {
	case "default":
		cert, key, err := ca.issue(24*time.Hour, s.proxy.identity())
		if err != nil {
			return nil, err
		}
		m = &tlsv3.Secret{Name: name, Type: &tlsv3.Secret_TlsCertificate{TlsCertificate: &tlsv3.TlsCertificate{
			CertificateChain: inline(append(cert, ca.pem...)), PrivateKey: inline(key)}}}
	case "ROOTCA":
		m = &tlsv3.Secret{Name: name, Type: &tlsv3.Secret_ValidationContext{ValidationContext: &tlsv3.CertificateValidationContext{
			TrustedCa: inline(ca.pem)}}}
	default:
		return nil, nil
	}
	return anypb.New(m)
}

// authority is istiod's CA, or the bed's own where that is not there.
func (b *Bed) authority(ctx context.Context) *authority {
	found, err := b.client.CoreV1().Secrets(meshNamespace).Get(ctx, "istio-ca-secret", metav1.GetOptions{})
	if err != nil {
		return b.creds.ca
	}
	ca, err := parseAuthority(found.Data["ca-cert.pem"], found.Data["ca-key.pem"])
	if err != nil {
		return b.creds.ca
	}
	return ca
}

func inline(b []byte) *corev3.DataSource {
	return &corev3.DataSource{Specifier: &corev3.DataSource_InlineBytes{InlineBytes: b}}
}
