// Package dashboard has the dashboards of a mesh as data, finds the pod that
// serves one, forwards to it and waits until it answers.
package dashboard

import "slices"

// Dashboard is a web page that something in the cluster serves.
type Dashboard struct {
	Name string
	// About is what it shows, for help texts.
	About string
	// Selectors are label selectors of its pods; the first that finds any wins.
	Selectors []string
	// Port of the pod.
	Port int
	// Path of the page.
	Path string
	// Ready is the path that answers once the page works.
	Ready string
	// Addon is the name of meshctl's add-on that installs it, "" when none does.
	Addon string
	// OfPod says that it is a page of a pod which the person may name.
	OfPod bool
}

// All are the dashboards that meshctl knows, by name.
func All() []Dashboard {
	return []Dashboard{
		{Name: "controlz", About: "ControlZ, the introspection page of istiod", Selectors: []string{"app=istiod"}, Port: 9876, Path: "/", Ready: "/", OfPod: true},
		{Name: "grafana", About: "Grafana, the mesh's metrics as charts", Selectors: both("grafana"), Port: 3000, Path: "/", Ready: "/api/health", Addon: "grafana"},
		{Name: "istiod-debug", About: "the debug page of istiod", Selectors: []string{"app=istiod"}, Port: 15014, Path: "/debug", Ready: "/ready", OfPod: true},
		{Name: "jaeger", About: "Jaeger, traces", Selectors: []string{"app=jaeger", "app.kubernetes.io/name=jaeger"}, Port: 16686, Path: "/", Ready: "/", Addon: "jaeger"},
		{Name: "kiali", About: "Kiali, the mesh as a graph and its health", Selectors: []string{"app=kiali", "app.kubernetes.io/name=kiali"}, Port: 20001, Path: "/kiali", Ready: "/kiali/healthz", Addon: "kiali"},
		{Name: "prometheus", About: "Prometheus, the mesh's metrics as queries", Selectors: both("prometheus"), Port: 9090, Path: "/", Ready: "/-/ready", Addon: "prometheus"},
		{Name: "proxy", About: "the admin page of a pod's Envoy", Port: 15000, Path: "/", Ready: "/ready", OfPod: true},
		{Name: "skywalking", About: "SkyWalking, traces and metrics", Selectors: []string{"app=skywalking-ui"}, Port: 8080, Path: "/", Ready: "/"},
		{Name: "zipkin", About: "Zipkin, traces", Selectors: []string{"app=zipkin", "app.kubernetes.io/name=zipkin"}, Port: 9411, Path: "/", Ready: "/health", Addon: "zipkin"},
	}
}

func both(name string) []string {
	return []string{"app.kubernetes.io/name=" + name, "app=" + name}
}

// Named is the dashboard of this name.
func Named(name string) (Dashboard, bool) {
	all := All()
	i := slices.IndexFunc(all, func(d Dashboard) bool { return d.Name == name })
	if i < 0 {
		return Dashboard{}, false
	}
	return all[i], true
}
