package parity

import (
	"fmt"
	"strings"
)

// Matrix is every profile on every platform with every compatibility version,
// or, without full, a part in which each of them comes up at least once.
func Matrix(full bool) []Case {
	var out []Case
	platforms := []string{"", "gke", "k3d", "k3s", "microk8s", "minikube", "openshift"}
	versions := []string{"", "1.25", "1.26", "1.27", "1.28", "1.29", "1.30"}
	for p, profile := range profileNames() {
		for i, platform := range platforms {
			for j, version := range versions {
				if !full && (i != (2*p+j)%len(platforms) || j != p%len(versions)) {
					continue
				}
				c := Case{Name: strings.Join([]string{profile, "platform " + platform, "like " + version}, ", ")}
				c.set("profile=" + profile)
				c.set("components.base.enabled=false") // CRDs are nine tenths of the work, and the same in all
				if platform != "" {
					c.set("values.global.platform=" + platform)
				}
				if version != "" {
					c.set("compatibilityVersion=" + version)
				}
				out = append(out, c)
			}
		}
	}
	return out
}

// EverySetting has each of Settings and Fragments in a case, over a profile
// with all components: settings of different places together, or with full
// each alone and over two profiles.
func EverySetting(full bool) []Case {
	everything := func(profile string) []string {
		return []string{"--set", "profile=" + profile, "--set", "components.base.enabled=false",
			"--set", "components.cni.enabled=true", "--set", "components.ztunnel.enabled=true"}
	}
	var out []Case
	for i, f := range Fragments() {
		out = append(out, Case{Name: fmt.Sprintf("fragment %d", i), Args: everything("demo"), Files: []string{f}})
	}
	if full {
		for _, p := range []string{"default", "ambient"} {
			for _, s := range Settings() {
				c := Case{Name: p + " " + s, Args: everything(p)}
				c.set(s)
				out = append(out, c)
			}
		}
		return out
	}
	for _, together := range batches(Settings(), 16) {
		c := Case{Name: strings.Join(together, " "), Args: everything("demo")}
		for _, s := range together {
			c.set(s)
		}
		out = append(out, c)
	}
	return out
}

// batches deals the settings out to n lists, so that neighbours, which may set
// the same, come to different ones.
func batches(settings []string, n int) [][]string {
	out := make([][]string, n)
	for i, s := range settings {
		out[i%n] = append(out[i%n], s)
	}
	return out
}
