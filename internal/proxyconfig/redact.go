package proxyconfig

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
)

// redacted replaces secret text in everything that is shown.
const redacted = "[redacted]"

// redact is JSON text with private keys, passwords and tokens replaced; the
// order of members and all other values stay as they are.
func redact(text json.RawMessage) json.RawMessage {
	if len(text) == 0 {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var out bytes.Buffer
	r := redactor{dec: dec, out: &out}
	if err := r.value(false, ""); err != nil {
		// It was decoded once already: this cannot happen; show nothing rather than a secret.
		return json.RawMessage(`"` + redacted + `"`)
	}
	return out.Bytes()
}

type redactor struct {
	dec *json.Decoder
	out *bytes.Buffer
}

// value copies one value; secret says that all strings in it are secret, and
// header is the name of the header whose value it is.
func (r *redactor) value(secret bool, header string) error {
	token, err := r.dec.Token()
	if err != nil {
		return err
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '{' {
			return r.object(secret)
		}
		return r.array(secret)
	case string:
		if secret && t != "" || SecretHeader(header) || SecretText(t) {
			t = redacted
		}
		return r.write(t)
	default:
		return r.write(t)
	}
}

func (r *redactor) write(v any) error {
	enc := json.NewEncoder(r.out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	r.out.Truncate(r.out.Len() - 1) // Encode ends with a newline
	return nil
}

func (r *redactor) object(secret bool) error {
	r.out.WriteByte('{')
	header := ""
	for first := true; r.dec.More(); first = false {
		if !first {
			r.out.WriteByte(',')
		}
		token, err := r.dec.Token()
		if err != nil {
			return err
		}
		key := token.(string)
		if err := r.write(key); err != nil {
			return err
		}
		r.out.WriteByte(':')
		name := snakeName(key)
		start := r.out.Len()
		// A header is {"key": "authorization", "value": "..."}.
		valueOf := ""
		if name == "value" || name == "raw_value" {
			valueOf = header
		}
		if err := r.value((secret || SecretMember(name)) && name != "filename", valueOf); err != nil {
			return err
		}
		if name == "key" {
			header = strings.Trim(r.out.String()[start:], `"`)
		}
	}
	r.out.WriteByte('}')
	_, err := r.dec.Token()
	return err
}

func (r *redactor) array(secret bool) error {
	r.out.WriteByte('[')
	for first := true; r.dec.More(); first = false {
		if !first {
			r.out.WriteByte(',')
		}
		if err := r.value(secret, ""); err != nil {
			return err
		}
	}
	r.out.WriteByte(']')
	_, err := r.dec.Token()
	return err
}

// SecretMember names the members whose strings are secret, however deep.
func SecretMember(name string) bool {
	switch name {
	case "private_key", "pkcs12", "password", "session_ticket_keys", "generic_secret",
		"access_token", "id_token", "refresh_token", "client_secret", "api_key":
		return true
	}
	return false
}

// SecretHeader says whether the value of a header is secret.
func SecretHeader(name string) bool {
	switch strings.ToLower(name) {
	case "authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key":
		return true
	}
	return false
}

// SecretText recognises secrets by how they look: private keys, JSON web
// tokens and authorization headers.
func SecretText(s string) bool {
	if len(s) < 20 {
		return false
	}
	if strings.Contains(s, "PRIVATE KEY-----") {
		return true
	}
	if strings.HasPrefix(s, "LS0tLS1CRUdJTi") { // "-----BEGIN " in base64
		b, err := base64.StdEncoding.DecodeString(s)
		return err != nil || bytes.Contains(b, []byte("PRIVATE KEY-----"))
	}
	return strings.HasPrefix(s, "Bearer ") || strings.HasPrefix(s, "Basic ") ||
		strings.HasPrefix(s, "eyJ") && webToken().MatchString(s)
}

func webToken() *regexp.Regexp {
	return regexp.MustCompile(`^eyJ[\w-]+\.eyJ[\w-]+\.[\w-]*$`)
}
