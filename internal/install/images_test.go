package install

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/meshctl/meshctl/internal/hint"
)

// everything renders an input with its add-ons, as install does.
func everything(t *testing.T, in Inputs) *Manifest {
	t.Helper()
	s, err := Resolve(in)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Render(s)
	if err != nil {
		t.Fatal(err)
	}
	addons, err := Addons(s.Addons, s.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	m.Components = append(m.Components, addons...)
	if s.Registry != nil {
		if err := m.Mirror(s.Registry); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func names(l *ImageList) []string {
	var out []string
	for _, i := range l.Images {
		out = append(out, i.Image)
	}
	return out
}

func text(t *testing.T, m *Manifest) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteYAML(&b, m.Objects()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const always = "docker.io/istio/pilot:1.31.1 docker.io/istio/proxyv2:1.31.1 docker.io/istio/agentgateway:1.31.1 busybox:1.28"

func TestImages(t *testing.T) {
	t.Parallel()
	distroless := strings.ReplaceAll(always, "1.31.1", "1.31.1-distroless")
	own := `spec:
  values:
    sidecarInjectorWebhook:
      templates:
        own: |
          spec:
            containers:
            - image: "{{ .Values.global.hub }}/own:{{ .Values.global.tag }}"
            - image: literal.example.com/a/b@sha256:1111111111111111111111111111111111111111111111111111111111111111
            - image: "{{ .ObjectMeta.Name }}"
            - image: auto
`
	for _, tt := range []struct {
		name          string
		in            Inputs
		want, unknown string
	}{
		{"demo", Inputs{Profile: "demo"}, always + " docker.io/grafana/grafana:12.4.4 docker.io/jaegertracing/all-in-one:1.76.0 " +
			"docker.io/prom/prometheus:v3.13.3 quay.io/kiali/kiali:v2.31", ""},
		{"minimal", Inputs{Profile: "minimal"}, always, ""},
		{"empty", Inputs{Profile: "empty"}, "", ""},
		{"ambient", Inputs{Profile: "ambient"}, distroless + " docker.io/istio/ztunnel:1.31.1-distroless docker.io/istio/install-cni:1.31.1-distroless", ""},
		{"revision", Inputs{Profile: "minimal", Revision: "canary"}, always, ""},
		{"variant", Inputs{Profile: "minimal", Set: []string{"values.global.variant=distroless"}}, distroless, ""},
		{"a type of image for proxies, not for what initialises them",
			Inputs{Profile: "minimal", Set: []string{"meshConfig.defaultConfig.image.imageType=debug", "tag=1.30.0-distroless"}},
			"docker.io/istio/pilot:1.30.0-distroless docker.io/istio/proxyv2:1.30.0-debug docker.io/istio/proxyv2:1.30.0-distroless " +
				"docker.io/istio/agentgateway:1.30.0-debug busybox:1.28", ""},
		{"a proxy of one's own", Inputs{Profile: "minimal", Set: []string{"values.global.proxy.image=quay.io/own/proxy:1", "values.global.proxy_init.image=init"}},
			"docker.io/istio/pilot:1.31.1 quay.io/own/proxy:1 docker.io/istio/init:1.31.1 docker.io/istio/agentgateway:1.31.1 busybox:1.28", ""},
		{"hubs of components", Inputs{Set: []string{"components.pilot.hub=quay.io/p", "components.ingressGateways[0].tag=7"}},
			"quay.io/p/pilot:1.31.1 docker.io/istio/proxyv2:7 docker.io/istio/proxyv2:1.31.1 docker.io/istio/agentgateway:1.31.1 busybox:1.28", ""},
		{"templates of one's own", Inputs{Profile: "minimal", Files: []File{{Name: "own.yaml", Data: []byte(own)}}},
			always + " docker.io/istio/own:1.31.1 literal.example.com/a/b@sha256:" + strings.Repeat("1", 64), "template own: {{ .ObjectMeta.Name }}"},
		{"an overlay", Inputs{Profile: "minimal", Files: []File{{Name: "o.yaml", Data: []byte(`spec: {components: {pilot: {k8s: {overlays: [
  {kind: Deployment, name: istiod, patches: [{path: "spec.template.spec.containers.[name:discovery].image", value: "r.io/x:1"}]}]}}}}`)}}},
			strings.ReplaceAll(always, "docker.io/istio/pilot:1.31.1", "r.io/x:1"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := everything(t, tt.in)
			l := Images(m)
			want := strings.Fields(tt.want)
			slices.Sort(want)
			if d := cmp.Diff(want, append([]string{}, names(l)...)); d != "" {
				t.Errorf("images: -want +got\n%s", d)
			}
			if got := strings.Join(l.Unknown, "\n"); got != tt.unknown {
				t.Errorf("unknown = %q, want %q", got, tt.unknown)
			}
			// Whatever looks like an image in the objects is in the list.
			for _, line := range regexp.MustCompile(`(?m)^[ -]*image: "?([^\s"{]+)"?$`).FindAllStringSubmatch(text(t, m), -1) {
				if !slices.Contains(names(l), line[1]) && line[1] != injectedImage && !strings.HasPrefix(line[1], "|") {
					t.Errorf("%s is not in the list", line[1])
				}
			}
		})
	}
}

func TestImagesSayWhoNeedsThem(t *testing.T) {
	t.Parallel()
	for _, i := range Images(everything(t, Inputs{Profile: "demo"})).Images {
		switch i.Image {
		case "docker.io/istio/pilot:1.31.1":
			if d := cmp.Diff([]string{"Deployment istio-system/istiod"}, i.UsedBy); d != "" {
				t.Errorf("pilot: -want +got\n%s", d)
			}
		case "docker.io/istio/proxyv2:1.31.1":
			for _, by := range []string{"Deployment istio-system/istio-ingressgateway", "pods by template sidecar", "pods by template waypoint", "pods by template kube-gateway"} {
				if !slices.Contains(i.UsedBy, by) {
					t.Errorf("proxyv2 is not used by %s: %v", by, i.UsedBy)
				}
			}
		}
	}
}

// With a mirror everything is as without, but for the start of every image.
func TestMirror(t *testing.T) {
	t.Parallel()
	overlay := File{Name: "o.yaml", Data: []byte(`spec:
  values:
    global: {proxy: {image: "quay.io/own/proxy:1@sha256:` + strings.Repeat("2", 64) + `"}}
    sidecarInjectorWebhook: {templates: {own: "spec:\n  containers:\n  - name: x\n    image: 'quay.io/own/x:1'\n"}}
  components:
    cni: {enabled: true, hub: quay.io/cni}
    ztunnel: {enabled: true}
    pilot: {k8s: {overlays: [{kind: Deployment, name: istiod, patches: [{path: "spec.template.spec.initContainers", value: [{name: a, image: "ghcr.io/a/b:2"}]}]}]}}
`)}
	const mirror = "reg.example.com:5000/mesh"
	in := Inputs{Profile: "demo", Files: []File{overlay}, Set: []string{"addons.loki.enabled=true", "addons.zipkin.enabled=true"}}
	plain := everything(t, in)
	in.Registry = mirror
	mirrored := everything(t, in)
	r, err := NewRegistry(mirror)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, image := range names(Images(plain)) {
		target, err := r.Image(image)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, target)
	}
	slices.Sort(want)
	got := Images(mirrored)
	if d := cmp.Diff(want, names(got)); d != "" {
		t.Errorf("images: -want +got\n%s", d)
	}
	if len(want) < 12 {
		t.Errorf("only %d images: %v", len(want), want)
	}
	got.From(Images(plain), r)
	for _, i := range got.Images {
		if !strings.HasPrefix(i.Image, mirror+"/") || i.Source == "" {
			t.Errorf("%s comes from %q", i.Image, i.Source)
		}
	}
	hosts := regexp.MustCompile(`(docker\.io|quay\.io|ghcr\.io|` + regexp.QuoteMeta(mirror) + `)/`)
	flat := func(m *Manifest) string {
		return strings.ReplaceAll(hosts.ReplaceAllString(text(t, m), ""), "library/busybox", "busybox")
	}
	if d := cmp.Diff(flat(plain), flat(mirrored)); d != "" {
		t.Errorf("more than images differs: -plain +mirrored\n%s", d)
	}
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ registry, image, want string }{
		{"r.io", "docker.io/istio/pilot:1", "r.io/istio/pilot:1"},
		{"r.io/a/b/", "busybox", "r.io/a/b/library/busybox"},
		{"localhost:5000", "istio/pilot:1", "localhost:5000/istio/pilot:1"},
		{"localhost", "gcr.io/x@sha256:" + strings.Repeat("a", 64), "localhost/x@sha256:" + strings.Repeat("a", 64)},
		{"r.io/a", "r.io/a/istio/pilot:1", "r.io/a/istio/pilot:1"},
		{"r.io/a", "r.io/b/istio/pilot:1", "r.io/a/b/istio/pilot:1"},
		{"192.0.2.1:5000/m", "quay.io:443/x/y:1", "192.0.2.1:5000/m/x/y:1"},
		{"[2001:db8::1]:5000", "quay.io/x:1", "[2001:db8::1]:5000/x:1"},
		{"r.io", "auto", "auto"},
	} {
		r, err := NewRegistry(tt.registry)
		if err != nil {
			t.Errorf("%s: %v", tt.registry, err)
			continue
		}
		if got, err := r.Image(tt.image); err != nil || got != tt.want {
			t.Errorf("%s at %s = %s, %v, want %s", tt.image, tt.registry, got, err, tt.want)
		}
	}
	for _, bad := range []string{"mesh", "mesh/istio", "https://r.io", "R.io/Upper", "r.io/a b", "r.io:port/x", "r.io/a:tag", "/", "r.io//x"} {
		if _, err := NewRegistry(bad); err == nil || hint.ClassOf(err) != hint.Usage || hint.Of(err) == "" {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
