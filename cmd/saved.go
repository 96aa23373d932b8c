package cmd

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
	"github.com/meshctl/meshctl/internal/snapshot"
)

// A saved snapshot stands for the cluster in two ways: --from FILE, where every
// pod that is named is one of the snapshot's, and FILE:POD wherever a pod can
// be named. [Factory.podDumps] and [Factory.selectedDumps] know both.

// savedMeshes are the snapshots in use.
type savedMeshes struct {
	from string // the value of --from
	mu   sync.Mutex
	open map[string]*savedMesh
}

// savedMesh is a snapshot in use.
type savedMesh struct {
	path string
	*snapshot.Snapshot
}

// addFrom registers --from.
func addFrom(c *cobra.Command, f *Factory) {
	c.Flags().StringVar(&f.saved.from, "from", "", "`file` that meshctl snapshot save wrote, to read instead of a cluster")
}

// savedMesh is the snapshot that is read instead of a cluster, and what arg
// names in it; nil without one.
func (f *Factory) savedMesh(arg string) (*savedMesh, string, error) {
	path, pod, found := strings.Cut(arg, ":")
	if info, err := os.Stat(path); !found || err != nil || info.IsDir() {
		path, pod = f.saved.from, arg
	}
	if path == "" {
		return nil, arg, nil
	}
	m, err := f.saved.at(path)
	return m, pod, err
}

// at opens a snapshot, once.
func (s *savedMeshes) at(path string) (*savedMesh, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.open[path]; m != nil {
		return m, nil
	}
	opened, err := snapshot.Open(path)
	if err != nil {
		return nil, err
	}
	if s.open == nil {
		s.open = map[string]*savedMesh{}
	}
	m := &savedMesh{path: path, Snapshot: opened}
	s.open[path] = m
	return m, nil
}

// savedProxyAt is a proxy in a snapshot, and its cluster.
type savedProxyAt struct {
	snapshot.Proxy
	cluster int
}

func (m *savedMesh) proxies() []savedProxyAt {
	var all []savedProxyAt
	for i, inv := range m.Inventories {
		for _, p := range inv.Proxies {
			all = append(all, savedProxyAt{p, i})
		}
	}
	return all
}

// podDumps are those of what arg names, all or the first, with the snapshot's
// path in their names if it was given with the pod.
func (m *savedMesh) podDumps(arg, namespace string, withPath, all bool) ([]dump, error) {
	dumps, err := m.find(arg, namespace)
	if err != nil {
		return nil, err
	}
	if !all {
		dumps = dumps[:1]
	}
	for i := range dumps {
		if withPath {
			dumps[i].name = m.path + ":" + dumps[i].name
		}
	}
	return dumps, nil
}

// find is what a person calls proxies, as kube.Client.FindPods has it; the
// namespace "" is any.
func (m *savedMesh) find(arg, namespace string) ([]dump, error) {
	kind, name, typed := strings.Cut(arg, "/")
	if !typed {
		kind, name = "pod", arg
	}
	matches, err := m.matcher(kind)
	if err != nil {
		return nil, err
	}
	var found []savedProxyAt
	for _, p := range m.proxies() {
		inNamespace := namespace == "" || p.Namespace == namespace
		if short, ns := splitLast(name); matches(p, name) && inNamespace || ns == p.Namespace && matches(p, short) {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return nil, m.notSaved(arg, namespace)
	}
	for _, p := range found[1:] {
		if p.Namespace != found[0].Namespace || p.cluster != found[0].cluster {
			return nil, hint.Usagef("choose one with -n", "%s is in several namespaces or clusters of the snapshot %s: %s and %s", arg, m.path, m.label(found[0]), m.label(p))
		}
	}
	return m.dumps(found), nil
}

func splitLast(name string) (string, string) {
	i := strings.LastIndexByte(name, '.')
	return name[:max(i, 0)], name[i+1:]
}

func (m *savedMesh) label(p savedProxyAt) string {
	if len(m.Clusters) > 1 {
		return p.ID() + " in " + m.Clusters[p.cluster].Name
	}
	return p.ID()
}

// matcher says which proxies belong to an object of a kind.
func (m *savedMesh) matcher(kind string) (func(p savedProxyAt, name string) bool, error) {
	workload := func(kind string) (func(savedProxyAt, string) bool, error) {
		return func(p savedProxyAt, name string) bool { return p.Workload == kind+"/"+name }, nil
	}
	switch strings.ToLower(kind) {
	case "pod", "pods", "po":
		return func(p savedProxyAt, name string) bool { return p.Name == name }, nil
	case "deploy", "deployment", "deployments":
		return workload("deployment")
	case "sts", "statefulset", "statefulsets":
		return workload("statefulset")
	case "ds", "daemonset", "daemonsets":
		return workload("daemonset")
	case "rs", "replicaset", "replicasets":
		return workload("replicaset")
	case "job", "jobs":
		return workload("job")
	case "gtw", "gateway", "gateways":
		return func(p savedProxyAt, name string) bool {
			return p.Labels["gateway.networking.k8s.io/gateway-name"] == name
		}, nil
	case "svc", "service", "services":
		return m.serves, nil
	}
	return nil, hint.Usagef("name a pod, or deploy, sts, ds, rs, job, svc or gateway and a name", "a snapshot knows no pods of kind %q", kind)
}

// serves says whether a Service selects a proxy's pod.
func (m *savedMesh) serves(p savedProxyAt, service string) bool {
	return slices.ContainsFunc(m.Clusters[p.cluster].Objects, func(o *mesh.Object) bool {
		if o.Kind != mesh.Service || o.Name != service || o.Namespace != p.Namespace {
			return false
		}
		selector, _ := o.Field("spec", "selector").(map[string]any)
		for k, v := range selector {
			if p.Labels[k] != v {
				return false
			}
		}
		return len(selector) > 0
	})
}

// notSaved says why a proxy is not in the snapshot.
func (m *savedMesh) notSaved(arg, namespace string) error {
	var known []string
	left := 0
	for i, p := range m.proxies() {
		known = append(known, p.ID())
		if i == 0 {
			for _, inv := range m.Inventories {
				left += inv.LeftOut
			}
		}
	}
	calls := m.callings(arg)
	next := hint.DidYouMean(arg, calls)
	switch {
	case next != "":
	case len(calls) == 1 && calls[0] == "deploy/"+arg:
		next = fmt.Sprintf("did you mean the workload %s?", calls[0])
	case len(known) == 0:
		next = "it holds no proxies: save it with `meshctl snapshot save FILE " + arg + "`"
	default:
		next = fmt.Sprintf("it has %s; `meshctl snapshot save FILE %s` saves this one", listed(known, 5), arg)
	}
	where := ""
	if namespace != "" {
		where = fmt.Sprintf(" in namespace %q", namespace)
	}
	text := ""
	if left > 0 {
		text = fmt.Sprintf(": %d of %d proxies are in it", len(known), len(known)+left)
	}
	return hint.Unanswerablef(next, "the snapshot %s has no proxy %s%s%s", m.path, arg, where, text)
}

// callings are what proxies can be called in the way of arg.
func (m *savedMesh) callings(arg string) []string {
	kind, _, typed := strings.Cut(arg, "/")
	var names []string
	for _, p := range m.proxies() {
		_, workload, _ := strings.Cut(p.Workload, "/")
		switch {
		case typed:
			names = append(names, kind+"/"+workload, kind+"/"+workload+"."+p.Namespace)
		case workload == arg:
			return []string{"deploy/" + workload}
		default:
			names = append(names, p.Name, p.ID())
		}
	}
	return names
}

// listed are the first names, and how many more there are.
func listed(names []string, most int) string {
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// selected are the proxies with labels.
func (m *savedMesh) selected(namespace, selector string) ([]dump, error) {
	parsed, err := labels.Parse(selector)
	if err != nil {
		return nil, hint.Usagef("such as -l app=frontend", "--selector %q: %w", selector, err)
	}
	var found []savedProxyAt
	for _, p := range m.proxies() {
		if (namespace == "" || p.Namespace == namespace) && parsed.Matches(labels.Set(p.Labels)) {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return nil, m.notSaved("with the labels "+selector, namespace)
	}
	return m.dumps(found), nil
}

func (m *savedMesh) dumps(found []savedProxyAt) []dump {
	var all []dump
	for _, p := range found {
		all = append(all, dump{name: p.ID(), open: func(_ context.Context, path string) (io.ReadCloser, error) {
			file, err := savedFile(path)
			if err != nil {
				return nil, err
			}
			return m.File(p.cluster, proxyFolder(p.Proxy)+file)
		}})
	}
	return all
}

// savedFile is the file that holds what Envoy or istiod answers on a path.
func savedFile(path string) (string, error) {
	name, _, _ := strings.Cut(path, "?")
	switch name {
	case "/config_dump":
		return dumpFile, nil
	case "/clusters":
		return clustersFile, nil
	case "/server_info":
		return serverFile, nil
	case "/debug/config_dump":
		return servedFile, nil
	}
	return "", hint.Unanswerablef("ask the live proxy", "a snapshot does not hold what Envoy answers on %s", name)
}
