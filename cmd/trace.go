package cmd

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/proxyconfig/trace"
)

type traceOptions struct {
	f         *Factory
	out       *outputFlags
	from, to  string
	files     []string
	client    traceClient
	server    bool
	adminPort int
	timeout   time.Duration
}

func newTraceCmd(f *Factory) *cobra.Command {
	o := &traceOptions{f: f}
	c := &cobra.Command{
		Use:   "trace --from POD|TYPE/NAME -- [METHOD] URL [-H 'NAME: VALUE']...",
		Short: "Say where a request goes, and what an access log's flags mean",
		Long: `trace walks a request through the configuration that Envoy has, as Envoy would:
listener, filter chain, filters, virtual host, route, cluster and endpoints of the
client's proxy, and then the same in the proxy of the server that it reaches.
Nothing is sent. Each step names the object that it comes from.

After -- stands the request as curl takes it: METHOD URL and -H, -X, -A, -b, -d,
--resolve, --http2; tcp://HOST:PORT is a connection without HTTP, tls://HOST:PORT
one with TLS. --from is a pod, POD.NAMESPACE, deploy/NAME, or a gateway;
SNAPSHOT:POD is one in a saved snapshot, where the server's side is then looked up.

What the configuration does not decide (a Wasm module, an external authorization
server, a share of requests) is named, and the answer is "cannot decide".

Exit codes: 0 it reaches its destination; 1 it does not, or not always: denied, no
route, no endpoint; 2 it cannot be decided, or something could not be read.`,
		Example: `  # Where does this request go, and is it allowed there?
  meshctl trace --from deploy/frontend -n shop -- GET http://backend.shop/api -H 'x-user: a'

  # A request from outside to the gateway
  meshctl trace --from deploy/istio-ingressgateway -n istio-system -- GET https://shop.example.com/

  # From dumps, without a cluster: the client's, and the server's
  meshctl trace -f client.json -f server.json -- GET http://backend.shop/api

  # In a snapshot of yesterday
  meshctl trace --from mesh.snapshot:deploy/frontend.shop -- GET http://backend.shop/api

  # What does "UF,URX" in the access log mean?
  meshctl trace --explain-code UF,URX`,
		GroupID:           groupProxy,
		ValidArgsFunction: f.completePod,
	}
	o.out = addOutput(c)
	c.Flags().StringVar(&o.from, "from", "", "the client: a pod, or a workload that has one")
	c.Flags().StringArrayVarP(&o.files, "file", "f", nil, "read this dump instead of a pod's: first the client's, then the server's")
	c.Flags().StringVar(&o.to, "to", "", "the server's pod, where the first endpoint is not the one meant; without --from only its side is walked")
	c.Flags().BoolVar(&o.server, "server", false, "walk the server's side only: the dump of -f is the server's")
	c.Flags().IntVar(&o.adminPort, "proxy-admin-port", 15000, "port of Envoy's admin interface in the pods")
	c.Flags().DurationVar(&o.timeout, "timeout", time.Minute, "longest time to read the proxies")
	o.client.add(c)
	c.Args = func(_ *cobra.Command, args []string) error { return o.check(args) }
	c.RunE = func(c *cobra.Command, args []string) error { return o.run(c.Context(), args) }
	addExplainCode(c, f, o.out)
	return c
}

// check finds what is used wrongly before anything is read.
func (o *traceOptions) check(args []string) error {
	const example = "such as `meshctl trace --from deploy/frontend -- GET http://backend.shop/api`"
	switch {
	case len(args) == 0:
		return hint.Usagef(example, "there is no request to trace")
	case o.from == "" && len(o.files) == 0 && o.to == "":
		return hint.Usagef("name a pod with --from, or a dump with -f", "it is not said whose request it is")
	case (o.from != "" || o.to != "") && len(o.files) > 0:
		return hint.Usagef("leave one of them out", "a request is traced in pods or in dumps, not both")
	case o.server && (o.from != "" || len(o.files) > 1):
		return hint.Usagef("give the server's dump alone with -f, or its pod with --to", "--server walks one proxy only")
	case len(o.files) > 2:
		return hint.Usagef("give the client's dump, and the server's", "there are %d dumps", len(o.files))
	}
	return nil
}

func (o *traceOptions) run(ctx context.Context, args []string) error {
	r, err := trace.ParseWords(args)
	if err != nil {
		return err
	}
	if err := o.client.apply(r); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	report, err := o.trace(ctx, r)
	if err != nil {
		return err
	}
	if err := o.f.print(o.out, report); err != nil {
		return err
	}
	switch {
	case !report.Decided():
		return errUnanswered
	case !report.Reached():
		return errNo
	}
	return nil
}

// traceClient are the flags that say more about who makes the request.
type traceClient struct {
	address, source, sni, principal string
	alpn, claims                    []string
	plaintext                       bool
	port                            int
}

func (t *traceClient) add(c *cobra.Command) {
	c.Flags().StringVar(&t.address, "to-ip", "", "address that the client connects to, where the configuration does not tell")
	c.Flags().IntVar(&t.port, "port", 0, "port that the client connects to, where the URL has another one")
	c.Flags().StringVar(&t.source, "source-ip", "", "the client's address, with a port if that matters: 10.0.0.7 or 10.0.0.7:4711")
	c.Flags().StringVar(&t.sni, "sni", "", "server name that the client asks for in TLS; the URL's host by default")
	c.Flags().StringSliceVar(&t.alpn, "alpn", nil, "protocols that the client offers in TLS")
	c.Flags().StringVar(&t.principal, "source-principal", "", "the client's identity, as cluster.local/ns/NAMESPACE/sa/ACCOUNT")
	c.Flags().BoolVar(&t.plaintext, "plaintext", false, "the client has no proxy: it reaches the server without mutual TLS")
	c.Flags().StringArrayVar(&t.claims, "jwt-claim", nil, "a claim of a valid token that the request carries: NAME=VALUE, as iss=https://issuer")
}

func (t *traceClient) apply(r *trace.Request) error {
	if t.address != "" {
		ip, err := netip.ParseAddr(t.address)
		if err != nil {
			return hint.Usagef("", "--to-ip: %q is no IP address", t.address)
		}
		r.Address = ip
	}
	if t.port < 0 || t.port > 65535 {
		return hint.Usagef("", "--port: %d is no port", t.port)
	}
	if t.port > 0 {
		r.Port = t.port
	}
	if t.source != "" {
		ap, err := netip.ParseAddrPort(t.source)
		if err != nil {
			ip, err := netip.ParseAddr(t.source)
			if err != nil {
				return hint.Usagef("", "--source-ip: %q is no IP address", t.source)
			}
			ap = netip.AddrPortFrom(ip, 0)
		}
		r.Source = ap
	}
	if t.sni != "" {
		r.SNI = t.sni
	}
	r.ALPN = append(r.ALPN, t.alpn...)
	r.Plaintext = t.plaintext
	if err := r.SetPrincipal(t.principal); err != nil {
		return fmt.Errorf("--source-principal: %w", err)
	}
	return r.AddClaims(t.claims)
}
