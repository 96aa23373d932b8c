package trace

import (
	"strings"

	"github.com/meshctl/meshctl/internal/proxyconfig"
)

// Resource is the Istio or Gateway API object that a part of the configuration comes from.
type Resource struct {
	Kind      string `json:"kind"`
	Name      string `json:"name"`
	Namespace string `json:"namespace,omitempty"`
}

// String is "VirtualService shop.default", and empty without a resource.
func (r Resource) String() string {
	switch {
	case r.Name == "":
		return ""
	case r.Namespace == "":
		return r.Kind + " " + r.Name
	}
	return r.Kind + " " + r.Name + "." + r.Namespace
}

// State is how a step came out.
type State string

// The states of a step.
const (
	OK        State = "ok"
	Failed    State = "failed"
	Undecided State = "undecided"
	// Note is something to know that decides nothing.
	Note State = "note"
)

// Step is one decision of a proxy.
type Step struct {
	// Name is the step: listener, filter chain, filter NAME, virtual host,
	// route, cluster, endpoint ...
	Name  string `json:"name"`
	State State  `json:"state"`
	// Text says in one sentence what happened.
	Text  string   `json:"text"`
	Owner Resource `json:"owner,omitzero"`
	// Details are more lines: timeouts, TLS, weights.
	Details []string `json:"details"`
	// Rejected are the candidates that were looked at first, in order.
	Rejected []Candidate `json:"rejected"`
}

// Candidate is something that could have been chosen, and the first condition that failed.
type Candidate struct {
	Name  string   `json:"name"`
	Why   string   `json:"why"`
	Owner Resource `json:"owner,omitzero"`
}

// Walk is what one proxy does with the request.
type Walk struct {
	// Proxy is the pod or file of the dump.
	Proxy string `json:"proxy"`
	// Side is client, server or gateway.
	Side    string  `json:"side"`
	Steps   []Step  `json:"steps"`
	Outcome Outcome `json:"outcome"`

	call *Call // as it is sent on; nil when no HTTP was read
}

// Kind is how a walk ends.
type Kind string

// The ends of a walk.
const (
	Forwarded      Kind = "forwarded"
	Redirected     Kind = "redirected"
	DirectResponse Kind = "direct-response"
	Denied         Kind = "denied"
	NoRoute        Kind = "no-route"
	NoListener     Kind = "no-listener"
	NoEndpoint     Kind = "no-endpoint"
	// Closed is a connection that the proxy closes without an answer.
	Closed      Kind = "closed"
	Undecidable Kind = "undecided"
)

// Outcome is where a proxy sends the request, or what it answers itself.
type Outcome struct {
	Kind Kind `json:"kind"`
	// Status is the HTTP status that the proxy itself answers with, else 0.
	Status int `json:"status,omitempty"`
	// Flags are the access log's response flags, such as NR; when the proxy
	// forwards "", or DI of an injected delay.
	Flags string `json:"flags,omitempty"`
	// Detail is the access log's response code details where it is known.
	Detail string `json:"detail,omitempty"`
	// Why says what made it so, in one sentence; of Undecidable what would have to be known.
	Why      string   `json:"why,omitempty"`
	Owner    Resource `json:"owner,omitzero"`
	Listener string   `json:"listener,omitempty"`
	Chain    string   `json:"filterChain,omitempty"`
	// Table, VirtualHost and Route are the names of what matched; of the route as the access log has it.
	Table       string `json:"routeTable,omitempty"`
	VirtualHost string `json:"virtualHost,omitempty"`
	Route       string `json:"route,omitempty"`
	// Clusters are where the request may go; several when weights choose.
	Clusters  []Target `json:"clusters"`
	Location  string   `json:"location,omitempty"`
	Authority string   `json:"authority,omitempty"`
	Path      string   `json:"path,omitempty"`
	// Timeout is of the whole answer, "none" or a duration; IdleTimeout of silence.
	Timeout     string   `json:"timeout,omitempty"`
	IdleTimeout string   `json:"idleTimeout,omitempty"`
	Retries     string   `json:"retries,omitempty"`
	Mirrors     []string `json:"mirrors"`
	// IfAllowed is what happens when the undecided step lets the request through.
	IfAllowed *Outcome `json:"ifAllowed,omitempty"`
}

// Target is a cluster that the request may go to.
type Target struct {
	Cluster string `json:"cluster"`
	// Share is the part of such requests, in per cent.
	Share float64 `json:"share"`
	// Kind and Flags are of the outcome when this cluster is chosen: a cluster
	// may be missing or have no endpoint.
	Kind      Kind       `json:"kind"`
	Status    int        `json:"status,omitempty"`
	Flags     string     `json:"flags,omitempty"`
	Why       string     `json:"why,omitempty"`
	Type      string     `json:"type,omitempty"`
	LB        string     `json:"loadBalancing,omitempty"`
	TLS       string     `json:"tls,omitempty"`
	Endpoints []Endpoint `json:"endpoints"`
}

// Endpoint is an address that the load balancer may choose.
type Endpoint struct {
	Address  string `json:"address"`
	Port     int    `json:"port,omitempty"`
	Health   string `json:"health"`
	Priority int    `json:"priority,omitempty"`
	Locality string `json:"locality,omitempty"`
	Weight   int    `json:"weight,omitempty"`
	// TLS is what the connection to it is made with.
	TLS string `json:"tls,omitempty"`
	// Chosen says that the load balancer may take it as things are.
	Chosen bool `json:"chosen"`

	security security
	protocol string // of HTTP requests to it
}

// Report is the whole way of a request.
type Report struct {
	Request *Request `json:"request"`
	Client  *Walk    `json:"client,omitempty"`
	Server  *Walk    `json:"server,omitempty"`
	Outcome Outcome  `json:"outcome"`
	// Verdict is the answer in one sentence, Advice what to do about it.
	Verdict string   `json:"verdict"`
	Advice  []string `json:"advice"`

	client    *Dump
	elsewhere string // why the server's dump was of no use
}

// resource is the object that a path in Envoy's metadata names.
func resource(path string) Resource {
	kind, name := proxyconfig.OwnerOf(path)
	return parseOwner(kind, name)
}

// parseOwner makes a resource of a kind such as virtual-service and NAME.NAMESPACE.
func parseOwner(kind, name string) Resource {
	if name == "" {
		return Resource{}
	}
	r := Resource{Kind: camelKind(kind), Name: name}
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
		r.Name, r.Namespace = name[:dot], name[dot+1:]
	}
	return r
}

// camelKind is VirtualService for virtual-service.
func camelKind(kind string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(kind, "-") {
		if word == "" {
			continue
		}
		switch word {
		case "http", "tcp", "tls", "grpc":
			b.WriteString(strings.ToUpper(word))
		default:
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}
