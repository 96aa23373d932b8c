package injection

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"istio.io/api/annotation"
	core "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/selector"
	"github.com/meshctl/meshctl/internal/mesh"
)

// ProxyImageMismatch finds running pods whose proxy has another version than
// the one that they would get today.
var ProxyImageMismatch = &analyze.Check{
	Code: "IST0158", Name: "proxy-image-mismatch", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.Namespace, mesh.Pod, mesh.ConfigMap},
	Uses:  []mesh.Kind{mesh.MutatingWebhookConfiguration},
	Doc: analyze.Doc{
		What: "Pods run another version of the proxy than the injector of their revision would give them now. Variants of one version, such as -distroless, and other registries are the same to this check.",
		Why:  "After an upgrade of the control plane the old proxies stay until the pods are made anew. They lack the new version's fixes, and too old a proxy may not understand its istiod.",
		Fix:  "Restart the workloads: kubectl rollout restart. To keep a pod on an image on purpose, give it the annotation sidecar.istio.io/proxyImage.",
	},
	Run: func(p *analyze.Pass) {
		groups := map[mismatch][]string{}
		var order []mismatch
		objects := map[mismatch]mesh.Location{}
		wanted := newWanted(p)
		for _, pod := range p.Pods() {
			m, ok := mismatched(p, pod, wanted)
			if !ok {
				continue
			}
			if groups[m] == nil {
				order = append(order, m)
				objects[m] = pod.At("")
				if ns := p.Get(mesh.Namespace, "", pod.Namespace); ns != nil {
					objects[m] = ns.At("")
				}
			}
			groups[m] = append(groups[m], ownerOf(pod))
		}
		for _, m := range order {
			report(p, m, objects[m], groups[m])
		}
	},
}

// mismatch is what pods of one finding have in common.
type mismatch struct {
	namespace, runs, wanted, revision string
}

func report(p *analyze.Pass, m mismatch, at mesh.Location, owners []string) {
	pods := len(owners)
	slices.Sort(owners)
	owners = slices.Compact(owners)
	short := make([]string, 0, len(owners))
	for _, o := range owners {
		short = append(short, strings.TrimSuffix(o, " -n "+m.namespace))
	}
	subject := fmt.Sprintf("%d pods run", pods)
	if pods == 1 {
		subject = "1 pod runs"
	}
	f := p.Report(at, "%s the proxy %s, and revision %s injects %s now: %s", subject, m.runs, m.revision, m.wanted, selector.Few(short))
	if len(owners) == 1 {
		f.Suggest("%s", restartCommand(owners[0]))
		return
	}
	f.Suggest("kubectl rollout restart each of them in namespace %s", m.namespace)
}

// mismatched says whether an injected pod has another version than its
// revision's injector gives.
func mismatched(p *analyze.Pass, pod *mesh.Resource[*core.PodSpec], wanted *wantedImages) (mismatch, bool) {
	w := mesh.PodWorkload(pod)
	status := pod.Annotations[annotation.SidecarStatus.Name]
	if status == "" || !p.Owns(pod.Object) || !p.Running(pod.Object) || over(pod) || pod.Annotations[annotation.SidecarProxyImage.Name] != "" ||
		pod.Labels["gateway.networking.k8s.io/gateway-name"] != "" || ownImage(pod) {
		return mismatch{}, false
	}
	runs, ok := proxyImage(w)
	if !ok || runs.Tag == "" {
		return mismatch{}, false // nothing to compare: IST0147, or a digest
	}
	revision, image, ok := wanted.of(p, w, injectedBy(pod, status))
	if !ok || image.Tag == "" || (image.Name == runs.Name && image.Version() == runs.Version()) {
		return mismatch{}, false
	}
	return mismatch{pod.Namespace, runs.String(), image.String(), revision}, true
}

// proxyImage is the image of the proxy, a native sidecar's too.
func proxyImage(w *mesh.Workload) (mesh.Image, bool) {
	for _, c := range slices.Concat(w.Pod.Containers, w.Pod.InitContainers) {
		if c.Name == mesh.ProxyContainer && c.Image != "" && c.Image != autoImage {
			return mesh.ParseImage(c.Image), true
		}
	}
	return mesh.Image{}, false
}

// ownImage says whether the pod's author chose the proxy's image: the injector
// notes what it found in the template.
func ownImage(pod *mesh.Resource[*core.PodSpec]) bool {
	var found struct{ Containers, InitContainers []core.Container }
	if json.Unmarshal([]byte(pod.Annotations[annotation.ProxyOverrides.Name]), &found) != nil {
		return false
	}
	return slices.ContainsFunc(slices.Concat(found.Containers, found.InitContainers), func(c core.Container) bool {
		return c.Name == mesh.ProxyContainer && c.Image != "" && c.Image != autoImage
	})
}

// injectedBy is the revision that injected a pod.
func injectedBy(pod *mesh.Resource[*core.PodSpec], status string) string {
	var s struct{ Revision string }
	if json.Unmarshal([]byte(status), &s) == nil && s.Revision != "" {
		return s.Revision
	}
	return pod.Annotations[annotation.IoIstioRev.Name]
}
