package proxyconfig

import (
	"cmp"
	"encoding/json"
	"fmt"

	"github.com/meshctl/meshctl/internal/output"
)

// BootstrapPath is the admin request for what [ReadBootstrap] reads.
const BootstrapPath = "/config_dump?mask=bootstrap"

// Bootstrap is what the proxy started with.
type Bootstrap struct {
	Proxy string `json:"proxy"`
	// IstioVersion is of the agent, ProxyVersion of Istio's build of Envoy.
	IstioVersion string `json:"istioVersion,omitempty"`
	ProxyVersion string `json:"istioProxyVersion,omitempty"`
	EnvoyVersion string `json:"envoyVersion,omitempty"`
	Node         string `json:"node,omitempty"`
	// ClusterID is the Kubernetes cluster that the proxy says it is in.
	ClusterID string `json:"clusterId,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Workload  string `json:"workload,omitempty"`
	Network   string `json:"network,omitempty"`
	Revision  string `json:"revision,omitempty"`
	// Discovery is the address of the control plane.
	Discovery   string          `json:"discoveryAddress,omitempty"`
	TrustDomain string          `json:"trustDomain,omitempty"`
	Config      json.RawMessage `json:"config,omitempty"`
}

type wireBootstrap struct {
	Node struct {
		ID    string `json:"id"`
		Build struct {
			Version struct {
				Major int `json:"major_number"`
				Minor int `json:"minor_number"`
				Patch int `json:"patch"`
			} `json:"version"`
		} `json:"user_agent_build_version"`
	} `json:"node"`
}

type nodeMetadata struct {
	IstioVersion string `json:"ISTIO_VERSION"`
	ClusterID    string `json:"CLUSTER_ID"`
	Namespace    string `json:"NAMESPACE"`
	Workload     string `json:"WORKLOAD_NAME"`
	Network      string `json:"NETWORK"`
	Labels       struct {
		Revision string `json:"istio.io/rev"`
	} `json:"LABELS"`
	Proxy struct {
		Discovery string `json:"discoveryAddress"`
	} `json:"PROXY_CONFIG"`
	Mesh struct {
		TrustDomain string `json:"trustDomain"`
	} `json:"MESH_CONFIG"`
}

// ReadBootstrap reads the bootstrap of a dump.
func ReadBootstrap(s Source) (*Bootstrap, error) {
	b := &Bootstrap{Proxy: s.Name}
	if err := s.read(b.part()); err != nil {
		return nil, err
	}
	return b, nil
}

func (b *Bootstrap) part() part {
	return part{
		sections: []string{"BootstrapConfigDump"},
		fields: map[string]Field{
			"bootstrap": func(e Element) (err error) {
				if b.Config, err = e.config(); err != nil {
					return err
				}
				return b.read(e)
			},
		},
	}
}

func (b *Bootstrap) read(e Element) error {
	var w wireBootstrap
	if err := e.decode(&w); err != nil {
		return err
	}
	raw := e.text
	b.Node = w.Node.ID
	if v := w.Node.Build.Version; v.Major+v.Minor+v.Patch > 0 {
		b.EnvoyVersion = fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch)
	}
	// Metadata has names of its own: it is read in the spelling it has.
	var build struct {
		Istio string `json:"istio.version"`
		Label string `json:"build.label"`
	}
	if m := pick(raw, "node", "user_agent_build_version", "metadata"); m != nil {
		_ = json.Unmarshal(m, &build)
	}
	var meta nodeMetadata
	if m := pick(raw, "node", "metadata"); m != nil {
		// A field of another type than istiod writes is left out, not an error.
		_ = json.Unmarshal(m, &meta)
	}
	b.IstioVersion = meta.IstioVersion
	b.ProxyVersion = cmp.Or(build.Istio, build.Label)
	b.ClusterID, b.Namespace, b.Workload, b.Network = meta.ClusterID, meta.Namespace, meta.Workload, meta.Network
	b.Revision, b.Discovery, b.TrustDomain = meta.Labels.Revision, meta.Proxy.Discovery, meta.Mesh.TrustDomain
	return nil
}

// DocumentKind is the kind of the JSON and YAML document.
func (*Bootstrap) DocumentKind() string { return "ProxyBootstrap" }

// Tables is one row per fact; wide adds those that are rarely asked for.
func (b *Bootstrap) Tables(wide bool) []output.Table {
	rows := [][]string{
		{"Istio Version", orDash(b.IstioVersion)},
		{"Istio Proxy Version", orDash(b.ProxyVersion)},
		{"Envoy Version", orDash(b.EnvoyVersion)},
	}
	if wide {
		rows = append(rows, [][]string{
			{"Node", orDash(b.Node)}, {"Workload", orDash(b.Workload)}, {"Namespace", orDash(b.Namespace)},
			{"Cluster ID", orDash(b.ClusterID)}, {"Network", orDash(b.Network)}, {"Revision", orDash(b.Revision)},
			{"Discovery Address", orDash(b.Discovery)}, {"Trust Domain", orDash(b.TrustDomain)},
		}...)
	}
	return []output.Table{{Columns: []string{"FACT", "VALUE"}, Rows: rows}}
}
