package ztunnel

import (
	"cmp"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/meshctl/meshctl/internal/output"
)

// Identity is a workload identity of this node and its certificates.
type Identity struct {
	// Name is its SPIFFE name.
	Name string `json:"identity"`
	// State is Available, Initializing or Unavailable.
	State string `json:"state"`
	// Reason is why it is not available, in ztunnel's words.
	Reason       string         `json:"reason,omitempty"`
	Certificates []*Certificate `json:"certificates"`
}

// Certificate is one of an identity's, from the leaf to the roots.
type Certificate struct {
	// Type is Leaf, Intermediate or Root.
	Type string `json:"type"`
	// Serial is in hexadecimal digits, as openssl shows it.
	Serial    string     `json:"serialNumber"`
	NotBefore *time.Time `json:"notBefore,omitempty"`
	NotAfter  *time.Time `json:"notAfter,omitempty"`
	// Valid says that now is between the two; nil when they are not known.
	Valid *bool `json:"valid,omitempty"`
	// Names are what the certificate is good for, where the dump has its text.
	Names []string `json:"names"`
}

// UnmarshalJSON reads an identity as ztunnel writes it: a chain, leaf first,
// and roots; in older versions the first of the chain is apart.
func (i *Identity) UnmarshalJSON(b []byte) error {
	var w struct {
		Identity string     `json:"identity"`
		State    string     `json:"state"`
		First    []wireCert `json:"ca_cert"`
		Chain    []wireCert `json:"certChain"`
		Older    []wireCert `json:"cert_chain"`
		Roots    []wireCert `json:"rootCerts"`
	}
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	i.Name, i.Certificates = w.Identity, []*Certificate{}
	i.State, i.Reason, _ = strings.Cut(w.State, ": ")
	kind := "Leaf"
	for _, c := range slices.Concat(w.First, w.Chain, w.Older) {
		i.Certificates = append(i.Certificates, c.certificate(kind))
		kind = "Intermediate"
	}
	for _, c := range w.Roots {
		i.Certificates = append(i.Certificates, c.certificate("Root"))
	}
	return nil
}

type wireCert struct {
	PEM       string `json:"pem"`
	Serial    string `json:"serialNumber"`
	From      string `json:"validFrom"`
	To        string `json:"expirationTime"`
	OldSerial string `json:"serial_number"`
	OldFrom   string `json:"valid_from"`
	OldTo     string `json:"expiration_time"`
}

func (w wireCert) certificate(kind string) *Certificate {
	c := &Certificate{Type: kind, Serial: cmp.Or(w.Serial, w.OldSerial), Names: []string{}}
	if n, ok := new(big.Int).SetString(c.Serial, 10); ok {
		c.Serial = fmt.Sprintf("%x", n)
	}
	if t, err := time.Parse(time.RFC3339, cmp.Or(w.From, w.OldFrom)); err == nil {
		c.NotBefore = &t
	}
	if t, err := time.Parse(time.RFC3339, cmp.Or(w.To, w.OldTo)); err == nil {
		c.NotAfter = &t
	}
	if x := w.parse(); x != nil {
		for _, u := range x.URIs {
			c.Names = append(c.Names, u.String())
		}
		c.Names = append(c.Names, x.DNSNames...)
	}
	return c
}

// parse is the certificate, nil where the dump does not have its text, which
// is PEM in base64.
func (w wireCert) parse() *x509.Certificate {
	text, err := base64.StdEncoding.DecodeString(w.PEM)
	if err != nil {
		text = []byte(w.PEM)
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil
	}
	x, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil
	}
	return x
}

// CertificateList is the result of ztunnel-config certificate.
type CertificateList struct {
	Ztunnel      string      `json:"ztunnel"`
	Certificates []*Identity `json:"certificates"`
	now          time.Time
}

// ListCertificates is the certificates of all identities, or of the pod's,
// judged at the time now.
func (d *Dump) ListCertificates(pod Pod, now time.Time) *CertificateList {
	l := &CertificateList{Ztunnel: d.Ztunnel, Certificates: []*Identity{}, now: now}
	for _, i := range d.Certificates {
		if pod.Name != "" && !strings.HasSuffix(i.Name, "/ns/"+pod.Namespace+"/sa/"+pod.ServiceAccount) {
			continue
		}
		for _, c := range i.Certificates {
			if c.NotBefore != nil && c.NotAfter != nil {
				valid := !now.Before(*c.NotBefore) && !now.After(*c.NotAfter)
				c.Valid = &valid
			}
		}
		l.Certificates = append(l.Certificates, i)
	}
	return l
}

// DocumentKind is the kind of the JSON and YAML document.
func (*CertificateList) DocumentKind() string { return "ZtunnelCertificates" }

// Tables is one row per certificate; an identity without one has a row, too.
func (l *CertificateList) Tables(wide bool) []output.Table {
	t := output.Table{
		Columns: []string{"CERTIFICATE NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE"},
		Empty:   "No certificates found.",
		Tone: func(column int, cell string) output.Tone {
			if column == 3 && cell == "false" || column == 2 && cell == "Unavailable" {
				return output.Bad
			}
			return output.Plain
		},
	}
	if wide {
		t.Columns = append(t.Columns, "EXPIRES IN", "NAMES")
	}
	for _, i := range l.Certificates {
		rows := i.Certificates
		if len(rows) == 0 {
			rows = []*Certificate{{Type: "NA", Serial: "NA", Valid: new(bool)}}
		}
		for _, c := range rows {
			valid := "NA"
			if c.Valid != nil {
				valid = fmt.Sprint(*c.Valid)
			}
			row := []string{i.Name, c.Type, i.State, valid, c.Serial, stamp(c.NotAfter), stamp(c.NotBefore)}
			if wide {
				row = append(row, l.expiry(c), orDash(strings.Join(c.Names, ",")))
			}
			t.Rows = append(t.Rows, row)
		}
		if i.Reason != "" {
			t.After = append(t.After, "", i.Name+" has no certificate: "+i.Reason)
		}
	}
	return []output.Table{t}
}

func (l *CertificateList) expiry(c *Certificate) string {
	switch {
	case c.NotAfter == nil:
		return "-"
	case l.now.After(*c.NotAfter):
		return "expired"
	}
	left := c.NotAfter.Sub(l.now)
	if left >= 48*time.Hour {
		return fmt.Sprintf("%dd", int(left.Hours())/24)
	}
	return left.Truncate(time.Minute).String()
}

func stamp(t *time.Time) string {
	if t == nil {
		return "NA"
	}
	return t.UTC().Format(time.RFC3339)
}
