package mesh

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
)

// InjectorConfig is the ConfigMap from which a revision's injector works; nil
// when the input does not hold it. The namespace is that of its istiod, empty for
// the one of the snapshot's control plane.
func (s *Snapshot) InjectorConfig(namespace, revision string) *Resource[*core.ConfigMap] {
	name := "istio-sidecar-injector"
	if revision != "" && revision != "default" {
		name += "-" + revision
	}
	return s.ConfigMap(cmp.Or(namespace, s.options.IstioNamespace), name)
}

// ProxyImage is the image that an injector's configuration gives to sidecars,
// such as docker.io/istio/proxyv2:1.31.0; ok is false when it does not say.
func ProxyImage(config *Resource[*core.ConfigMap]) (image Image, ok bool) {
	var values struct {
		Global struct {
			Hub   string `json:"hub"`
			Tag   any    `json:"tag"`
			Proxy struct {
				Image string `json:"image"`
			} `json:"proxy"`
		} `json:"global"`
	}
	if json.Unmarshal([]byte(config.Spec.Data["values"]), &values) != nil {
		return Image{}, false
	}
	g := values.Global
	name := cmp.Or(g.Proxy.Image, "proxyv2")
	if strings.Contains(name, "/") {
		return ParseImage(name), true // the whole reference
	}
	if g.Hub == "" || g.Tag == nil {
		return Image{}, false
	}
	return ParseImage(fmt.Sprintf("%s/%s:%v", g.Hub, name, g.Tag)), true
}

// Image is a reference to a container image.
type Image struct {
	Registry string // host and path before the name, such as docker.io/istio
	Name     string
	Tag      string
	Digest   string
}

// ParseImage takes a reference apart.
func ParseImage(reference string) Image {
	var i Image
	reference, i.Digest, _ = strings.Cut(reference, "@")
	if slash := strings.LastIndexByte(reference, '/'); slash >= 0 {
		i.Registry, reference = reference[:slash], reference[slash+1:]
	}
	i.Name, i.Tag, _ = strings.Cut(reference, ":")
	return i
}

// String is the image without its registry: proxyv2:1.31.0.
func (i Image) String() string {
	switch {
	case i.Tag != "":
		return i.Name + ":" + i.Tag
	case i.Digest != "":
		return i.Name + "@" + i.Digest
	}
	return i.Name
}

// Version is the tag without the variant of the image: 1.31.0 of 1.31.0-distroless.
func (i Image) Version() string {
	cut := strings.LastIndexByte(i.Tag, '-')
	if cut >= 0 && slices.Contains([]string{"debug", "distroless", "default"}, i.Tag[cut+1:]) {
		return i.Tag[:cut]
	}
	return i.Tag
}
