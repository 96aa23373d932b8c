package kube

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/meshctl/meshctl/internal/hint"
)

// remoteLabel is on the Secrets that give istiod access to other clusters.
const remoteLabel = "istio/multiCluster=true"

// Remote is a cluster that istiod has access to.
type Remote struct {
	// Name is the cluster's ID, the key in the Secret.
	Name string
	// Client is nil when Err says why there is none.
	Client *Client
	Err    error
}

// Remotes are the clusters that the remote secrets of a control plane give
// access to, by name. Only the Secrets with Istio's label are listed. timeout
// bounds every single request to a remote cluster.
func (c *Client) Remotes(ctx context.Context, namespace string, timeout time.Duration) ([]Remote, error) {
	client, err := c.Kubernetes()
	if err != nil {
		return nil, err
	}
	doing := "listing the remote secrets in " + namespace
	list, err := client.CoreV1().Secrets(namespace).List(ctx, metav1.ListOptions{LabelSelector: remoteLabel})
	if err != nil {
		return nil, Explain(doing, err)
	}
	found := map[string]Remote{}
	for _, secret := range list.Items {
		for _, name := range slices.Sorted(maps.Keys(secret.Data)) {
			found[name] = remote(&secret, name, timeout)
		}
	}
	var remotes []Remote
	for _, name := range slices.Sorted(maps.Keys(found)) {
		remotes = append(remotes, found[name])
	}
	return remotes, nil
}

func remote(secret *core.Secret, name string, timeout time.Duration) Remote {
	config, err := clientcmd.Load(secret.Data[name])
	if err == nil {
		err = selfContained(config)
	}
	if err != nil {
		return Remote{Name: name, Err: hint.Unanswerablef("make the secret again with `istioctl create-remote-secret`, or name the cluster with --contexts",
			"reading the remote secret %s/%s: %w", secret.Namespace, secret.Name, err)}
	}
	client := NewClient(&givenConfig{clientcmd.NewDefaultClientConfig(*config, &clientcmd.ConfigOverrides{})}, timeout)
	client.name = name
	return Remote{Name: name, Client: client}
}

// selfContained refuses a kubeconfig that would run programs or read files of
// this machine: it comes from a cluster, not from the person at it.
func selfContained(config *clientcmdapi.Config) error {
	if len(config.Clusters) == 0 {
		return fmt.Errorf("it names no cluster")
	}
	for name, user := range config.AuthInfos {
		switch {
		case user.Exec != nil, user.AuthProvider != nil:
			return fmt.Errorf("user %q would run a program on this machine", name)
		case user.TokenFile != "", user.ClientCertificate != "", user.ClientKey != "":
			return fmt.Errorf("user %q names files of another machine", name)
		}
	}
	for name, cluster := range config.Clusters {
		if cluster.CertificateAuthority != "" {
			return fmt.Errorf("cluster %q names files of another machine", name)
		}
	}
	return nil
}

// givenConfig makes a kubeconfig that is no file what [NewClient] wants.
type givenConfig struct{ config clientcmd.ClientConfig }

func (g *givenConfig) ToRESTConfig() (*rest.Config, error) { return g.config.ClientConfig() }

func (g *givenConfig) ToRawKubeConfigLoader() clientcmd.ClientConfig { return g.config }

// ToDiscoveryClient and ToRESTMapper are never asked for: [Client] has its own.
func (g *givenConfig) ToDiscoveryClient() (discovery.CachedDiscoveryInterface, error) {
	return nil, fmt.Errorf("a remote cluster has no cached discovery")
}

func (g *givenConfig) ToRESTMapper() (meta.RESTMapper, error) {
	return nil, fmt.Errorf("a remote cluster has no cached discovery")
}
