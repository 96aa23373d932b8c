package mesh

import "testing"

func TestParseImage(t *testing.T) {
	t.Parallel()
	for reference, want := range map[string]Image{
		"docker.io/istio/proxyv2:1.31.0":            {Registry: "docker.io/istio", Name: "proxyv2", Tag: "1.31.0"},
		"localhost:5000/proxyv2:1.31.0-distroless":  {Registry: "localhost:5000", Name: "proxyv2", Tag: "1.31.0-distroless"},
		"registry.example/proxyv2@sha256:00ff":      {Registry: "registry.example", Name: "proxyv2", Digest: "sha256:00ff"},
		"registry.example/proxyv2:1.31@sha256:00ff": {Registry: "registry.example", Name: "proxyv2", Tag: "1.31", Digest: "sha256:00ff"},
		"auto": {Name: "auto"},
	} {
		if got := ParseImage(reference); got != want {
			t.Errorf("ParseImage(%q) = %+v, want %+v", reference, got, want)
		}
	}
	for tag, want := range map[string]string{"1.31.0": "1.31.0", "1.31.0-distroless": "1.31.0", "1.31-alpha.eed52": "1.31-alpha.eed52", "": ""} {
		if got := (Image{Tag: tag}).Version(); got != want {
			t.Errorf("Version of %q = %q, want %q", tag, got, want)
		}
	}
}
