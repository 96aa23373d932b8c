package upgrade

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/mesh"
	core "k8s.io/api/core/v1"
)

const defaultRevision = "default"

// ControlPlane is one istiod: a Deployment of a revision.
type ControlPlane struct {
	Revision string `json:"revision"`
	// Version is that of its image, or of its chart's label when the image is
	// named by digest; empty when neither says.
	Version Version `json:"version"`
	Object  Object  `json:"object"`
	// Tags are the revision tags that point to it.
	Tags []string `json:"tags"`

	workload *mesh.Workload
}

// Tag is a revision tag, and where it points.
type Tag struct {
	Name     string `json:"name"`
	Revision string `json:"revision"`
}

// proxy is one pod with Istio's proxy in it.
type proxy struct {
	pod      *mesh.Object
	version  Version
	tag      string // the image's tag, when it is no version
	revision string
	ztunnel  bool
	// byIstiod is a gateway that istiod deploys itself from a Gateway resource.
	byIstiod bool
	// fixed is a proxy that no injector made, such as a gateway whose
	// Deployment names the image; app is what it is called.
	fixed bool
	app   string
	// owner is the kind that restarts it, such as deployment; empty for a bare pod.
	owner string
}

// fleet is what runs.
type fleet struct {
	planes  []*ControlPlane // the oldest version first
	tags    []Tag
	proxies []proxy
}

func newFleet(s *mesh.Snapshot) *fleet {
	f := &fleet{tags: readTags(s)}
	for _, w := range s.WorkloadsIn(s.IstioNamespace()) {
		if w.PodLabels["app"] != "istiod" && w.PodLabels["istio"] != "pilot" {
			continue
		}
		plane := &ControlPlane{
			Revision: cmp.Or(w.PodLabels[mesh.RevisionLabel], defaultRevision), Tags: []string{}, workload: w,
			Object: Object{Kind: w.Object.Kind.String(), Namespace: w.Object.Namespace, Name: w.Object.Name},
		}
		for _, c := range w.Pod.Containers {
			if c.Name == "discovery" {
				plane.Version, _ = imageVersion(c.Image, w.PodLabels, w.Object.Labels)
			}
		}
		for _, t := range f.tags {
			if t.Revision == plane.Revision && t.Name != plane.Revision {
				plane.Tags = append(plane.Tags, t.Name)
			}
		}
		f.planes = append(f.planes, plane)
	}
	slices.SortStableFunc(f.planes, func(a, b *ControlPlane) int { return a.Version.Compare(b.Version) })
	for _, pod := range s.Pods() {
		if p, ok := newProxy(pod.Object); ok {
			f.proxies = append(f.proxies, p)
		}
	}
	return f
}

// imageVersion is the version that an image's tag names, else the label of the
// chart; tag is what was there instead.
func imageVersion(image string, labels ...map[string]string) (v Version, tag string) {
	name, _, _ := strings.Cut(image, "@")
	if i := strings.LastIndex(name, ":"); i > strings.LastIndex(name, "/") {
		tag = name[i+1:]
	}
	if v, err := ParseVersion(tag); err == nil {
		return v, tag
	}
	for _, l := range labels {
		// 1.0.0 stands in charts that no release was made from.
		if v, err := ParseVersion(l["app.kubernetes.io/version"]); err == nil && v.text != "1.0.0" {
			return v, tag
		}
	}
	return Version{}, cmp.Or(tag, "by digest")
}

func newProxy(pod *mesh.Object) (proxy, bool) {
	spec := mesh.As[*core.PodSpec](pod).Spec
	if spec == nil {
		return proxy{}, false
	}
	container := proxyContainer(spec)
	if container == nil {
		return proxy{}, false
	}
	p := proxy{pod: pod, ztunnel: isZtunnel(pod.Labels), revision: podRevision(pod)}
	// The labels of a pod are its application's: they say nothing of the proxy.
	if p.ztunnel {
		p.version, p.tag = imageVersion(container.Image, pod.Labels)
	} else {
		p.version, p.tag = imageVersion(container.Image)
	}
	p.byIstiod = pod.Labels["gateway.networking.k8s.io/gateway-name"] != "" && strings.HasPrefix(pod.Labels["gateway.istio.io/managed"], "istio.io-")
	p.fixed, p.app = pod.Labels[mesh.InjectLabel] == "false", cmp.Or(pod.Labels["app"], pod.Name)
	for _, owner := range pod.Owners {
		p.owner = strings.ToLower(owner.Kind)
		if owner.Kind == "ReplicaSet" {
			p.owner = "deployment"
		}
	}
	return p, true
}

// podRevision is the revision whose injector made a pod's proxy; empty when
// the pod does not say.
func podRevision(pod *mesh.Object) string {
	var status struct {
		Revision string `json:"revision"`
	}
	if json.Unmarshal([]byte(pod.Annotations["sidecar.istio.io/status"]), &status) == nil && status.Revision != "" {
		return status.Revision
	}
	return cmp.Or(pod.Annotations[mesh.RevisionLabel], pod.Labels[mesh.RevisionLabel])
}

// readTags are the revision tags, by name; each is a webhook.
func readTags(s *mesh.Snapshot) []Tag {
	var tags []Tag
	for _, o := range s.Objects(mesh.MutatingWebhookConfiguration) {
		if name := o.Labels[mesh.TagLabel]; name != "" {
			tags = append(tags, Tag{Name: name, Revision: o.Labels[mesh.RevisionLabel]})
		}
	}
	slices.SortFunc(tags, func(a, b Tag) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(tags, func(a, b Tag) bool { return a.Name == b.Name })
}

// plane is the control plane of a revision, nil when there is none.
func (f *fleet) plane(revision string) *ControlPlane {
	for _, p := range f.planes {
		if p.Revision == revision {
			return p
		}
	}
	return nil
}

// resolve is the revision that a name means, itself or through a tag.
func (f *fleet) resolve(name string) string {
	for _, t := range f.tags {
		if t.Name == name {
			return t.Revision
		}
	}
	return name
}
