package upgrade

import (
	"maps"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/mesh"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	meshconfig "istio.io/api/mesh/v1alpha1"
	networking "istio.io/api/networking/v1alpha3"
	security "istio.io/api/security/v1beta1"
	telemetry "istio.io/api/telemetry/v1alpha1"
)

// messages are the types of the kinds whose fields are looked at.
func messages() map[mesh.Kind]proto.Message {
	return map[mesh.Kind]proto.Message{
		mesh.VirtualService: &networking.VirtualService{}, mesh.DestinationRule: &networking.DestinationRule{}, mesh.Gateway: &networking.Gateway{},
		mesh.ServiceEntry: &networking.ServiceEntry{}, mesh.Sidecar: &networking.Sidecar{}, mesh.WorkloadEntry: &networking.WorkloadEntry{},
		mesh.WorkloadGroup: &networking.WorkloadGroup{}, mesh.AuthorizationPolicy: &security.AuthorizationPolicy{},
		mesh.PeerAuthentication: &security.PeerAuthentication{}, mesh.RequestAuthentication: &security.RequestAuthentication{},
		mesh.Telemetry: &telemetry.Telemetry{},
	}
}

// deprecatedFields finds fields and values that Istio's own API marks as
// deprecated, in objects and in the mesh config.
func (p *planner) deprecatedFields() {
	f := &Finding{
		ID: "deprecated-fields", Severity: Note, Title: "fields that Istio's API marks as deprecated are in use",
		What: "They still work, or do nothing any more; the API may drop them in any minor release.",
		Todo: "Write what their documentation names instead: https://istio.io/latest/docs/reference/config/",
	}
	types := messages()
	kinds := slices.SortedFunc(maps.Keys(types), mesh.Kind.Compare)
	for _, kind := range kinds {
		if why := p.facts.missing(kind); !why.empty() && p.in.Live {
			p.undecided(f.ID, why)
		}
		for _, o := range p.in.Snapshot.Objects(kind) {
			w := deprecatedWalk{}
			w.message(mesh.Path{"spec"}, o.Field("spec"), types[kind].ProtoReflect().Descriptor())
			for _, path := range w.found {
				f.Hits = append(f.Hits, hit(o.AtKey("%s", path.at), "%s", path.text))
			}
		}
	}
	if p.facts.configObject != nil {
		w := deprecatedWalk{}
		w.message(mesh.Path{}, p.facts.config, (&meshconfig.MeshConfig{}).ProtoReflect().Descriptor())
		for _, path := range w.found {
			f.Hits = append(f.Hits, hit(p.facts.configObject.At("data.mesh"), "%s", strings.TrimSuffix(path.at+": "+path.text, ": "+last(path.at))))
		}
	}
	if len(f.Hits) > 0 {
		p.add(f)
	}
}

func last(path string) string {
	steps := mesh.ParsePath(path)
	for i := len(steps) - 1; i >= 0; i-- {
		if name, ok := steps[i].(string); ok {
			return name
		}
	}
	return path
}

// deprecatedWalk collects the paths of deprecated fields and values.
type deprecatedWalk struct{ found []deprecated }

// deprecated is a path, and the field or value there.
type deprecated struct{ at, text string }

func (w *deprecatedWalk) message(path mesh.Path, value any, md protoreflect.MessageDescriptor) {
	fields, ok := value.(map[string]any)
	if !ok || strings.HasPrefix(string(md.FullName()), "google.protobuf.") {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		fd := fieldNamed(md, name)
		if fd == nil {
			continue
		}
		at := path.Join(name)
		if options, ok := fd.Options().(*descriptorpb.FieldOptions); ok && options.GetDeprecated() && !empty(fields[name]) {
			w.found = append(w.found, deprecated{at.String(), name})
			continue
		}
		eachValue(at, fields[name], fd, w.single)
	}
}

// eachValue calls see with the values of a field: the items of a list, the
// messages in a map, else the one value. What holds plain values by key is passed over.
func eachValue(at mesh.Path, value any, fd protoreflect.FieldDescriptor, see func(at mesh.Path, value any, fd protoreflect.FieldDescriptor)) {
	switch {
	case fd.IsMap():
		if fd.MapValue().Message() == nil {
			return
		}
		entries, _ := value.(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(entries)) {
			see(at.Join(key), entries[key], fd.MapValue())
		}
	case fd.IsList():
		items, _ := value.([]any)
		for i, item := range items {
			see(at.Join(i), item, fd)
		}
	default:
		see(at, value, fd)
	}
}

func (w *deprecatedWalk) single(at mesh.Path, value any, fd protoreflect.FieldDescriptor) {
	if md := fd.Message(); md != nil {
		w.message(at, value, md)
		return
	}
	name, ok := value.(string)
	if !ok || fd.Kind() != protoreflect.EnumKind {
		return
	}
	ev := fd.Enum().Values().ByName(protoreflect.Name(name))
	if ev == nil {
		return
	}
	if options, ok := ev.Options().(*descriptorpb.EnumValueOptions); ok && options.GetDeprecated() {
		w.found = append(w.found, deprecated{at.String(), name})
	}
}

func fieldNamed(md protoreflect.MessageDescriptor, name string) protoreflect.FieldDescriptor {
	if fd := md.Fields().ByJSONName(name); fd != nil {
		return fd
	}
	return md.Fields().ByTextName(name)
}

// empty says whether a value means the same as leaving it out.
func empty(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// apiVersions finds objects written in versions of Istio's API that have a
// successor. Those of a cluster come as the API server converts them, so only
// files and the stored versions of CRDs tell.
func (p *planner) apiVersions() {
	f := &Finding{
		ID: "old-api-versions", Severity: Note, Title: "old versions of Istio's API are in use",
		What: "v1 is there since Istio 1.22 and means the same.",
		Todo: "Write apiVersion: .../v1 in the files. What a cluster has stored in an old version is rewritten by any change, such as `kubectl label`.",
		Link: "https://istio.io/latest/blog/2024/v1-apis/",
	}
	for _, kind := range mesh.Kinds() {
		if !kind.IsIstio() || kind.Version != "v1" {
			continue
		}
		for _, o := range p.in.Snapshot.Objects(kind) {
			if o.Origin.File != "" && o.Version() != kind.Version {
				f.Hits = append(f.Hits, hit(o.At("apiVersion"), "%s, now %s", o.Version(), kind.APIVersion()))
			}
		}
	}
	for _, o := range p.in.Snapshot.Objects(mesh.CustomResourceDefinition) {
		group, _ := o.Field("spec", "group").(string)
		stored, _ := o.Field("status", "storedVersions").([]any)
		if !strings.HasSuffix(group, ".istio.io") || len(stored) < 2 {
			continue
		}
		f.Hits = append(f.Hits, hit(o.At("status.storedVersions"), "objects may still be stored as %v", stored[:len(stored)-1]))
	}
	if len(f.Hits) > 0 {
		p.add(f)
	}
}
