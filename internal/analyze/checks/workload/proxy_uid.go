package workload

import (
	"fmt"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/selector"
	"github.com/meshctl/meshctl/internal/mesh"
)

// proxyUID is the user that the sidecar runs as; nothing of this user's is
// redirected.
const proxyUID = 1337

// ProxyUID finds application containers that run as the sidecar's user.
var ProxyUID = &analyze.Check{
	Code: "IST0144", Name: "proxy-uid", Severity: analyze.Warning,
	Reads: mesh.WorkloadKinds(),
	Uses:  []mesh.Kind{mesh.Namespace},
	Doc: analyze.Doc{
		What: "An application's container runs as user 1337, which belongs to the sidecar. For pods without sidecar it is only worth knowing.",
		Why:  "Traffic of this user is what the redirection leaves alone, so that the proxy can talk to the world. What the application sends then bypasses the proxy: no mutual TLS, no routing rules, no telemetry, and STRICT peers refuse it.",
		Fix:  "Run the application as another user. Only init containers that need the network before the proxy is up have a reason to be 1337.",
	},
	Run: func(p *analyze.Pass) {
		for _, w := range p.Workloads() {
			path, containers := asProxy(w)
			if path == "" || w.PodLabels["app"] == "istiod" || w.IsGateway() {
				continue
			}
			at := w.At("%s", path)
			switch p.DataPlane(w) {
			case mesh.InSidecar:
				p.Report(at, "%s as user %d, which is the sidecar's: what it sends bypasses the proxy", runs(containers), proxyUID).
					Suggest("run as another user")
			case mesh.Undecided:
				p.Report(at, "%s as user %d, which is the sidecar's: if the pods get one, what it sends bypasses it", runs(containers), proxyUID).
					Suggest("run as another user").As(analyze.Info)
			case mesh.OutOfMesh:
				if optedOut(p, w) {
					continue
				}
				p.Report(at, "%s as user %d, which is the sidecar's: nothing comes of it until the pods get one", runs(containers), proxyUID).
					Suggest("run as another user, before the workload joins the mesh").As(analyze.Info)
			case mesh.InAmbient:
			}
		}
	},
}

// optedOut says whether somebody decided that the pods get no sidecar.
func optedOut(p *analyze.Pass, w *mesh.Workload) bool {
	if w.PodLabels[mesh.InjectLabel] == "false" {
		return true
	}
	ns := p.Get(mesh.Namespace, "", w.Object.Namespace)
	return ns != nil && ns.Labels[mesh.InjectionLabel] == "disabled"
}

// asProxy is where a workload says that application containers run as the
// sidecar's user, and which; empty when none does.
func asProxy(w *mesh.Workload) (path string, containers []string) {
	forAll := w.Pod.SecurityContext != nil && is1337(w.Pod.SecurityContext.RunAsUser)
	for i, c := range w.Pod.Containers {
		if c.Name == mesh.ProxyContainer {
			continue
		}
		var own *int64
		if c.SecurityContext != nil {
			own = c.SecurityContext.RunAsUser
		}
		switch {
		case is1337(own):
			if path == "" {
				path = fmt.Sprintf("spec.containers[%d].securityContext.runAsUser", i)
			}
		case own == nil && forAll:
			path = "spec.securityContext.runAsUser"
		default:
			continue
		}
		containers = append(containers, c.Name)
	}
	return path, containers
}

func is1337(user *int64) bool { return user != nil && *user == proxyUID }

func runs(containers []string) string {
	if len(containers) == 1 {
		return fmt.Sprintf("the container %q runs", containers[0])
	}
	return fmt.Sprintf("the containers %s run", selector.Few(containers))
}
