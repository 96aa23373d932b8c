package upgrade

import (
	"maps"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/mesh"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	_ "istio.io/istio/pkg/config/xds" // the types of Envoy's API, as istiod of this release knows them
)

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
		eachValue(at, fields[name], fd, w.single)
	}
}

func (w *envoyWalk) single(at mesh.Path, value any, fd protoreflect.FieldDescriptor) {
	if md := fd.Message(); md != nil {
		w.message(at, value, md)
	}
}
