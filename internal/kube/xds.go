package kube

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	grpccredentials "google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/meshctl/meshctl/internal/hint"
)

// The discovery type by which istiod tells of its proxies, and the longest
// answer that is taken.
const (
	syncType   = "istio.io/debug/syncz"
	longestXDS = 1 << 30
)

// XDS says how to ask an istiod over its discovery port, as istioctl does.
type XDS struct {
	// Address is host:port to connect to; "" goes through the API server.
	Address string
	// Port is the pod's, for the way through the API server.
	Port int
	// CertDir holds cert-chain.pem, key.pem and root-cert.pem; "" uses Token.
	CertDir string
	// Roots are certificates of istiod's certificate authority in PEM, where
	// CertDir has none; empty is the machine's.
	Roots []byte
	// Authority is the name that the server's certificate must have.
	Authority string
	// Insecure accepts any certificate, Plaintext speaks no TLS.
	Insecure, Plaintext bool
	// Token is what istiod knows the caller by; may be nil.
	Token func(context.Context) (string, error)
	// Namespace and Account are what the caller says it is.
	Namespace, Account string
}

// XDSSync is what an istiod says of its proxies over xDS.
type XDSSync struct {
	// Istiod is the name of its pod, Version its own, commit included; either
	// may be empty.
	Istiod, Version string
	Proxies         []XDSProxy
}

// XDSProxy is one connected proxy.
type XDSProxy struct {
	// ID is pod.namespace.
	ID, Namespace, Cluster, Version string
	Types                           []XDSType
}

// XDSType is how a proxy stands with one type of configuration.
type XDSType struct {
	URL string
	// State is SYNCED, STALE, NOT_SENT, ERROR or UNKNOWN.
	State string
	// Sent is when it was sent last; zero when not known.
	Sent time.Time
	// Error is what the proxy refused it with.
	Error string
}

// XDSSync asks an istiod over xDS: the one at x.Address, else a pod's.
func (c *Client) XDSSync(ctx context.Context, istiod Istiod, x XDS) (*XDSSync, error) {
	target, options := x.Address, []grpc.DialOption{}
	name := x.Address
	if x.Address == "" {
		t, err := c.Tunnel(ctx, istiod.Namespace, istiod.Name)
		if err != nil {
			return nil, err
		}
		defer func() { _ = t.Close() }()
		name = fmt.Sprintf("port %d of pod %s.%s", x.Port, istiod.Name, istiod.Namespace)
		target = "passthrough:///" + istiod.Name
		options = append(options, grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return t.Dial(ctx, x.Port) }))
	}
	secured, err := x.credentials(ctx)
	if err != nil {
		return nil, err
	}
	doing := "asking " + name + " over xDS"
	conn, err := grpc.NewClient(target, append(options, secured...)...)
	if err != nil {
		return nil, hint.Usagef("an address is HOST:PORT, such as istiod.example.com:15012", "%s: %w", doing, err)
	}
	defer func() { _ = conn.Close() }()
	answer, err := x.ask(ctx, conn)
	if err != nil {
		return nil, x.explain(ctx, doing, err)
	}
	sync, err := decodeSync(answer)
	if err != nil {
		return nil, hint.Unanswerablef("is it an istiod?", "%s: %w", doing, err)
	}
	return sync, nil
}

// ask sends one request and waits for the answer to it.
func (x XDS) ask(ctx context.Context, conn *grpc.ClientConn) (*discovery.DiscoveryResponse, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the stream
	stream, err := discovery.NewAggregatedDiscoveryServiceClient(conn).StreamAggregatedResources(ctx)
	if err != nil {
		return nil, err
	}
	who, err := structpb.NewStruct(map[string]any{"GENERATOR": "event", "NAMESPACE": x.Namespace, "SERVICE_ACCOUNT": x.Account})
	if err != nil {
		return nil, err
	}
	node := &core.Node{Id: fmt.Sprintf("sidecar~0.0.0.0~meshctl.%s~%s.svc.cluster.local", x.Namespace, x.Namespace), Metadata: who}
	if err := stream.Send(&discovery.DiscoveryRequest{Node: node, TypeUrl: syncType}); err != nil {
		if _, why := stream.Recv(); why != nil {
			err = why // Send says only that the stream has ended
		}
		return nil, err
	}
	for {
		answer, err := stream.Recv()
		if err != nil || answer.GetTypeUrl() == syncType {
			return answer, err
		}
	}
}

// credentials are the options that secure the connection and say who calls.
func (x XDS) credentials(ctx context.Context) ([]grpc.DialOption, error) {
	limit := grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(longestXDS))
	if x.Plaintext {
		return []grpc.DialOption{limit, grpc.WithTransportCredentials(insecure.NewCredentials())}, nil
	}
	config, err := x.tls()
	if err != nil {
		return nil, err
	}
	options := []grpc.DialOption{limit, grpc.WithTransportCredentials(grpccredentials.NewTLS(config))}
	if x.CertDir != "" || x.Token == nil {
		return options, nil
	}
	token, err := x.Token(ctx)
	if err != nil {
		return nil, err
	}
	return append(options, grpc.WithPerRPCCredentials(bearer(token))), nil
}

// bearer is a token that goes with every call; never without TLS.
type bearer string

func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

func (bearer) RequireTransportSecurity() bool { return true }

// explain says why there is no answer.
func (x XDS) explain(ctx context.Context, doing string, err error) error {
	var known *hint.Error
	if errors.As(err, &known) {
		return known
	}
	state := status.Convert(err)
	text := plainCause(state.Message())
	var certificate *tls.CertificateVerificationError
	switch {
	case ctx.Err() != nil, state.Code() == codes.DeadlineExceeded, state.Code() == codes.Canceled:
		return hint.Unanswerablef("it is slow or hangs; give it longer with --timeout", "%s: no answer before the deadline", doing)
	case errors.As(err, &certificate), strings.Contains(text, "x509:"), strings.Contains(text, "tls:"):
		return hint.Unanswerablef("--cert-dir names a directory with root-cert.pem, --authority the name in the certificate; --insecure accepts any", "%s: %s", doing, text)
	case state.Code() == codes.Unauthenticated, state.Code() == codes.PermissionDenied:
		return hint.Unanswerablef("istiod must know the caller: by a token of a service account in "+x.Namespace+", or by a certificate: --cert-dir", "%s: refused: %s", doing, text)
	case state.Code() == codes.Unavailable:
		return hint.Unanswerablef("check the address and port; the port for TLS is 15012, that for --plaintext 15010", "%s: %s", doing, text)
	}
	return hint.Unanswerablef("is it an istiod?", "%s: %s", doing, text)
}

// plainCause is what gRPC says of a failure without its wrapping.
func plainCause(text string) string {
	if _, quoted, ok := strings.Cut(text, "connection error: desc = "); ok {
		if plain, err := strconv.Unquote(quoted); err == nil {
			text = plain
		}
	}
	text = strings.TrimPrefix(text, "transport: ")
	return oneLine(strings.TrimPrefix(text, "Error while dialing: "))
}

// identity is what istiod says of itself with every answer.
func identity(answer *discovery.DiscoveryResponse) (name, version string) {
	var own struct {
		ID   string `json:"ID"`
		Info struct {
			Version string `json:"version"`
		} `json:"Info"`
	}
	_ = json.Unmarshal([]byte(answer.GetControlPlane().GetIdentifier()), &own)
	return own.ID, own.Info.Version
}
