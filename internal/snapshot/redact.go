package snapshot

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/mesh"
)

// What does not go into a file:
//   - of Secrets, every value that is no certificate
//   - private keys, web tokens and authorization headers, wherever they stand
//   - values of environment variables, arguments and plug-in settings whose names
//     say that they are secret, and access tokens in the mesh config
//   - what nobody reads: managed fields, the object as last applied, schemas of
//     CRDs that are not Istio's or the Gateway API's, images on nodes
//
// What is the same stays the same: equal secrets get equal replacements.

// lastApplied is kubectl's copy of the whole object, secrets included.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// redacted is an object as it goes into a file.
func redacted(o *mesh.Object, known map[string]string) map[string]any {
	r := redactor{known: known}
	raw, _ := r.value(o.Raw(), "").(map[string]any)
	raw["apiVersion"], raw["kind"] = o.APIVersion, o.Kind.Kind
	if meta, ok := raw["metadata"].(map[string]any); ok {
		delete(meta, "managedFields")
		if notes, ok := meta["annotations"].(map[string]any); ok {
			delete(notes, lastApplied)
		}
	}
	switch o.Kind {
	case mesh.Secret:
		r.secret(raw)
	case mesh.ConfigMap:
		r.configMap(raw)
	case mesh.CustomResourceDefinition:
		withoutSchemas(raw)
	case mesh.Node:
		if status, ok := raw["status"].(map[string]any); ok {
			delete(status, "images")
		}
	case mesh.WasmPlugin, mesh.EnvoyFilter, mesh.TrafficExtension:
		raw["spec"] = r.settings(raw["spec"], false)
	}
	return raw
}

// redactor copies values without their secrets.
type redactor struct {
	// known are the replacements of secrets that were met before.
	known map[string]string
}

func (r *redactor) replace(secret string) string {
	if secret == "" {
		return ""
	}
	if r.known[secret] == "" {
		r.known[secret] = mesh.RedactedValue + "-" + strconv.Itoa(len(r.known)+1)
	}
	return r.known[secret]
}

// value copies a value that stands under a name.
func (r *redactor) value(v any, under string) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		name, _ := v["name"].(string)
		for k, item := range v {
			if text, ok := item.(string); ok && k == "value" && secretName(name) && !harmless(text) {
				out[k] = r.replace(text)
				continue
			}
			out[k] = r.value(item, k)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = r.value(item, under)
		}
		return out
	case string:
		return r.text(v, under)
	}
	return v
}

func (r *redactor) text(s, under string) string {
	switch under {
	case "args", "command":
		if name, value, found := strings.Cut(s, "="); found && secretName(name) && !harmless(value) {
			return name + "=" + r.replace(value)
		}
	case "jwks":
		return withoutPrivateParts(s)
	}
	if secretText(s) {
		return r.replace(s)
	}
	return s
}

// settings copies settings, without the values whose names are secret.
func (r *redactor) settings(v any, secret bool) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, item := range v {
			out[k] = r.settings(item, (secret || secretSetting().MatchString(k)) && k != "filename")
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = r.settings(item, secret)
		}
		return out
	case string:
		if secret && !harmless(v) {
			return r.replace(v)
		}
	}
	return v
}

// secret leaves of a Secret its certificates, and says of its private keys
// whether they belong to the certificate beside them.
func (r *redactor) secret(raw map[string]any) {
	delete(raw, "stringData")
	data, _ := raw["data"].(map[string]any)
	plain := map[string][]byte{}
	for k, v := range data {
		text, _ := v.(string)
		plain[k], _ = base64.StdEncoding.DecodeString(text)
	}
	for k := range data {
		value := plain[k]
		switch {
		case bytes.Contains(value, []byte("-----BEGIN CERTIFICATE-----")) && !bytes.Contains(value, []byte("PRIVATE KEY-----")),
			bytes.Contains(value, []byte("-----BEGIN X509 CRL-----")), len(value) == 0:
			continue
		case belongs(plain, k):
			data[k] = encoded(mesh.RedactedKey)
		default:
			data[k] = encoded(mesh.RedactedValue)
		}
	}
}

func encoded(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// belongs says whether a Secret's value is the private key of its certificate.
func belongs(data map[string][]byte, key string) bool {
	certificate := map[string]string{"tls.key": "tls.crt", "key": "cert"}[key]
	if certificate == "" {
		return false
	}
	_, err := tls.X509KeyPair(data[certificate], data[key])
	return err == nil
}

// configMap takes tokens out of the mesh config.
func (r *redactor) configMap(raw map[string]any) {
	data, _ := raw["data"].(map[string]any)
	for k, v := range data {
		if text, ok := v.(string); ok {
			data[k] = secretLine().ReplaceAllString(text, `${1}"`+mesh.RedactedValue+`"`)
		}
	}
}

// withoutSchemas leaves of a CRD that is of no interest its names and versions.
func withoutSchemas(raw map[string]any) {
	spec, _ := raw["spec"].(map[string]any)
	group, _ := spec["group"].(string)
	if strings.HasSuffix(group, ".istio.io") || group == mesh.KubernetesGateway.Group {
		return
	}
	versions, _ := spec["versions"].([]any)
	for _, v := range versions {
		if version, ok := v.(map[string]any); ok {
			delete(version, "schema")
		}
	}
}

// withoutPrivateParts is a set of web keys without what only their owner should have.
func withoutPrivateParts(jwks string) string {
	var set map[string]any
	if json.Unmarshal([]byte(jwks), &set) != nil {
		return jwks
	}
	keys, _ := set["keys"].([]any)
	private := false
	for _, k := range keys {
		key, _ := k.(map[string]any)
		for _, part := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
			if _, there := key[part]; there {
				key[part], private = mesh.RedactedValue, true
			}
		}
	}
	if !private {
		return jwks
	}
	text, err := json.Marshal(set)
	if err != nil {
		return fmt.Sprintf("%q", mesh.RedactedValue)
	}
	return string(text)
}

// secretName says whether the value of a variable or argument is secret.
func secretName(name string) bool { return secretWord().MatchString(name) }

// harmless values are no secrets, whatever their names: switches, numbers,
// paths and references.
func harmless(value string) bool {
	if _, err := strconv.ParseFloat(value, 64); err == nil && len(value) < 8 {
		return true
	}
	switch strings.ToLower(value) {
	case "", "true", "false":
		return true
	}
	return strings.HasPrefix(value, "/") || strings.HasPrefix(value, "$(")
}

// secretText recognises secrets by how they look.
func secretText(s string) bool {
	if len(s) < 20 {
		return false
	}
	return strings.Contains(s, "PRIVATE KEY-----") || passwordInURL().MatchString(s) || strings.HasPrefix(s, "Bearer ") || strings.HasPrefix(s, "Basic ") ||
		strings.HasPrefix(s, "eyJ") && webToken().MatchString(s)
}

// Text is a log or another text without the secrets that can be recognised in it.
func Text(s string) string {
	s = privateKeyText().ReplaceAllString(s, mesh.RedactedValue)
	s = tokenText().ReplaceAllString(s, mesh.RedactedValue)
	s = credentialText().ReplaceAllString(s, "${1} "+mesh.RedactedValue)
	s = passwordInURL().ReplaceAllString(s, "://"+mesh.RedactedValue+"@")
	return secretLine().ReplaceAllString(s, `${1}"`+mesh.RedactedValue+`"`)
}
