package kube

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	authentication "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/hint"
)

// What istiod asks of a caller: a token of this audience, good for so many seconds.
const (
	istiodAudience = "istio-ca"
	tokenSeconds   = 3600
)

// IstiodToken is a token by which istiod knows the caller as a service account.
func (c *Client) IstiodToken(ctx context.Context, namespace, account string) (string, error) {
	k, err := c.Kubernetes()
	if err != nil {
		return "", err
	}
	seconds := int64(tokenSeconds)
	request := &authentication.TokenRequest{Spec: authentication.TokenRequestSpec{Audiences: []string{istiodAudience}, ExpirationSeconds: &seconds}}
	answer, err := k.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, account, request, metav1.CreateOptions{})
	if err != nil {
		return "", Explain(fmt.Sprintf("requesting a token of service account %s in %s", account, namespace), err)
	}
	return answer.Status.Token, nil
}

// tls is how the server proves itself. Through the API server it need not: the
// API server says which pod that is.
func (x XDS) tls() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: x.Authority, InsecureSkipVerify: x.Insecure}
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(x.Address)
	}
	if x.CertDir == "" {
		config.InsecureSkipVerify = x.Insecure || x.Address == ""
		if len(x.Roots) > 0 {
			config.RootCAs = x509.NewCertPool()
			config.RootCAs.AppendCertsFromPEM(x.Roots)
		}
		return config, nil
	}
	read := func(name string) ([]byte, error) {
		b, err := os.ReadFile(filepath.Join(x.CertDir, name))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, hint.Usagef("--cert-dir holds cert-chain.pem, key.pem and root-cert.pem", "reading --cert-dir %s: there is no %s", x.CertDir, name)
		}
		return b, err
	}
	chain, err := read("cert-chain.pem")
	if err != nil {
		return nil, err
	}
	key, err := read("key.pem")
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, hint.Usagef("cert-chain.pem and key.pem must belong together", "reading --cert-dir %s: %w", x.CertDir, err)
	}
	root, err := read("root-cert.pem")
	if err != nil {
		return nil, err
	}
	config.Certificates, config.RootCAs = []tls.Certificate{pair}, x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(root) {
		return nil, hint.Usagef("it must hold the certificates of istiod's certificate authority in PEM", "reading --cert-dir %s: root-cert.pem holds no certificate", x.CertDir)
	}
	if config.ServerName == "" { // a pod, which has no name in its certificate
		config.InsecureSkipVerify = true
	}
	return config, nil
}

// xdsPort is the port for xDS beside one for injection.
func xdsPort(injection string) string {
	switch injection {
	case "":
		return "443"
	case "15017":
		return "15012"
	}
	return injection
}

// WebhookIstiod is the host:port of an istiod outside of the cluster, as the
// injector of a revision ("" is any) names it, and the certificates of its
// certificate authority; "" when none does.
func (c *Client) WebhookIstiod(ctx context.Context, revision string) (address string, roots []byte, err error) {
	k, err := c.Kubernetes()
	if err != nil {
		return "", nil, err
	}
	list, err := k.AdmissionregistrationV1().MutatingWebhookConfigurations().List(ctx, metav1.ListOptions{LabelSelector: "istio.io/rev"})
	if err != nil {
		return "", nil, nil //nolint:nilerr // that no istiod is here is known already, and said
	}
	var hosts []string
	for _, config := range list.Items {
		if rev := config.Labels["istio.io/rev"]; revision != "" && rev != revision && config.Labels["istio.io/tag"] != revision {
			continue
		}
		for _, hook := range config.Webhooks {
			if hook.ClientConfig.URL == nil {
				continue
			}
			if u, err := url.Parse(*hook.ClientConfig.URL); err == nil && u.Host != "" {
				hosts = append(hosts, net.JoinHostPort(u.Hostname(), xdsPort(u.Port())))
				roots = hook.ClientConfig.CABundle
			}
		}
	}
	slices.Sort(hosts)
	if hosts = slices.Compact(hosts); len(hosts) > 1 {
		return "", nil, hint.Unanswerablef("choose one with --revision or --xds-address", "the control plane runs elsewhere, at one of %s", strings.Join(hosts, ", "))
	}
	if len(hosts) == 0 {
		return "", nil, nil
	}
	return hosts[0], roots, nil
}
