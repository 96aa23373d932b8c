package proxyconfig

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"io"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/hint"
)

// Trust is whom a proxy trusts in the mesh, and how it shows who it is.
type Trust struct {
	// Proxy is the pod or file it is from.
	Proxy string
	// Secret is the name of the secret with the roots.
	Secret string
	Roots  []*x509.Certificate
	// Chain is the proxy's own certificate and what leads to a root; empty when not known.
	Chain []*x509.Certificate
}

// TrustDomain is that of the proxy's own certificate; "" when not known.
func (t *Trust) TrustDomain() string {
	if len(t.Chain) == 0 {
		return ""
	}
	for _, u := range t.Chain[0].URIs {
		if u.Scheme == "spiffe" {
			return u.Host
		}
	}
	return ""
}

// The names that Istio gives the secrets of the mesh's own certificates.
const (
	meshRoots = "ROOTCA"
	meshCert  = "default"
)

// ReadTrust reads the roots and the certificate of a dump; of a PEM file all
// its certificates are roots.
func ReadTrust(s Source) (*Trust, error) {
	t := &Trust{Proxy: s.Name}
	b := bufio.NewReaderSize(s.Reader, 64<<10)
	if head, _ := b.Peek(4096); bytes.Contains(head, []byte("-----BEGIN CERTIFICATE")) && !bytes.HasPrefix(bytes.TrimSpace(head), []byte("{")) {
		return t.readPEM(b)
	}
	s.Reader = b
	roots, chains := map[string][]*x509.Certificate{}, map[string][]*x509.Certificate{}
	read := func(e Element) error {
		var w wireTrust
		if _, err := e.Decode(&w); err != nil {
			return err
		}
		return w.into(s.Name, roots, chains)
	}
	err := s.Each([]string{"SecretsConfigDump"}, map[string]Field{"static_secrets": read, "dynamic_active_secrets": read})
	if err != nil {
		return nil, err
	}
	return t, t.choose(roots, chains)
}

// choose takes Istio's own secrets, or where these have other names the only ones there are.
func (t *Trust) choose(roots, chains map[string][]*x509.Certificate) error {
	if t.Chain = chains[meshCert]; len(chains) == 1 {
		for _, chain := range chains {
			t.Chain = chain
		}
	}
	var names []string
	for name := range roots {
		names = append(names, name)
	}
	slices.Sort(names)
	switch {
	case len(roots[meshRoots]) > 0:
		t.Secret = meshRoots
	case len(names) == 1:
		t.Secret = names[0]
	case len(names) == 0:
		return hint.Unanswerablef("`meshctl proxy-config secret` shows what it has and what it waits for", "%s has no root certificates", t.Proxy)
	default:
		return hint.Unanswerablef("its secrets: "+strings.Join(names, ", "), "%s has several sets of root certificates, and none is called %s", t.Proxy, meshRoots)
	}
	t.Roots = roots[t.Secret]
	return nil
}

func (t *Trust) readPEM(r io.Reader) (*Trust, error) {
	text, err := io.ReadAll(io.LimitReader(r, 16<<20))
	if err == nil {
		t.Secret = "PEM"
		t.Roots, err = wireData{Text: string(text)}.certificates()
	}
	if err != nil {
		return nil, hint.Unanswerablef("", "reading the certificates in %s: %w", t.Proxy, err)
	}
	return t, nil
}

// wireTrust is a secret with all ways to give roots.
type wireTrust struct {
	Name   string `json:"name"`
	Secret struct {
		Name  string `json:"name"`
		Chain *struct {
			Chain wireData `json:"certificate_chain"`
		} `json:"tls_certificate"`
		CA *struct {
			CA wireData `json:"trusted_ca"`
			// Custom has roots for each trust domain, by SPIFFE's rules.
			Custom struct {
				Config struct {
					Domains []struct {
						Bundle wireData `json:"trust_bundle"`
					} `json:"trust_domains"`
				} `json:"typed_config"`
			} `json:"custom_validator_config"`
		} `json:"validation_context"`
	} `json:"secret"`
}

// into adds the certificates of the secret to roots or chains, by its name.
func (w *wireTrust) into(proxy string, roots, chains map[string][]*x509.Certificate) error {
	name := w.Name
	if name == "" {
		name = w.Secret.Name
	}
	var all []wireData
	to := roots
	switch {
	case w.Secret.Chain != nil:
		all, to = append(all, w.Secret.Chain.Chain), chains
	case w.Secret.CA != nil:
		all = append(all, w.Secret.CA.CA)
		for _, d := range w.Secret.CA.Custom.Config.Domains {
			all = append(all, d.Bundle)
		}
	}
	for _, data := range all {
		if data.File != "" && name == meshRoots {
			return hint.Unanswerablef("read it in the pod, and compare the file", "the root certificates of %s are in its file %s, which is not in its configuration", proxy, data.File)
		}
		certs, err := data.certificates()
		if err != nil {
			return hint.Unanswerablef("", "the certificate %q of %s cannot be read: %w", name, proxy, err)
		}
		to[name] = append(to[name], certs...)
		if len(to[name]) == 0 {
			delete(to, name)
		}
	}
	return nil
}
