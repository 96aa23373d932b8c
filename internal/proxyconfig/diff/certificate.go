package diff

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"time"
)

// certificatesOf is what certificates say, of a data source that has them in
// itself; nil of others.
func certificatesOf(source map[string]any) any {
	text, _ := source["inline_string"].(string)
	for _, name := range []string{"inline_bytes", "inlineBytes"} {
		if encoded, ok := source[name].(string); ok {
			raw, err := base64.StdEncoding.DecodeString(encoded)
			if err != nil {
				return nil
			}
			text = string(raw)
		}
	}
	var all []any
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil || block.Type != "CERTIFICATE" {
			return nil
		}
		all = append(all, certificate(c))
	}
	if all == nil {
		return nil
	}
	return map[string]any{"certificates": all}
}

func certificate(c *x509.Certificate) map[string]any {
	var names []any
	for _, u := range c.URIs {
		names = append(names, u.String())
	}
	for _, n := range c.DNSNames {
		names = append(names, n)
	}
	m := map[string]any{
		"issuer":        c.Issuer.String(),
		"serial_number": fmt.Sprintf("%x", c.SerialNumber.Bytes()),
		"not_before":    c.NotBefore.UTC().Format(time.RFC3339),
		"not_after":     c.NotAfter.UTC().Format(time.RFC3339),
		"key":           c.PublicKeyAlgorithm.String(),
		"is_ca":         c.IsCA,
	}
	if names != nil {
		m["names"] = names
	}
	if s := c.Subject.String(); s != "" {
		m["subject"] = s
	}
	m["version"] = json.Number(fmt.Sprint(c.Version))
	return m
}

// ownCertificate drops of a workload's own certificate what each one has of
// its own: number and validity; istiod issues a new one every day.
func ownCertificate(v any) {
	m, _ := v.(map[string]any)
	for _, item := range m {
		ownCertificate(item)
		list, _ := item.([]any)
		for _, entry := range list {
			if c, ok := entry.(map[string]any); ok {
				for _, name := range []string{"serial_number", "not_before", "not_after"} {
					delete(c, name)
				}
			}
		}
	}
}
