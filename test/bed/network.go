package bed

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"time"

	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	proxyprotocol "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/proxy_protocol/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshctl/meshctl/test/bed/netpod"
)

// Network lets traffic through the bed's Envoys: the namespace of each gets a netpod around it, which answers every
// connection the Envoy makes and lets any connection to it be made by [Bed.DialEnvoy].
//
// In place of the listener filter original_dst, which asks the kernel where iptables took a connection from, these Envoys
// have proxy_protocol, which reads that from the connection's first bytes. All else is as istiod sends it.
type Network struct {
	// Program calls netpod.Run when its environment has netpod.Env; a test names itself.
	Program string
	// Ports is where the servers behind every address listen.
	Ports []uint16
	// Identities are what these servers' certificate says they are, such as spiffe://cluster.local/ns/shop/sa/default.
	Identities []string
}

const (
	originalDst   = "envoy.filters.listener.original_dst"
	proxyProtocol = "envoy.filters.listener.proxy_protocol"
)

// throughNetwork has a pod's Envoy started by netpod.
func (r *runtime) throughNetwork(ctx context.Context, run *podRun, sp spec, dir string) (spec, error) {
	n := r.bed.opts.Network
	if n == nil {
		return sp, nil
	}
	cert, key, err := r.bed.authority(ctx).issue(24*time.Hour, append([]string{"*.example.com"}, n.Identities...)...)
	if err != nil {
		return sp, err
	}
	c := netpod.Config{Socket: filepath.Join(dir, "in"), Ports: n.Ports,
		Certificate: filepath.Join(run.dir(), "echo.crt"), Key: filepath.Join(run.dir(), "echo.key")}
	if err := writeFile(c.Certificate, string(cert)); err != nil {
		return sp, err
	}
	if err := writeFile(c.Key, string(key)); err != nil {
		return sp, err
	}
	raw, err := json.Marshal(c)
	if err != nil {
		return sp, err
	}
	sp.path, sp.args = n.Program, append([]string{sp.path}, sp.args...)
	sp.env, sp.netadmin = append(sp.env, netpod.Env+"="+string(raw)), true
	return sp, nil
}

// DialEnvoy makes a connection to the Envoy of a pod, in a bed with a [Network]. With via, Envoy takes it for one that
// iptables redirected from c.To to that port.
func (b *Bed) DialEnvoy(ctx context.Context, namespace, pod string, c netpod.Call) (net.Conn, error) {
	run := b.runtime.get(types.NamespacedName{Namespace: namespace, Name: pod})
	if run == nil || b.opts.Network == nil {
		return nil, fmt.Errorf("dialing %s through pod %s/%s: no Envoy with a network there", c.To, namespace, pod)
	}
	return netpod.Dial(ctx, filepath.Join(b.socket(string(run.uid)[:8]), "in"), c)
}

// Identity makes a certificate of the mesh, such as a workload has, with the mesh's root behind it.
func (b *Bed) Identity(ctx context.Context, names ...string) (tls.Certificate, error) {
	ca := b.authority(ctx)
	cert, key, err := ca.issue(24*time.Hour, names...)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(append(cert, ca.pem...), key)
}

// Admin reads a page of the administration interface of a pod's Envoy.
func (b *Bed) Admin(ctx context.Context, namespace, pod, page string) ([]byte, error) {
	run := b.runtime.get(types.NamespacedName{Namespace: namespace, Name: pod})
	if run == nil {
		return nil, fmt.Errorf("reading %s of pod %s/%s: nothing runs there", page, namespace, pod)
	}
	client := socketClient(filepath.Join(b.socket(string(run.uid)[:8]), "admin"))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://bed"+page, nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("reading %s of pod %s/%s: %w", page, namespace, pod, err)
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// Log is the file with the output of a pod's program.
func (b *Bed) Log(namespace, pod string) string {
	if run := b.runtime.get(types.NamespacedName{Namespace: namespace, Name: pod}); run != nil {
		return run.logOf(proxyContainer)
	}
	return ""
}

// destinationFromHeader replaces original_dst by proxy_protocol in listeners.
func destinationFromHeader(resp *discovery.DiscoveryResponse) error {
	if resp.TypeUrl != lisType {
		return nil
	}
	config, err := anypb.New(&proxyprotocol.ProxyProtocol{})
	if err != nil {
		return err
	}
	for i, any := range resp.Resources {
		l := &listener.Listener{}
		if err := any.UnmarshalTo(l); err != nil {
			return err
		}
		header := &listener.ListenerFilter{Name: proxyProtocol, ConfigType: &listener.ListenerFilter_TypedConfig{TypedConfig: config}}
		named := false
		for i, f := range l.ListenerFilters {
			if f.Name == originalDst {
				l.ListenerFilters[i], named = header, true
			}
		}
		if l.GetUseOriginalDst().GetValue() && !named { // it implies that filter, which finds nothing here
			l.ListenerFilters = append([]*listener.ListenerFilter{header}, l.ListenerFilters...)
		}
		if resp.Resources[i], err = anypb.New(l); err != nil {
			return err
		}
	}
	return nil
}
