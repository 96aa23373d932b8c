package envoyfilter

import (
	"cmp"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// NoSuchFilter finds patches that refer to filters that no proxy has.
var NoSuchFilter = &analyze.Check{
	Code: "MSH0726", Name: "patch-for-no-filter", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.EnvoyFilter},
	Uses:  []mesh.Kind{mesh.RequestAuthentication, mesh.AuthorizationPolicy},
	Doc: analyze.Doc{
		What: "The filter that a patch matches has a name that istiod gives to none and that no other EnvoyFilter brings: an old name such as envoy.router, a typing error, " +
			"an HTTP filter of a network filter other than the HTTP connection manager, or a filter that istiod adds only for policies that the mesh has not.",
		Why: "istiod compares names as they stand. A patch that fits no filter is left out without a word: what it was to insert, change or remove is not there, or still there.",
		Fix: "Correct the name, or use INSERT_FIRST or ADD, which need no other filter. The names that a proxy has are in `meshctl proxy-config listeners POD -o json`.",
	},
	Run: func(p *analyze.Pass) {
		all := patches(p)
		j := filterJudge{p, builtin(), namesIn(all), policiesOf(p)}
		for i, x := range all {
			if x.listensFor() && !ancient(x.version()) && !x.inOtherFilter(p) {
				j.judge(x, i)
			}
		}
	},
}

// listensFor says whether a patch is about a filter of a listener.
func (x patch) listensFor() bool {
	switch x.spec.GetApplyTo() {
	case networking.EnvoyFilter_LISTENER_FILTER, networking.EnvoyFilter_NETWORK_FILTER, networking.EnvoyFilter_HTTP_FILTER:
		return true
	}
	return false
}

// ancient says whether a proxyVersion asks only for proxies whose istiod still
// knew old names.
func ancient(expression string) bool {
	const oldest = 20
	newest, ok := newestAsked(expression)
	return ok && newest < oldest
}

// atAnchor is where the name of the filter stands that a patch is about.
func (x patch) atAnchor() mesh.Location {
	field := "filterChain.filter.name"
	switch x.spec.GetApplyTo() {
	case networking.EnvoyFilter_LISTENER_FILTER:
		field = "listenerFilter"
	case networking.EnvoyFilter_HTTP_FILTER:
		field = "filterChain.filter.subFilter.name"
	}
	return x.filter.At("spec.configPatches[%d].match.listener.%s", x.index, field)
}

// inOtherFilter reports a patch of HTTP filters that are not looked for where
// they are, and says whether that is all there is to say.
func (x patch) inOtherFilter(p *analyze.Pass) bool {
	filter := x.spec.GetMatch().GetListener().GetFilterChain().GetFilter()
	if x.spec.GetApplyTo() != networking.EnvoyFilter_HTTP_FILTER || filter.GetName() == "" || filter.GetName() == connectionManager {
		return false
	}
	if filter.GetSubFilter() != nil && renamed(filter.GetName()) != connectionManager {
		return true // IST0106: istiod refuses it
	}
	at := x.filter.At("spec.configPatches[%d].match.listener.filterChain.filter.name", x.index)
	f := p.Report(at, "no filter fits: HTTP filters are those of %q, not of %q", connectionManager, filter.GetName()).
		Suggest("change it to %q", connectionManager)
	meant := renamed(filter.GetName()) == connectionManager || hint.Sole(filter.GetName(), []string{connectionManager}) != ""
	if meant {
		f.Replace(at, connectionManager)
	}
	return !meant
}

// filterJudge judges what filters patches refer to.
type filterJudge struct {
	pass     *analyze.Pass
	known    []string
	brought  brought
	policies policies
}

// judge reports a filter that is not there for the i-th patch to refer to.
func (j filterJudge) judge(x patch, i int) {
	name := x.anchor()
	switch {
	case x.op() == opAdd, x.op() == opInsertFirst, name == "", j.brought.byOthers(name, i):
	case slices.Contains(j.known, name):
		if x.op() != opRemove { // that is perhaps a precaution
			j.policies.judge(j.pass, x)
		}
	default:
		j.unknown(x, name)
	}
}

func (j filterJudge) unknown(x patch, name string) {
	p := j.pass
	at, root := x.atAnchor(), p.RootNamespace()
	old := renamed(name)
	if x.spec.GetApplyTo() == networking.EnvoyFilter_NETWORK_FILTER && name == "envoy.ext_authz" {
		old = "envoy.filters.network.ext_authz"
	}
	meant := cmp.Or(old, hint.Sole(name, j.known))
	sure := always(meant) || p.KnownIn(mesh.EnvoyFilter, x.filter.Namespace) && p.KnownIn(mesh.EnvoyFilter, root)
	var f *analyze.Finding
	switch {
	case old != "" && !sure:
		f = p.Report(at, "%q is called %q since Envoy 1.14: this fits only if another EnvoyFilter brings the old name", name, old).As(analyze.Info)
	case !sure:
		p.CantTell(mesh.EnvoyFilter, root)
		return
	case old != "":
		f = p.Report(at, "no filter fits: %q is called %q since Envoy 1.14, and istiod compares names as they stand", name, old)
	case x.op() == opRemove && meant == "", strings.Contains(name, "/"):
		return // a precaution, perhaps; or the filter of a WasmPlugin
	default:
		f = p.Report(at, "no filter fits: istiod adds none that is called %q, and no EnvoyFilter does", name)
	}
	switch {
	case always(meant):
		f.Suggest("change it to %q", meant).Replace(at, meant)
	case meant != "":
		f.Suggest("change it to %q", meant)
	default:
		f.Suggest("name a filter that is there, or use INSERT_FIRST")
	}
}

// brought are the names in patches' values, and which patches have them.
type brought map[string][]int

// namesIn are all names in the values of patches, however deep: a filter may
// come with its whole filter chain.
func namesIn(all []patch) brought {
	b := brought{}
	for i, x := range all {
		if value := x.spec.GetPatch().GetValue(); value != nil {
			b.add(i, value.GetFields())
		}
	}
	return b
}

func (b brought) add(i int, fields map[string]*structpb.Value) {
	for key, value := range fields {
		if name := value.GetStringValue(); key == "name" && name != "" && len(b[name]) < 2 && !slices.Contains(b[name], i) {
			b[name] = append(b[name], i)
		}
		b.add(i, value.GetStructValue().GetFields())
		for _, item := range value.GetListValue().GetValues() {
			b.add(i, item.GetStructValue().GetFields())
		}
	}
}

// byOthers says whether a patch other than the i-th brings the name.
func (b brought) byOthers(name string, i int) bool {
	return slices.ContainsFunc(b[name], func(other int) bool { return other != i })
}
