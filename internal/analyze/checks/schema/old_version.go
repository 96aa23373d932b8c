package schema

import (
	"strings"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/crd"
	"github.com/meshctl/meshctl/internal/mesh"
)

// OldVersion finds objects written in a version that is old, or gone.
var OldVersion = &analyze.Check{
	Code: "MSH0702", Name: "old-api-version", Severity: analyze.Warning,
	Doc: analyze.Doc{
		What: "An object is written in an API version that Kubernetes, the Gateway API or Istio no longer serves, or that a newer one has replaced.",
		Why:  "A version that is no longer served is refused: \"no matches for kind\". One that is replaced works until an upgrade removes it.",
		Fix:  "Write the object in the version that the finding names. Of a replaced version of Istio's the fields are the same.",
	},
	Run: func(p *analyze.Pass) {
		for _, o := range p.All() {
			if o.Origin.File != "" { // a cluster gives the version that it is asked for
				judgeVersion(p, o)
			}
		}
	},
}

func judgeVersion(p *analyze.Pass, o *mesh.Object) {
	group, version, _ := strings.Cut(o.APIVersion, "/")
	at := o.At("apiVersion")
	if gone, ok := removed(group, version, o.Kind.Kind); ok {
		f := p.Report(at, "%s of %s is gone since %s", o.Kind.Kind, o.APIVersion, gone.since)
		if strings.Contains(gone.successor, " ") {
			f.Suggest("%s", gone.successor)
		} else {
			f.Suggest("change it to %q", gone.successor)
		}
		return
	}
	kind, known := mesh.KindOf(o.APIVersion, o.Kind.Kind)
	if !known || version == kind.Version || !kind.Serves(version) {
		return
	}
	switch {
	case strings.HasSuffix(group, ".istio.io"):
		p.Report(at, "%s has the version %s since Istio 1.22; %s is kept for old objects", kind, kind.Version, version).
			As(analyze.Info).Suggest("change it to %q", kind.APIVersion())
	case group == mesh.HTTPRoute.Group && !crd.Serves(kind, version):
		p.Report(at, "the Gateway API %s no longer serves %s in %s", crd.GatewayAPIVersion, kind.Kind, version).
			Suggest("change it to %q", kind.APIVersion())
	case kind == mesh.HTTPRoute || kind == mesh.KubernetesGateway || kind == mesh.GatewayClass: // others have v1 only since lately
		p.Report(at, "%s has the version %s; %s is kept for old objects", kind, kind.Version, version).
			As(analyze.Info).Suggest("change it to %q", kind.APIVersion())
	}
}

// gone is an API version that is no longer served.
type gone struct {
	since     string // the release that removed it
	successor string // the version to use, or what to do instead, which has spaces
}

// removed says what became of a kind of a removed version. The releases are
// those of Kubernetes' deprecation guide.
func removed(group, version, kind string) (gone, bool) {
	for _, key := range []string{group + "/" + version + " " + kind, group + "/" + version, group} {
		if g, ok := removals[key]; ok {
			return g, true
		}
	}
	return gone{}, false
}

var removals = map[string]gone{
	"extensions/v1beta1 Deployment":        {"Kubernetes 1.16", "apps/v1"},
	"extensions/v1beta1 DaemonSet":         {"Kubernetes 1.16", "apps/v1"},
	"extensions/v1beta1 ReplicaSet":        {"Kubernetes 1.16", "apps/v1"},
	"extensions/v1beta1 NetworkPolicy":     {"Kubernetes 1.16", "networking.k8s.io/v1"},
	"extensions/v1beta1 Ingress":           {"Kubernetes 1.22", "networking.k8s.io/v1"},
	"extensions/v1beta1 PodSecurityPolicy": {"Kubernetes 1.16", "use the Pod Security admission, with labels of the namespace"},
	"policy/v1beta1 PodSecurityPolicy":     {"Kubernetes 1.25", "use the Pod Security admission, with labels of the namespace"},
	"policy/v1beta1 PodDisruptionBudget":   {"Kubernetes 1.25", "policy/v1"},

	"apps/v1beta1":                                                        {"Kubernetes 1.16", "apps/v1"},
	"apps/v1beta2":                                                        {"Kubernetes 1.16", "apps/v1"},
	"networking.k8s.io/v1beta1 Ingress":                                   {"Kubernetes 1.22", "networking.k8s.io/v1"},
	"networking.k8s.io/v1beta1 IngressClass":                              {"Kubernetes 1.22", "networking.k8s.io/v1"},
	"rbac.authorization.k8s.io/v1beta1":                                   {"Kubernetes 1.22", "rbac.authorization.k8s.io/v1"},
	"rbac.authorization.k8s.io/v1alpha1":                                  {"Kubernetes 1.22", "rbac.authorization.k8s.io/v1"},
	"apiextensions.k8s.io/v1beta1":                                        {"Kubernetes 1.22", "apiextensions.k8s.io/v1"},
	"apiregistration.k8s.io/v1beta1":                                      {"Kubernetes 1.22", "apiregistration.k8s.io/v1"},
	"admissionregistration.k8s.io/v1beta1 MutatingWebhookConfiguration":   {"Kubernetes 1.22", "admissionregistration.k8s.io/v1"},
	"admissionregistration.k8s.io/v1beta1 ValidatingWebhookConfiguration": {"Kubernetes 1.22", "admissionregistration.k8s.io/v1"},
	"certificates.k8s.io/v1beta1 CertificateSigningRequest":               {"Kubernetes 1.22", "certificates.k8s.io/v1"},
	"coordination.k8s.io/v1beta1 Lease":                                   {"Kubernetes 1.22", "coordination.k8s.io/v1"},
	"scheduling.k8s.io/v1beta1":                                           {"Kubernetes 1.22", "scheduling.k8s.io/v1"},
	"storage.k8s.io/v1beta1 StorageClass":                                 {"Kubernetes 1.22", "storage.k8s.io/v1"},
	"storage.k8s.io/v1beta1 CSIDriver":                                    {"Kubernetes 1.22", "storage.k8s.io/v1"},
	"batch/v1beta1":                                                       {"Kubernetes 1.25", "batch/v1"},
	"batch/v2alpha1":                                                      {"Kubernetes 1.21", "batch/v1"},
	"discovery.k8s.io/v1beta1":                                            {"Kubernetes 1.25", "discovery.k8s.io/v1"},
	"events.k8s.io/v1beta1":                                               {"Kubernetes 1.25", "events.k8s.io/v1"},
	"node.k8s.io/v1beta1":                                                 {"Kubernetes 1.25", "node.k8s.io/v1"},
	"autoscaling/v2beta1":                                                 {"Kubernetes 1.25", "autoscaling/v2"},
	"autoscaling/v2beta2":                                                 {"Kubernetes 1.26", "autoscaling/v2"},
	"flowcontrol.apiserver.k8s.io/v1beta1":                                {"Kubernetes 1.26", "flowcontrol.apiserver.k8s.io/v1"},
	"flowcontrol.apiserver.k8s.io/v1beta2":                                {"Kubernetes 1.29", "flowcontrol.apiserver.k8s.io/v1"},
	"flowcontrol.apiserver.k8s.io/v1beta3":                                {"Kubernetes 1.32", "flowcontrol.apiserver.k8s.io/v1"},

	"rbac.istio.io":           {"Istio 1.6", "write an AuthorizationPolicy of security.istio.io/v1"},
	"authentication.istio.io": {"Istio 1.6", "write a PeerAuthentication, and a RequestAuthentication for tokens"},
	"config.istio.io":         {"Istio 1.8", "write a Telemetry, an AuthorizationPolicy, a WasmPlugin or an EnvoyFilter for what Mixer did"},
}
