// Package kube reads and changes clusters: clients, paged reading, files and
// stdin, server-side apply, waiting and port-forward. It is the only package
// that touches the network.
package kube

import (
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/meshctl/meshctl/internal/hint"
)

// Request budget of one client towards the API server, per second and in a
// burst: enough that the client is never what one waits for.
const (
	clientQPS   = 200
	clientBurst = 400
)

// Client is one cluster. Everything in it is made on first use, so that a
// command which needs no cluster touches none.
type Client struct {
	getter     genericclioptions.RESTClientGetter
	name       string // of the context or cluster; empty for the kubeconfig's current context
	config     func() (*rest.Config, error)
	kubernetes func() (kubernetes.Interface, error)
	dynamic    func() (dynamic.Interface, error)
	mapper     func() (meta.ResettableRESTMapper, error)
}

// NewClient makes a client from kubeconfig flags. timeout bounds every single
// request, watches excepted; zero means no bound of its own.
func NewClient(getter genericclioptions.RESTClientGetter, timeout time.Duration) *Client {
	c := &Client{getter: getter}
	c.config = sync.OnceValues(func() (*rest.Config, error) {
		if err := c.named(); err != nil {
			return nil, err
		}
		cfg, err := getter.ToRESTConfig()
		if err != nil {
			return nil, hint.Unanswerablef("name a cluster with --kubeconfig or --context, or set KUBECONFIG",
				"reading the kubeconfig: %w", err)
		}
		cfg = rest.CopyConfig(cfg)
		cfg.QPS, cfg.Burst = clientQPS, clientBurst
		cfg.UserAgent = "meshctl"
		cfg.WarningHandler = rest.NoWarnings{}
		if cfg.Timeout == 0 {
			cfg.Timeout = timeout
		}
		return cfg, nil
	})
	c.kubernetes = sync.OnceValues(func() (kubernetes.Interface, error) {
		cfg, err := c.config()
		if err != nil {
			return nil, err
		}
		cfg = rest.CopyConfig(cfg)
		cfg.ContentType = "application/vnd.kubernetes.protobuf"
		cfg.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
		return kubernetes.NewForConfig(cfg)
	})
	c.dynamic = sync.OnceValues(func() (dynamic.Interface, error) {
		cfg, err := c.config()
		if err != nil {
			return nil, err
		}
		return dynamic.NewForConfig(cfg)
	})
	c.mapper = sync.OnceValues(func() (meta.ResettableRESTMapper, error) { return newMapper(c) })
	return c
}

// named makes sure that a cluster is named somewhere: without one client-go
// would try localhost:8080, which is nobody's cluster.
func (c *Client) named() error {
	loader := c.getter.ToRawKubeConfigLoader()
	// What is wrong with a file, ToRESTConfig says.
	if raw, err := loader.RawConfig(); err != nil || len(raw.Clusters) > 0 {
		return nil //nolint:nilerr
	}
	if _, err := rest.InClusterConfig(); err == nil {
		return nil
	}
	files := loader.ConfigAccess().GetLoadingPrecedence()
	return hint.Unanswerablef("name one with --kubeconfig or KUBECONFIG",
		"no cluster is configured: %s names none", strings.Join(files, ", "))
}

// Config is the client's REST configuration. Copy it before changing it.
func (c *Client) Config() (*rest.Config, error) { return c.config() }

// Kubernetes is the typed client of the built-in kinds; it speaks protobuf.
func (c *Client) Kubernetes() (kubernetes.Interface, error) { return c.kubernetes() }

// Dynamic is the client for objects of any kind.
func (c *Client) Dynamic() (dynamic.Interface, error) { return c.dynamic() }

// Mapper maps kinds to resources by discovery, cached in memory; Reset it
// after new CRDs are established.
func (c *Client) Mapper() (meta.ResettableRESTMapper, error) { return c.mapper() }

// Context is the name of the kubeconfig context in use and the server's URL;
// either is empty when it is not known.
func (c *Client) Context() (name, server string) {
	if raw, err := c.getter.ToRawKubeConfigLoader().RawConfig(); err == nil {
		name = raw.CurrentContext
	}
	if c.name != "" {
		name = c.name
	}
	if cfg, err := c.config(); err == nil {
		server = cfg.Host
	}
	return name, server
}
