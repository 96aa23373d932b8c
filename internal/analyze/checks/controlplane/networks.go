package controlplane

import (
	"encoding/json"
	"maps"
	"slices"

	meshconfig "istio.io/api/mesh/v1alpha1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// remoteLabel is on the Secrets that give istiod access to other clusters; their
// keys are the clusters' names.
const remoteLabel = "istio/multiCluster"

// UnknownRegistry finds networks whose endpoints are said to come from a
// cluster that istiod does not know.
var UnknownRegistry = &analyze.Check{
	Code: "IST0126", Name: "unknown-network-registry", Severity: analyze.Error,
	Reads: []mesh.Kind{mesh.Secret},
	Uses:  append(mesh.WorkloadKinds(), mesh.ConfigMap),
	Doc: analyze.Doc{
		What: "meshNetworks takes the endpoints of a network from a registry (fromRegistry) that is neither istiod's own cluster nor one that a remote secret gives access to.",
		Why:  "No endpoint is ever found for it, so the endpoints of that network are taken for those of another one: they are called directly instead of through their gateway, and cannot be reached.",
		Fix:  "Name the cluster as the key in its remote secret does, or istiod's own cluster as its CLUSTER_ID does; or create the remote secret.",
	},
	Run: func(p *analyze.Pass) {
		config := p.MeshConfig().Object
		if config == nil {
			return
		}
		networks := meshNetworks(p, config)
		if len(networks) == 0 {
			return
		}
		known := registries(p)
		for _, name := range slices.Sorted(maps.Keys(networks)) {
			for _, e := range networks[name].GetEndpoints() {
				registry := e.GetFromRegistry()
				if registry == "" || slices.Contains(known, registry) {
					continue
				}
				if !p.KnownEverywhere(mesh.Secret) || p.ControlPlaneEnv("CLUSTER_ID") == "" {
					p.CantTell(mesh.Secret, p.IstioNamespace())
					continue
				}
				f := p.Report(config.At("data.meshNetworks"), "network %q takes endpoints from the registry %q, which istiod does not have", name, registry)
				if best := hint.Closest(registry, known); best != "" {
					f.Suggest("change it to %q", best)
				} else {
					f.Suggest("create the remote secret of that cluster, or correct the name")
				}
			}
		}
	},
}

// meshNetworks are the networks in the mesh's ConfigMap; none when they cannot be read.
func meshNetworks(p *analyze.Pass, config *mesh.Object) map[string]*meshconfig.Network {
	at := p.ConfigMap(config.Namespace, config.Name)
	if at == nil {
		return nil // the mesh config is a file's, alone
	}
	text, err := yaml.YAMLToJSON([]byte(at.Spec.Data["meshNetworks"]))
	if err != nil {
		return nil
	}
	networks := &meshconfig.MeshNetworks{}
	if json.Unmarshal(text, networks) != nil {
		return nil
	}
	return networks.GetNetworks()
}

// registries are the names that fromRegistry can have: istiod's cluster, those
// of remote secrets, and what istiod calls its other sources.
func registries(p *analyze.Pass) []string {
	known := []string{"Kubernetes", "External", "Mock"}
	if own := p.ControlPlaneEnv("CLUSTER_ID"); own != "" {
		known = append(known, own)
	}
	for _, o := range p.Objects(mesh.Secret) {
		if o.Namespace != p.IstioNamespace() || o.Labels[remoteLabel] != "true" {
			continue
		}
		secret := mesh.As[*core.Secret](o).Spec
		known = slices.AppendSeq(known, maps.Keys(secret.Data))
		known = slices.AppendSeq(known, maps.Keys(secret.StringData))
	}
	slices.Sort(known)
	return slices.Compact(known)
}
