package proxyconfig

import (
	"cmp"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meshctl/meshctl/internal/output"
)

// SecretsPath is the admin request for what [ReadSecrets] reads.
const SecretsPath = "/config_dump?mask=dynamic_active_secrets,dynamic_warming_secrets,static_secrets"

// Secret is a certificate that the proxy has, or waits for. A secret with
// several certificates, such as a bundle of roots, has one entry for each.
type Secret struct {
	Name string `json:"name"`
	// Type is Cert Chain, CA, Session Tickets or Generic.
	Type string `json:"type"`
	// Status is ACTIVE, WARMING (Envoy waits for it) or UNINITIALIZED (it is empty).
	Status string `json:"status"`
	// Valid says that now is between NotBefore and NotAfter; nil when there is
	// no certificate to judge.
	Valid       *bool      `json:"valid,omitempty"`
	Serial      string     `json:"serialNumber,omitempty"`
	NotAfter    *time.Time `json:"notAfter,omitempty"`
	NotBefore   *time.Time `json:"notBefore,omitempty"`
	TrustDomain string     `json:"trustDomain,omitempty"`
	// Names are the names that the certificate is good for.
	Names  []string `json:"names"`
	Issuer string   `json:"issuer,omitempty"`
	// Problem is why the certificate could not be read.
	Problem string          `json:"problem,omitempty"`
	Config  json.RawMessage `json:"config,omitempty"`
}

// SecretList is the result of proxy-config secret.
type SecretList struct {
	Proxy   string   `json:"proxy"`
	Secrets []Secret `json:"secrets"`
	now     time.Time
}

type wireSecretState struct {
	Name   string `json:"name"`
	Secret struct {
		Name  string `json:"name"`
		Chain *struct {
			Chain wireData `json:"certificate_chain"`
		} `json:"tls_certificate"`
		CA *struct {
			CA wireData `json:"trusted_ca"`
		} `json:"validation_context"`
		Tickets *struct{} `json:"session_ticket_keys"`
		Generic *struct{} `json:"generic_secret"`
	} `json:"secret"`
}

type wireData struct {
	Bytes string `json:"inline_bytes"`
	Text  string `json:"inline_string"`
	File  string `json:"filename"`
}

// ReadSecrets reads the certificates of a dump, and judges them at the time now.
func ReadSecrets(s Source, now time.Time) (*SecretList, error) {
	l := &SecretList{Proxy: s.Name, Secrets: []Secret{}, now: now}
	if err := s.read(l.part()); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *SecretList) part() part {
	read := func(status string) Field {
		return func(e Element) error {
			var w wireSecretState
			raw, err := e.Decode(&w, "secret")
			if err != nil {
				return err
			}
			for _, secret := range w.secrets(status, l.now) {
				secret.Config = raw
				l.Secrets = append(l.Secrets, secret)
			}
			return nil
		}
	}
	return part{
		sections: []string{"SecretsConfigDump"},
		fields: map[string]Field{
			"static_secrets":          read("ACTIVE"),
			"dynamic_active_secrets":  read("ACTIVE"),
			"dynamic_warming_secrets": read("WARMING"),
		},
		done: func() error {
			// What Envoy still waits for comes first; otherwise its own order.
			slices.SortStableFunc(l.Secrets, func(a, b Secret) int { return a.rank() - b.rank() })
			return nil
		},
	}
}

func (s *Secret) rank() int {
	if s.Status == "WARMING" {
		return 0
	}
	return 1
}

func (w *wireSecretState) secrets(status string, now time.Time) []Secret {
	base := Secret{Name: cmp.Or(w.Name, w.Secret.Name), Status: status, Type: "-", Names: []string{}}
	var data wireData
	switch {
	case w.Secret.Chain != nil:
		base.Type, data = "Cert Chain", w.Secret.Chain.Chain
	case w.Secret.CA != nil:
		base.Type, data = "CA", w.Secret.CA.CA
	case w.Secret.Tickets != nil, w.Secret.Generic != nil:
		// Nothing of them may be shown, and nothing in them is to be judged.
		if base.Type = "Generic"; w.Secret.Tickets != nil {
			base.Type = "Session Tickets"
		}
		return []Secret{base}
	default:
		if status == "ACTIVE" {
			base.Status = "UNINITIALIZED"
		}
		return []Secret{base}
	}
	if data.File != "" {
		base.Problem = "it is in the file " + data.File + " of the proxy"
		return []Secret{base}
	}
	certs, err := data.certificates()
	if err != nil || len(certs) == 0 {
		if err != nil {
			base.Problem = err.Error()
		} else if status == "ACTIVE" {
			base.Status = "UNINITIALIZED"
		}
		return []Secret{base}
	}
	if base.Type == "Cert Chain" {
		certs = certs[:1] // the proxy's own; the rest leads to the root
	}
	var all []Secret
	for _, c := range certs {
		all = append(all, base.of(c, now))
	}
	return all
}

func (d wireData) certificates() ([]*x509.Certificate, error) {
	text := []byte(d.Text)
	if d.Bytes != "" {
		var err error
		if text, err = base64.StdEncoding.DecodeString(d.Bytes); err != nil {
			return nil, fmt.Errorf("its bytes are not base64: %w", err)
		}
	}
	var certs []*x509.Certificate
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("it is not a certificate: %w", err)
		}
		certs = append(certs, c)
	}
	if len(certs) == 0 && len(strings.TrimSpace(string(text))) > 0 {
		return nil, fmt.Errorf("it is not a certificate in PEM")
	}
	return certs, nil
}

func (s Secret) of(c *x509.Certificate, now time.Time) Secret {
	after, before := c.NotAfter.UTC(), c.NotBefore.UTC()
	s.Serial = fmt.Sprintf("%032x", c.SerialNumber)
	s.NotAfter, s.NotBefore = &after, &before
	valid := !now.Before(before) && !now.After(after)
	s.Valid = &valid
	s.Issuer = c.Issuer.String()
	s.Names = []string{}
	for _, u := range c.URIs {
		s.Names = append(s.Names, u.String())
		if u.Scheme == "spiffe" && s.TrustDomain == "" {
			s.TrustDomain = u.Host
		}
	}
	s.Names = append(s.Names, c.DNSNames...)
	return s
}

// DocumentKind is the kind of the JSON and YAML document.
func (*SecretList) DocumentKind() string { return "ProxySecrets" }

// Tables is one row per certificate.
func (l *SecretList) Tables(wide bool) []output.Table {
	t := output.Table{
		Columns: []string{"RESOURCE NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE"},
		Empty:   "No secrets found.",
		Tone: func(column int, cell string) output.Tone {
			if column == 3 && cell == "false" || cell == "UNINITIALIZED" {
				return output.Bad
			}
			if cell == "WARMING" {
				return output.Warn
			}
			return output.Plain
		},
	}
	trust := wide || l.allTrusted()
	if trust {
		t.Columns = append(t.Columns, "TRUST DOMAIN")
	}
	if wide {
		t.Columns = append(t.Columns, "EXPIRES IN", "NAMES", "ISSUER")
	}
	for i := range l.Secrets {
		s := &l.Secrets[i]
		valid := "-"
		if s.Valid != nil {
			valid = fmt.Sprint(*s.Valid)
		}
		row := []string{s.Name, s.Type, s.Status, valid, orDash(s.Serial), stamp(s.NotAfter), stamp(s.NotBefore)}
		if trust {
			row = append(row, orDash(s.TrustDomain))
		}
		if wide {
			row = append(row, l.expiry(s), orDash(strings.Join(s.Names, ",")), orDash(s.Issuer))
		}
		t.Rows = append(t.Rows, row)
		if s.Problem != "" {
			t.After = append(t.After, "", "Secret "+s.Name+" cannot be judged: "+s.Problem)
		}
	}
	return []output.Table{t}
}

// allTrusted says whether every certificate names a trust domain.
func (l *SecretList) allTrusted() bool {
	return len(l.Secrets) > 0 && !slices.ContainsFunc(l.Secrets, func(s Secret) bool { return s.TrustDomain == "" })
}

func (l *SecretList) expiry(s *Secret) string {
	switch {
	case s.NotAfter == nil:
		return "-"
	case l.now.After(*s.NotAfter):
		return "expired"
	}
	return age(s.NotAfter.Sub(l.now))
}

func stamp(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.Format(time.RFC3339)
}
