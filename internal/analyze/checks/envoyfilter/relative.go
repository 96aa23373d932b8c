package envoyfilter

import (
	"fmt"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// RelativeOperation finds patches whose place depends on the age of EnvoyFilters.
var RelativeOperation = &analyze.Check{
	Code: "IST0151", Name: "relative-operation", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.EnvoyFilter},
	Doc: analyze.Doc{
		What: "A patch inserts beside, replaces or removes something, in an EnvoyFilter without priority. It is a warning when another EnvoyFilter without priority makes the very thing it refers to, and otherwise only worth knowing.",
		Why:  "EnvoyFilters of one priority are applied by age. When the one that makes the filter is created anew, it comes after this one, which then finds nothing and is ignored without a word.",
		Fix:  "Set priority: the lower is applied first. Or use INSERT_FIRST or ADD, which refer to nothing.",
	},
	Run: func(p *analyze.Pass) {
		all := patches(p)
		made := makersOf(p, all)
		for _, x := range all {
			if x.filter.Spec.GetPriority() != 0 || !x.relative() || x.op() == opRemove && x.spec.GetApplyTo() == networking.EnvoyFilter_HTTP_ROUTE {
				continue // IST0154 says more of removing routes
			}
			makers := made.of(x)
			if len(versioned(x, makers)) > 0 {
				continue // IST0155 says more
			}
			relative(p, x, makers)
		}
	},
}

func relative(p *analyze.Pass, x patch, makers []patch) {
	for _, maker := range makers {
		// Those of the root namespace are applied before a namespace's own.
		if maker.filter.Namespace == x.filter.Namespace && maker.filter.Object != x.filter.Object && maker.filter.Spec.GetPriority() == 0 {
			p.Report(x.atOperation(), "%s without priority refers to %q, which another EnvoyFilter without priority makes: whichever is older is applied first", x.op(), x.anchor()).
				Evidence(maker.atOperation(), "makes %q", x.anchor()).
				Suggest("set spec.priority to 10, so that it is applied after %s", maker.filter.Ref)
			return
		}
	}
	what := ""
	if x.anchor() != "" {
		what = fmt.Sprintf(" of %q", x.anchor())
	}
	p.Report(x.atOperation(), "%s%s without priority: among EnvoyFilters of one priority the oldest is applied first", x.op(), what).As(analyze.Info).
		Suggest("set spec.priority if the order matters")
}

// versioned are the makers of what x refers to that are for other versions of
// the proxy than x.
func versioned(x patch, makers []patch) []patch {
	var some []patch
	for _, maker := range makers {
		if maker.version() == x.version() {
			return nil // made wherever x applies
		}
		if maker.version() == "" {
			return nil
		}
		some = append(some, maker)
	}
	return some
}

// RelativeToOneVersion finds patches that refer to what is made for one
// version of the proxy only.
var RelativeToOneVersion = &analyze.Check{
	Code: "IST0155", Name: "relative-operation-to-one-version", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.EnvoyFilter},
	Doc: analyze.Doc{
		What: "A patch without priority inserts beside, replaces or removes something that only a patch for another proxyVersion makes.",
		Why:  "In proxies of another version, so after the next upgrade, the filter that it refers to is not there: the patch is ignored without a word.",
		Fix:  "Give both patches the same proxyVersion, or none; and set priority, so that they are applied in order.",
	},
	Run: func(p *analyze.Pass) {
		all := patches(p)
		made := makersOf(p, all)
		for _, x := range all {
			if x.filter.Spec.GetPriority() != 0 || !x.relative() {
				continue
			}
			makers := versioned(x, made.of(x))
			if len(makers) == 0 {
				continue
			}
			first := makers[0]
			p.Report(x.atOperation(), "%s refers to %q, which is only made for proxyVersion %q", x.op(), x.anchor(), first.version()).
				Evidence(first.filter.At("spec.configPatches[%d].match.proxy.proxyVersion", first.index), "makes %q for this version only", x.anchor()).
				Suggest("set the same proxyVersion here, or remove it there")
		}
	},
}
