package envoyfilter

import (
	"github.com/envoyproxy/go-control-plane/envoy/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/envoyfilter/api"
	"github.com/meshctl/meshctl/internal/mesh"
)

// DeprecatedField finds patches that use what Envoy is about to remove.
var DeprecatedField = &analyze.Check{
	Code: "MSH0724", Name: "deprecated-envoy-field", Severity: analyze.Info,
	Reads: []mesh.Kind{mesh.EnvoyFilter},
	Doc: analyze.Doc{
		What: "A patch's value uses a field that Envoy's API marks as deprecated. It is a warning when Envoy refuses the field unless its runtime allows it.",
		Why:  "The field works today. Some later Envoy refuses it, and then everything that comes in the same update; proxies keep what they had, and new ones do not start to serve.",
		Fix:  "Use what took its place, and try it in the oldest proxy that the mesh has. Envoy's reference is at https://www.envoyproxy.io/docs/envoy/latest/api-v3/api.",
	},
	Run: func(p *analyze.Pass) {
		var replaced map[string]string // read when needed
		for _, x := range patches(p) {
			for _, use := range x.uses() {
				deprecated, refused := ageOf(use.Descriptor)
				if !deprecated && !refused {
					continue
				}
				if replaced == nil {
					replaced = api.Replaced()
				}
				judgeAge(p, x, use, refused, replaced[string(use.Descriptor.FullName())])
			}
		}
	},
}

func judgeAge(p *analyze.Pass, x patch, use mesh.EnvoyUse, refused bool, advice string) {
	_, isField := use.Descriptor.(protoreflect.FieldDescriptor)
	text, severity := "%q is deprecated in Envoy's API", analyze.Info
	if refused {
		text, severity = "%q is deprecated, and Envoy refuses it unless its runtime allows it", analyze.Warning
	}
	f := x.reportUse(p, use, isField, text, use.Descriptor.Name()).As(severity)
	if advice == "" {
		f.Suggest("look up what took its place in Envoy's reference of %s", use.Descriptor.Parent().FullName())
		return
	}
	f.Suggest("%s", advice)
}

// ageOf says what Envoy's API says of a field or enum value: that it is
// deprecated, and that Envoy refuses it by default.
func ageOf(d protoreflect.Descriptor) (deprecated, refused bool) {
	switch options := d.Options().(type) {
	case *descriptorpb.FieldOptions:
		refused, _ = proto.GetExtension(options, annotations.E_DisallowedByDefault).(bool)
		return options.GetDeprecated(), refused
	case *descriptorpb.EnumValueOptions:
		refused, _ = proto.GetExtension(options, annotations.E_DisallowedByDefaultEnum).(bool)
		return options.GetDeprecated(), refused
	}
	return false, false
}
