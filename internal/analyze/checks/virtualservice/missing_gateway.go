package virtualservice

import (
	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// MissingGateway finds VirtualServices bound to a Gateway that does not exist.
var MissingGateway = &analyze.Check{
	Code: "IST0101", Name: "missing-gateway", Severity: analyze.Error, KIA: "KIA1102",
	Reads: []mesh.Kind{mesh.VirtualService, mesh.Gateway},
	Uses:  []mesh.Kind{mesh.KubernetesGateway},
	Doc: analyze.Doc{
		What: "A VirtualService names a Gateway that does not exist, in its list of gateways or in a match.",
		Why:  "No proxy gets the routes: requests that arrive at the gateway are answered with 404, as if the VirtualService were not there.",
		Fix:  "Name an existing Gateway, as namespace/name when it lives in another namespace, or create the Gateway.",
	},
	Run: func(p *analyze.Pass) {
		names, elsewhere := map[string][]string{}, map[string]string{}
		for _, g := range p.Gateways() {
			names[g.Namespace] = append(names[g.Namespace], g.Name)
			elsewhere[g.Name] = g.Namespace
		}
		for _, vs := range p.VirtualServices() {
			for _, g := range mesh.GatewayNames(vs.Spec, vs.Namespace) {
				switch {
				case p.Get(mesh.Gateway, g.Namespace, g.Name) != nil, p.Get(mesh.KubernetesGateway, g.Namespace, g.Name) != nil:
				case isInternalGateway(g.Name):
				case !p.KnownIn(mesh.Gateway, g.Namespace) && g.Text == g.Name && elsewhere[g.Name] != "":
					// Nothing else is known of the namespace, but what was meant is there.
					at := vs.At("%s", g.Path)
					f := p.Report(at, "a name alone means a Gateway in namespace %q: the Gateway %q is in %q", g.Namespace, g.Name, elsewhere[g.Name])
					suggestGateway(f, p, at, g, nil)
				case !p.KnownIn(mesh.Gateway, g.Namespace):
					p.CantTell(mesh.Gateway, g.Namespace)
				default:
					f := p.Report(vs.At("%s", g.Path), "there is no Gateway %q in namespace %q", g.Name, g.Namespace)
					p.Advise(func() { suggestGateway(f, p, vs.At("%s", g.Path), g, names[g.Namespace]) })
				}
			}
		}
	},
}

// suggestGateway names the Gateway that was probably meant; for sure it was
// when it is the only one of that name, and the namespace was left out.
func suggestGateway(f *analyze.Finding, p *analyze.Pass, at mesh.Location, g mesh.GatewayName, there []string) {
	if best := hint.Closest(g.Name, there); best != "" {
		f.Suggest("change it to %q", g.Namespace+"/"+best)
		return
	}
	var others []string
	for _, other := range p.Gateways() {
		if other.Name == g.Name {
			others = append(others, other.Namespace+"/"+other.Name)
		}
	}
	if len(others) == 0 {
		return
	}
	f.Suggest("change it to %q", others[0])
	if len(others) == 1 && g.Text == g.Name && p.KnownEverywhere(mesh.Gateway) {
		f.Replace(at, others[0])
	}
}
