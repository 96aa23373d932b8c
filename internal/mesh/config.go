package mesh

import (
	"cmp"
	"encoding/json"
	"strings"

	meshconfig "istio.io/api/mesh/v1alpha1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// MeshConfig is the mesh config of the control plane in question.
type MeshConfig struct {
	*meshconfig.MeshConfig
	// Object is the ConfigMap it was read from; nil when the input has none
	// and Istio's defaults stand in.
	Object *Object
	// Problem is why the ConfigMap could not be read; empty when it could.
	Problem string
}

// MeshConfig is the mesh config of the revision, with Istio's defaults for
// what it does not set.
func (s *Snapshot) MeshConfig() *MeshConfig { return s.config() }

// RootNamespace is the namespace whose policies apply to the whole mesh.
func (s *Snapshot) RootNamespace() string {
	return cmp.Or(s.config().GetRootNamespace(), s.options.IstioNamespace)
}

// TrustDomain is the trust domain of the mesh's identities.
func (s *Snapshot) TrustDomain() string {
	return cmp.Or(s.config().GetTrustDomain(), "cluster.local")
}

// control is a ConfigMap of the control plane. Revisions other than the
// default one have theirs appended to the name.
func (c *content) control(base string) *Object { return c.ofControlPlane(ConfigMap, base) }

// ofControlPlane is an object of the revision's control plane, nil without it.
func (c *content) ofControlPlane(kind Kind, base string) *Object {
	name := base
	if c.revision != DefaultRevision {
		name += "-" + c.revision
	}
	o := c.byRef.get(Ref{Kind: kind, Namespace: c.options.IstioNamespace, Name: name})
	if o == nil && c.options.onlyLabelled {
		// A revision that only labels name: better the default one's than none.
		o = c.byRef.get(Ref{Kind: kind, Namespace: c.options.IstioNamespace, Name: base})
	}
	return o
}

func (c *content) newMeshConfig() *MeshConfig {
	config := &MeshConfig{MeshConfig: &meshconfig.MeshConfig{}}
	config.Object = c.options.MeshConfig
	if config.Object == nil {
		config.Object = c.control("istio")
	}
	if config.Object == nil {
		return config
	}
	data := As[*core.ConfigMap](config.Object).Spec.Data
	text, err := yaml.YAMLToJSON([]byte(data["mesh"]))
	if err == nil && string(text) != "null" {
		err = config.UnmarshalJSON(text)
	}
	if err != nil {
		config.Problem = cleanError(err)
	}
	return config
}

// istiodDomain is the domain that istiod's arguments name, empty when none does.
func (c *content) istiodDomain() string {
	o := c.ofControlPlane(Deployment, "istiod")
	if o == nil {
		return ""
	}
	for _, container := range As[*apps.DeploymentSpec](o).Spec.Template.Spec.Containers {
		for i, arg := range container.Args {
			domain, found := strings.CutPrefix(arg, "--domain=")
			if arg == "--domain" && i+1 < len(container.Args) {
				domain, found = container.Args[i+1], true
			}
			if found {
				return strings.Trim(domain, ".")
			}
		}
	}
	return ""
}

// injectorConfig is what the injector's ConfigMap says that checks need.
type injectorConfig struct {
	object        *Object
	clusterDomain string
	byDefault     bool
}

func (c *content) newInjectorConfig() injectorConfig {
	config := injectorConfig{object: c.control("istio-sidecar-injector")}
	if config.object == nil {
		return config
	}
	var values struct {
		Global struct {
			Proxy struct {
				ClusterDomain string `json:"clusterDomain"`
			} `json:"proxy"`
		} `json:"global"`
		SidecarInjectorWebhook struct {
			EnableNamespacesByDefault bool `json:"enableNamespacesByDefault"`
		} `json:"sidecarInjectorWebhook"`
	}
	data := As[*core.ConfigMap](config.object).Spec.Data["values"]
	if json.Unmarshal([]byte(data), &values) == nil {
		config.clusterDomain = strings.Trim(values.Global.Proxy.ClusterDomain, ".")
		config.byDefault = values.SidecarInjectorWebhook.EnableNamespacesByDefault
	}
	return config
}
