package upgrade

import (
	_ "embed"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/mesh"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	_ "istio.io/istio/pkg/config/xds" // the types of Envoy's API, as istiod of this release knows them
)

const envoyFilterDocs = "https://istio.io/latest/docs/reference/config/networking/envoy-filter/"

// envoyFilters looks at every EnvoyFilter: none of them is covered by any
// promise of compatibility.
func (p *planner) envoyFilters() {
	if why := p.facts.missing(mesh.EnvoyFilter); !why.empty() {
		p.undecided("envoy-filters", why)
		return
	}
	if p.plan.To.Compare(p.plan.From) == 0 {
		return // nothing changes for them
	}
	all := &Finding{
		ID: "envoy-filters", Severity: Action, Title: "EnvoyFilters patch what istiod generates, and that changes with every release",
		What: "Istio promises no compatibility for them: a patch may stop matching without a word, or break the proxies it applies to.",
		Todo: "Try them with one workload on the new version, and compare: `meshctl proxy-config listener|cluster|route POD -o json` before and after.",
		Link: envoyFilterDocs,
	}
	if p.plan.To.Minor() == p.plan.From.Minor() {
		all.Severity = Note // patches keep what istiod generates, as a rule
	}
	version := &Finding{
		ID: "envoy-filter-proxy-version", Severity: Blocker, Title: "EnvoyFilter patches that no proxy of " + p.plan.To.String() + " will get",
		What: "Their proxyVersion does not match the new version: the patch silently goes away with the upgrade.",
		Todo: "Widen proxyVersion, or leave it out, once the patch was tried on the new version.", Link: envoyFilterDocs,
	}
	unknown := &Finding{
		ID: "envoy-filter-unknown", Severity: Blocker, Title: "EnvoyFilters use what the Envoy of Istio " + p.plan.To.Minor() + " does not know",
		What: "Types and fields that were removed or renamed, or never existed. Such a patch is refused or dropped.",
		Todo: "Look them up in Envoy's version history and write what replaced them: https://www.envoyproxy.io/docs/envoy/latest/version_history/version_history",
		Link: envoyFilterDocs,
	}
	deprecated := &Finding{
		ID: "envoy-filter-deprecated", Severity: Action, Title: "EnvoyFilters use what Envoy is about to drop",
		What: "Fields that Envoy's API marks as deprecated, and filters under their old names, which match nothing any more.",
		Todo: "Write what replaced them.", Link: envoyFilterDocs,
	}
	for _, o := range p.in.Snapshot.Objects(mesh.EnvoyFilter) {
		patches, _ := o.Field("spec", "configPatches").([]any)
		var kinds []string
		for i, item := range patches {
			patch, _ := item.(map[string]any)
			kinds = append(kinds, describePatch(patch))
			p.proxyVersion(version, o, i, patch)
			if p.current() {
				w := envoyWalk{object: o, unknown: unknown, deprecated: deprecated}
				path := mesh.Path{"spec", "configPatches", i}
				w.names(path.Join("match"), patch["match"])
				w.any(path.Join("patch").Join("value"), text(patch, "patch", "value"))
			}
		}
		all.Hits = append(all.Hits, hit(mesh.Location{Object: o}, "%s", summarise(kinds)))
	}
	if !p.current() && len(all.Hits) > 0 {
		p.undecided(unknown.ID, because("this meshctl holds the Envoy API of Istio "+p.in.Embedded+" only"))
	}
	for _, f := range []*Finding{version, unknown, deprecated, all} {
		if len(f.Hits) > 0 {
			p.add(f)
		}
	}
}

// proxyVersion finds a patch that applies to the old proxies only.
func (p *planner) proxyVersion(f *Finding, o *mesh.Object, i int, patch map[string]any) {
	expression, _ := text(patch, "match", "proxy", "proxyVersion").(string)
	if expression == "" {
		return
	}
	re, err := regexp.Compile(expression)
	at := o.At("spec.configPatches[%d].match.proxy.proxyVersion", i)
	switch {
	case err != nil:
		f.Hits = append(f.Hits, hit(at, "%s is no regular expression: %v", expression, err))
	case !re.MatchString(p.plan.To.String()) && re.MatchString(p.plan.From.String()):
		f.Hits = append(f.Hits, hit(at, "%s matches %s, not %s", expression, p.plan.From, p.plan.To))
	}
}

// text is the value at the names given, nil where there is none.
func text(value any, names ...string) any {
	for _, name := range names {
		m, _ := value.(map[string]any)
		value = m[name]
	}
	return value
}

// describePatch is a patch in a few words, such as HTTP_FILTER INSERT_BEFORE.
func describePatch(patch map[string]any) string {
	on, _ := patch["applyTo"].(string)
	operation, _ := text(patch, "patch", "operation").(string)
	return strings.TrimSpace(on + " " + operation)
}

func summarise(kinds []string) string {
	counts := map[string]int{}
	for _, k := range kinds {
		counts[k]++
	}
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		if counts[k] > 1 {
			k = fmt.Sprintf("%s (%d)", k, counts[k])
		}
		parts = append(parts, k)
	}
	return strings.Join(parts, ", ")
}

// oldNames are filters' names before Envoy 1.14, with what they are now.
// istiod matches a filter by its full name only.
func oldNames() map[string]string {
	return map[string]string{
		"envoy.http_connection_manager": "envoy.filters.network.http_connection_manager", "envoy.tcp_proxy": "envoy.filters.network.tcp_proxy",
		"envoy.mongo_proxy": "envoy.filters.network.mongo_proxy", "envoy.redis_proxy": "envoy.filters.network.redis_proxy",
		"envoy.ratelimit": "envoy.filters.network.ratelimit", "envoy.ext_authz": "envoy.filters.http.ext_authz",
		"envoy.router": "envoy.filters.http.router", "envoy.cors": "envoy.filters.http.cors", "envoy.fault": "envoy.filters.http.fault",
		"envoy.lua": "envoy.filters.http.lua", "envoy.rate_limit": "envoy.filters.http.ratelimit", "envoy.gzip": "envoy.filters.http.compressor",
		"envoy.filters.http.gzip": "envoy.filters.http.compressor", "envoy.buffer": "envoy.filters.http.buffer",
		"envoy.health_check": "envoy.filters.http.health_check", "envoy.grpc_web": "envoy.filters.http.grpc_web",
		"envoy.grpc_json_transcoder": "envoy.filters.http.grpc_json_transcoder", "envoy.grpc_http1_bridge": "envoy.filters.http.grpc_http1_bridge",
		"envoy.listener.tls_inspector": "envoy.filters.listener.tls_inspector", "envoy.listener.original_dst": "envoy.filters.listener.original_dst",
		"envoy.listener.original_src": "envoy.filters.listener.original_src", "envoy.listener.proxy_protocol": "envoy.filters.listener.proxy_protocol",
		"envoy.listener.http_inspector": "envoy.filters.listener.http_inspector", "envoy.file_access_log": "envoy.access_loggers.file",
		"envoy.http_grpc_access_log": "envoy.access_loggers.http_grpc", "envoy.tcp_grpc_access_log": "envoy.access_loggers.tcp_grpc",
	}
}

// envoyWalk compares a patch with Envoy's API.
type envoyWalk struct {
	object              *mesh.Object
	unknown, deprecated *Finding
}

// names finds old names of filters in a patch's match.
func (w *envoyWalk) names(path mesh.Path, value any) {
	m, _ := value.(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if name, ok := m[key].(string); ok && key == "name" {
			if now, old := oldNames()[name]; old {
				w.deprecated.Hits = append(w.deprecated.Hits, hit(w.object.At("%s", path.Join(key)), "%s is %s since Envoy 1.14", name, now))
			}
			continue
		}
		w.names(path.Join(key), m[key])
	}
}

// any looks for typed configuration anywhere below value, which itself is of
// no known type.
func (w *envoyWalk) any(path mesh.Path, value any) {
	switch v := value.(type) {
	case map[string]any:
		if url, ok := v["@type"].(string); ok {
			w.typed(path, url, v)
			return
		}
		if name, ok := v["name"].(string); ok {
			if now, old := oldNames()[name]; old {
				w.deprecated.Hits = append(w.deprecated.Hits, hit(w.object.At("%s", path.Join("name")), "%s is %s since Envoy 1.14", name, now))
			}
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			w.any(path.Join(key), v[key])
		}
	case []any:
		for i, item := range v {
			w.any(path.Join(i), item)
		}
	}
}

// typed looks at a message that names its type.
func (w *envoyWalk) typed(path mesh.Path, url string, value map[string]any) {
	name := url[strings.LastIndex(url, "/")+1:]
	if name == "udpa.type.v1.TypedStruct" || name == "xds.type.v3.TypedStruct" {
		inner := path.Join("value")
		type2, _ := firstOf(value, "type_url", "typeUrl").(string)
		fields, _ := value["value"].(map[string]any)
		if type2 != "" {
			w.typed(inner, type2, fields)
		}
		return
	}
	mt, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(name))
	if err != nil {
		// Istio's own filters are not in Envoy's API.
		if strings.HasPrefix(name, "envoy.") {
			w.unknown.Hits = append(w.unknown.Hits, hit(w.object.At("%s", path), "the type %s", name))
		}
		return
	}
	w.message(path, value, mt.Descriptor())
}

func firstOf(m map[string]any, names ...string) any {
	for _, name := range names {
		if v, ok := m[name]; ok {
			return v
		}
	}
	return nil
}

func (w *envoyWalk) message(path mesh.Path, value any, md protoreflect.MessageDescriptor) {
	if md.FullName() == "google.protobuf.Any" {
		w.any(path, value)
		return
	}
	fields, ok := value.(map[string]any)
	if !ok || md.ParentFile().Package() == "google.protobuf" {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if name == "@type" {
			continue
		}
		at := path.Join(name)
		fd := fieldNamed(md, name)
		if fd == nil {
			w.unknown.Hits = append(w.unknown.Hits, hit(w.object.AtKey("%s", at), "%s has no field %s", md.FullName(), name))
			continue
		}
		if options, ok := fd.Options().(*descriptorpb.FieldOptions); ok && options.GetDeprecated() {
			w.deprecated.Hits = append(w.deprecated.Hits, hit(w.object.AtKey("%s", at), "%s of %s", name, md.FullName()))
		}
		w.field(at, fields[name], fd)
	}
}

func (w *envoyWalk) field(at mesh.Path, value any, fd protoreflect.FieldDescriptor) {
	switch {
	case fd.IsMap():
		entries, _ := value.(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(entries)) {
			if md := fd.MapValue().Message(); md != nil {
				w.message(at.Join(key), entries[key], md)
			}
		}
	case fd.IsList():
		items, _ := value.([]any)
		for i, item := range items {
			if md := fd.Message(); md != nil {
				w.message(at.Join(i), item, md)
			}
		}
	case fd.Message() != nil:
		w.message(at, value, fd.Message())
	}
}
