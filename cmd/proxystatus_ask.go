package cmd

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

// The account by which istiod knows a caller over xDS, as istioctl has it.
const xdsAccount = "default"

// askFlags say how istiods are asked for the state of their proxies.
type askFlags struct {
	address, certDir, label, authority string
	port                               int
	insecure, plaintext                bool
	given                              bool // some flag asks for xDS
}

// addAskFlags registers istioctl's flags for xDS.
func addAskFlags(c *cobra.Command) *askFlags {
	a := &askFlags{}
	fs := c.Flags()
	fs.StringVar(&a.address, "xds-address", "", "ask this istiod, HOST:PORT, instead of those of the cluster")
	fs.StringVar(&a.certDir, "cert-dir", "", "ask over xDS, and prove the caller by cert-chain.pem, key.pem and root-cert.pem in this directory")
	fs.StringVar(&a.label, "xds-label", "", "label selector of the istiod pods (default \"app=istiod\")")
	fs.IntVar(&a.port, "xds-port", 15012, "ask over xDS, on this port of the istiod pods")
	fs.StringVar(&a.authority, "authority", "", "name that istiod's certificate must have, such as istiod.istio-system.svc")
	fs.BoolVar(&a.insecure, "insecure", false, "accept any certificate of istiod")
	fs.BoolVar(&a.plaintext, "plaintext", false, "ask over xDS without TLS, on port 15010 unless --xds-port says another")
	return a
}

// check refuses what contradicts itself, and finds out what was given.
func (a *askFlags) check(c *cobra.Command) error {
	for _, name := range []string{"xds-address", "cert-dir", "xds-port", "authority", "insecure", "plaintext"} {
		a.given = a.given || c.Flags().Changed(name)
	}
	if a.plaintext && !c.Flags().Changed("xds-port") {
		a.port = 15010
	}
	if a.address == "" {
		return nil
	}
	if _, _, err := net.SplitHostPort(a.address); err != nil {
		return hint.Usagef("such as --xds-address istiod.example.com:15012", "--xds-address %q is not HOST:PORT", a.address)
	}
	for _, name := range []string{"contexts", "remote", "xds-label"} {
		if c.Flags().Changed(name) {
			return hint.Usagef("leave one of them out", "--xds-address asks one istiod, --%s those of clusters", name)
		}
	}
	return nil
}

// selector selects the istiod pods.
func (a *askFlags) selector() string {
	if a.label == "" {
		return "app=istiod"
	}
	return a.label
}

// xds is how to ask over xDS; client may be nil where no token is needed.
func (a *askFlags) xds(f *Factory, client *kube.Client) kube.XDS {
	x := kube.XDS{
		Address: a.address, Port: a.port, CertDir: a.certDir, Authority: a.authority, Insecure: a.insecure, Plaintext: a.plaintext,
		Namespace: f.IstioNamespace(), Account: xdsAccount,
	}
	if client != nil {
		x.Token = func(ctx context.Context) (string, error) {
			return client.IstiodToken(ctx, f.IstioNamespace(), xdsAccount)
		}
	}
	return x
}

// asker asks the istiods of one cluster: on their monitoring port through the
// API server or, where flags say so or that port refuses, over xDS.
type asker struct {
	client  *kube.Client
	istiods map[string]kube.Istiod
	xds     kube.XDS
	first   bool // xDS, without trying the monitoring port
}

// newAsker is the way to istiods, and what to ask them for.
func newAsker(client *kube.Client, istiods []kube.Istiod, xds kube.XDS, first bool) (*asker, []proxyconfig.IstiodSync) {
	a := &asker{client: client, istiods: map[string]kube.Istiod{}, xds: xds, first: first}
	if xds.Token != nil {
		request := xds.Token
		var once sync.Mutex
		token := ""
		a.xds.Token = func(ctx context.Context) (string, error) { // one for all istiods
			once.Lock()
			defer once.Unlock()
			if token != "" {
				return token, nil
			}
			text, err := request(ctx)
			token = text
			return text, err
		}
	}
	asked := make([]proxyconfig.IstiodSync, 0, len(istiods))
	for _, i := range istiods {
		a.istiods[i.Name] = i
		asked = append(asked, proxyconfig.IstiodSync{Name: i.Name, Namespace: i.Namespace, Revision: i.Revision, Cluster: i.ClusterID})
	}
	return a, asked
}

// Syncz asks one istiod.
func (a *asker) Syncz(ctx context.Context, istiod proxyconfig.IstiodSync) (*proxyconfig.SyncAnswer, error) {
	if a.first {
		return a.overXDS(ctx, istiod)
	}
	answer, err := a.client.SyncText(ctx, a.istiods[istiod.Name])
	if err != nil {
		if a.xds.Token == nil || !kube.DebugRefused(err) {
			return nil, err
		}
		other, xdsErr := a.overXDS(ctx, istiod)
		switch {
		case xdsErr == nil:
			return other, nil
		case kube.PortRefused(err) && kube.PortRefused(xdsErr):
			return nil, hint.Unanswerablef("`kubectl logs -n "+istiod.Namespace+" "+istiod.Name+"` may say why",
				"nothing listens on its ports %d and %d", a.istiods[istiod.Name].Port, a.xds.Port)
		}
		return nil, hint.Unanswerablef(hint.Of(xdsErr), "%w; then %w", err, xdsErr)
	}
	defer func() { _ = answer.Body.Close() }()
	proxies, err := proxyconfig.ParseSyncz(istiod.Name, answer.Body)
	if err != nil {
		return nil, err
	}
	return &proxyconfig.SyncAnswer{Proxies: proxies, Version: answer.Version(), Clock: answer.Clock}, nil
}

func (a *asker) overXDS(ctx context.Context, istiod proxyconfig.IstiodSync) (*proxyconfig.SyncAnswer, error) {
	sync, err := a.client.XDSSync(ctx, a.istiods[istiod.Name], a.xds)
	if err != nil {
		return nil, err
	}
	answer := &proxyconfig.SyncAnswer{Name: sync.Istiod, Version: sync.Version, Proxies: make([]proxyconfig.ProxySync, 0, len(sync.Proxies))}
	for _, p := range sync.Proxies {
		types := make([]proxyconfig.TypeSync, 0, len(p.Types))
		for _, t := range p.Types {
			if t.State == "UNKNOWN" {
				continue // not subscribed to
			}
			one := proxyconfig.TypeSync{TypeURL: t.URL, State: proxyconfig.SyncState(t.State), Error: t.Error}
			if !t.Sent.IsZero() {
				one.SentAt = &t.Sent
			}
			types = append(types, one)
		}
		answer.Proxies = append(answer.Proxies, proxyconfig.NewProxySync(istiod.Name, p.ID, p.Cluster, p.Version, types))
	}
	return answer, nil
}

// askIstiods asks the istiods of the current cluster on their monitoring port.
func (f *Factory) askIstiods(ctx context.Context, client *kube.Client, istiods []kube.Istiod, timeout time.Duration) (*proxyconfig.SyncReport, error) {
	asker, asked := newAsker(client, istiods, kube.XDS{}, false)
	return proxyconfig.GatherSync(ctx, asker, asked, timeout, f.Now)
}
