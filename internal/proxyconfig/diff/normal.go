package diff

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/meshctl/meshctl/internal/proxyconfig"
)

// ignored says whether a member says nothing about what Envoy does: the
// version and time of a part, what is on its way out, a refused configuration
// (its error is kept), and what Envoy was built with.
func ignored(name string) bool {
	switch name {
	case "version_info", "last_updated", "last_update_attempt", "draining_state", "failed_configuration",
		"client_status", "hidden_envoy_deprecated_build_version":
		return true
	}
	return false
}

// hashLabel says whether a label is a hash or number that a controller gives
// to each generation of a workload's pods, or to each pod.
func hashLabel(name string) bool {
	switch name {
	case "pod-template-hash", "controller-revision-hash", "pod-template-generation",
		"statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index", "batch.kubernetes.io/controller-uid",
		"controller-uid", "batch.kubernetes.io/job-completion-index":
		return true
	}
	return false
}

// ofRevision says whether a member of a node's metadata differs between
// revisions, or between the workloads that stand for each other under them.
func ofRevision(name string) bool {
	switch name {
	case "ISTIO_VERSION", "WORKLOAD_NAME", "OWNER":
		return true
	}
	return false
}

// listOrder is how the order of a list counts.
type listOrder int

const (
	ordered listOrder = iota // it does
	unordered
)

// orderOf is how the order of a list counts that stands in member name of
// member parent.
func orderOf(parent, name string) listOrder {
	switch parent + "." + name {
	case "or_rules.rules", "and_rules.rules", "or_ids.ids", "and_ids.ids", "match.headers", "match.query_parameters",
		"weighted_clusters.clusters", "static_resources.clusters", "static_resources.listeners", "static_resources.secrets":
		return unordered
	}
	switch name {
	case "virtual_hosts", "domains", "endpoints", "lb_endpoints", "filter_chains", "additional_addresses",
		"prefix_ranges", "source_prefix_ranges", "direct_source_prefix_ranges", "server_names", "application_protocols", "source_ports",
		"permissions", "principals", "services", "retriable_status_codes", "retriable_headers", "retriable_request_headers",
		"match_typed_subject_alt_names", "match_subject_alt_names", "verify_subject_alt_name", "allow_origin_string_match",
		"subset_selectors", "keys", "upgrade_configs", "audiences", "stats_tags", "patterns", "custom_tags", "access_log",
		"retry_host_predicate", "request_headers_to_remove", "response_headers_to_remove", "status_codes", "from_headers",
		"certificates":
		return unordered
	}
	return ordered
}

// redacted stands for secret text.
const redacted = "[redacted]"

// isRedacted says whether a value stands for one that was taken out, by meshctl
// or by Envoy, which writes bytes in base64.
func isRedacted(s string) bool { return s == redacted || s == "W3JlZGFjdGVkXQ==" }

// secret is text that is compared but never shown.
type secret string

// MarshalJSON hides the text.
func (secret) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }

// normaliser makes of an element's JSON a tree in which equal means the same.
type normaliser struct {
	// fold spells all names as Envoy does; needed when the other side is istiod's.
	fold bool
	// self replaces what names the pod itself, nil for none.
	self *replacer
	// pod drops what differs between pods by nature.
	pod bool
	// revision drops what names the revision of Istio and its version, and the workload.
	revision bool
	// served drops what Envoy adds to what istiod sent.
	served bool
	// hide takes all secrets for equal: one side is without its secrets.
	hide bool
}

// tree decodes and normalises one element.
func (n *normaliser) tree(text []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	return n.value(v, context{}), nil
}

// context is where a value stands.
type context struct {
	parent, name string
	secret       bool
}

func (n *normaliser) value(v any, at context) any {
	switch v := v.(type) {
	case map[string]any:
		return n.object(v, at)
	case []any:
		for i := range v {
			v[i] = n.value(v[i], context{parent: at.parent, name: at.name, secret: at.secret})
		}
		return v
	case json.Number:
		if at.secret {
			return n.text(v.String(), at)
		}
		return json.Number(number(v.String()))
	case string:
		return n.text(v, at)
	}
	return v
}

func (n *normaliser) object(v map[string]any, at context) any {
	if at.name == "certificate_chain" || at.name == "trusted_ca" {
		if certs := certificatesOf(v); certs != nil {
			return certs
		}
	}
	label, _ := v["key"].(string)
	if label == "" {
		label, _ = v["name"].(string)
	}
	out := make(map[string]any, len(v))
	for key, item := range v {
		name := key
		if n.fold {
			name = string(fold(nil, []byte(key)))
		}
		if n.drops(name, item, at) {
			continue
		}
		_, plain := item.(string)
		inner := context{parent: at.name, name: name, secret: at.secret && name != "filename" || proxyconfig.SecretMember(key) ||
			plain && proxyconfig.SecretSetting(key) || proxyconfig.SecretValue(key, label)}
		if rows, ok := item.([]any); ok && len(rows) > 0 && proxyconfig.SecretRows(key) {
			inner.secret = true
		}
		out[name] = n.value(item, inner)
	}
	return out
}

// drops says whether a member means nothing.
func (n *normaliser) drops(name string, item any, at context) bool {
	switch {
	case ignored(name):
		return true
	case name == "extensions" && at.name == "node":
		return true // what Envoy was built with
	case n.pod && hashLabel(name):
		return true
	case n.revision && (name == "istio.io/rev" || at.parent == "node" && at.name == "metadata" && ofRevision(name)):
		return true
	case n.served:
		return addedByEnvoy(name, item)
	}
	return false
}

// addedByEnvoy says whether Envoy's dump of endpoints has a member that istiod
// did not send: defaults, and the health that Envoy itself found.
func addedByEnvoy(name string, item any) bool {
	switch name {
	case "policy", "locality", "health_check_config":
		m, isObject := item.(map[string]any)
		return isObject && (len(m) == 0 || name == "policy" && len(m) == 1 && m["overprovisioning_factor"] != nil)
	case "health_status":
		return item == "HEALTHY" || item == "UNKNOWN"
	case "load_balancing_weight":
		return item == json.Number("1")
	case "priority":
		return item == json.Number("0")
	}
	return false
}

func (n *normaliser) text(s string, at context) any {
	if isRedacted(s) {
		return secret(redacted)
	}
	switch {
	case n.hide && s != "" && at.secret:
		return secret(redacted)
	case n.hide:
		s = proxyconfig.RedactText(s)
	case s != "" && at.secret, proxyconfig.SecretText(s):
		return secret(s)
	}
	s = n.self.replace(s)
	if d, ok := duration(s); ok {
		return d
	}
	return s
}

var durationText = regexp.MustCompile(`^(-?\d+)(?:\.(\d+))?s$`)

// duration writes a duration in one way: 10.500s is 10.5s.
func duration(s string) (string, bool) {
	if len(s) < 2 || s[len(s)-1] != 's' || s[0] != '-' && (s[0] < '0' || s[0] > '9') {
		return "", false
	}
	m := durationText.FindStringSubmatch(s)
	if m == nil {
		return "", false
	}
	if fraction := strings.TrimRight(m[2], "0"); fraction != "" {
		return m[1] + "." + fraction + "s", true
	}
	return m[1] + "s", true
}

// canonical is a normalised value as text that is the same for equal values.
func canonical(v any) string {
	var b bytes.Buffer
	writeCanonical(&b, "", "", v)
	return b.String()
}
