package envoyfilter

import (
	"fmt"
	"regexp"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/envoyfilter/api"
	"github.com/meshctl/meshctl/internal/mesh"
)

// NewerField finds patches that say what the proxies' Envoy is too old for.
var NewerField = &analyze.Check{
	Code: "MSH0725", Name: "envoy-field-too-new", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.EnvoyFilter, mesh.ConfigMap, mesh.Pod},
	Uses:  slices.DeleteFunc(append(mesh.WorkloadKinds(), mesh.Namespace), func(k mesh.Kind) bool { return k == mesh.Pod }),
	Doc: analyze.Doc{
		What: "A patch's value has a field that Envoy got later than the version that proxies of the patch run, or a typed configuration of a type that it got later. The versions are those of the workloads that the EnvoyFilter selects, " +
			"or those that the patch's own proxyVersion asks for. What Envoy got since 1.33, the one of Istio 1.25, is known.",
		Why: "An Envoy ignores a field that it does not know, so that the patch does less than it says. A type that it does not know makes it refuse the whole update, which is an error.",
		Fix: "Upgrade the proxies, or limit the patch to those that have the field with match.proxy.proxyVersion.",
	},
	Run: func(p *analyze.Pass) {
		var lacking map[string]api.Absence // read when needed
		var proxies *proxies
		for _, x := range patches(p) {
			uses := x.uses()
			if len(uses) == 0 {
				continue
			}
			if lacking == nil {
				lacking, proxies = api.Lacking(), proxiesOf(p)
			}
			for _, use := range uses {
				if absence, is := lacking[string(use.Descriptor.FullName())]; is {
					tooNew(p, proxies, x, use, absence)
				}
			}
		}
	},
}

func tooNew(p *analyze.Pass, proxies *proxies, x patch, use mesh.EnvoyUse, absence api.Absence) {
	what, kind := fmt.Sprintf("%q", use.Descriptor.Name()), analyze.Warning
	_, isField := use.Descriptor.(protoreflect.FieldDescriptor)
	if !isField {
		what, kind = fmt.Sprintf("the type %q", use.Descriptor.FullName()), analyze.Error
	}
	there := proxies.of(x)
	for _, one := range there {
		minor, ok := minorOf(one.version)
		if !ok || api.OfIstio(minor) > absence.Last {
			continue
		}
		x.reportUse(p, use, isField, "%s came after Envoy 1.%d: proxies of version %s have Envoy 1.%d", what, absence.Last, one.version, api.OfIstio(minor)).
			As(kind).
			Evidence(one.example.At("spec.containers"), "has a proxy of version %s", one.version).
			Suggest("upgrade these proxies to Istio 1.%d, or limit the patch to newer ones with match.proxy.proxyVersion", api.ToIstio(absence.First))
		return
	}
	if newest, ok := newestAsked(x.version()); ok && len(there) == 0 && api.OfIstio(newest) <= absence.Last {
		x.reportUse(p, use, isField, "%s came after Envoy 1.%d: the patch is for proxies of Istio 1.%d, with Envoy 1.%d", what, absence.Last, newest, api.OfIstio(newest)).
			As(kind).
			Evidence(x.filter.At("spec.configPatches[%d].match.proxy.proxyVersion", x.index), "asks for this version").
			Suggest("move the patch to proxies of Istio 1.%d or newer, or remove it", api.ToIstio(absence.First))
	}
}

// newestAsked is the newest minor version of Istio that an expression for
// proxyVersion can mean.
func newestAsked(expression string) (minor int, ok bool) {
	re, err := regexp.Compile(expression)
	if expression == "" || err != nil {
		return 0, false
	}
	const future = 49 // years away, and before the releases that "1.5.*" could mean too
	for minor = future; minor > 0; minor-- {
		for patch := range 30 {
			if re.MatchString(fmt.Sprintf("1.%d.%d", minor, patch)) {
				return minor, true
			}
		}
	}
	return 0, false
}
