// Package apitest is an API server for tests: it lists and gets objects that
// are given as YAML, page by page, and can be made to misbehave.
package apitest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	authorization "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/mesh"
)

// Fault is what happens instead of an answer; false leaves the request to the server.
type Fault func(w http.ResponseWriter, r *http.Request) bool

// Server is an API server that only reads.
type Server struct {
	// Fault is asked first about each request.
	Fault Fault
	// Version is what it says its version is.
	Version string
	// Denied are resources that the user may do nothing with.
	Denied []string
	// Ports are the addresses behind pods' ports, by "pod:port", for port-forwards.
	Ports map[string]string

	mu      sync.Mutex
	asked   []string
	objects map[mesh.Kind][]map[string]any
	version int
	// replaced is closed when the objects are replaced.
	replaced chan struct{}
}

// New makes a server with the objects of YAML documents.
func New(documents ...string) (*Server, error) {
	s := &Server{Version: "v1.33.1", replaced: make(chan struct{})}
	return s, s.Replace(documents...)
}

// Replace replaces all objects; watches hear of each that there is then.
func (s *Server) Replace(documents ...string) error {
	objects := map[mesh.Kind][]map[string]any{}
	for _, text := range documents {
		for _, document := range strings.Split("\n"+text, "\n---\n") {
			var o map[string]any
			if err := yaml.Unmarshal([]byte(document), &o); err != nil {
				return err
			}
			if o == nil {
				continue
			}
			apiVersion, _ := o["apiVersion"].(string)
			name, _ := o["kind"].(string)
			kind, known := mesh.KindOf(apiVersion, name)
			if !known {
				return fmt.Errorf("unknown kind %s %s", apiVersion, name)
			}
			objects[kind] = append(objects[kind], o)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.replaced)
	s.objects, s.replaced = objects, make(chan struct{})
	s.version++
	return nil
}

// watch answers a watch: with all objects of a kind whenever they are replaced.
func (s *Server) watch(w http.ResponseWriter, r *http.Request, kind mesh.Kind) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	since, _ := strconv.Atoi(r.URL.Query().Get("resourceVersion"))
	for {
		_ = http.NewResponseController(w).Flush()
		s.mu.Lock()
		objects, version, replaced := s.objects[kind], s.version, s.replaced
		s.mu.Unlock()
		if version > since {
			for _, o := range objects {
				_ = json.NewEncoder(w).Encode(map[string]any{"type": "MODIFIED", "object": o})
			}
			since = version
			continue
		}
		select {
		case <-r.Context().Done():
			return
		case <-replaced:
		}
	}
}

// Start serves on loopback until the test ends, and returns the URL.
func (s *Server) Start(t testing.TB) string {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return server.URL
}

// Kubeconfig writes a kubeconfig with a context for each URL, the first being
// the current one, and returns its path.
func Kubeconfig(dir string, names []string, urls map[string]string) (string, error) {
	config := map[string]any{"apiVersion": "v1", "kind": "Config", "current-context": names[0]}
	var contexts, clusters []any
	for _, name := range names {
		contexts = append(contexts, map[string]any{"name": name, "context": map[string]any{"cluster": name}})
		clusters = append(clusters, map[string]any{"name": name, "cluster": map[string]any{"server": urls[name]}})
	}
	config["contexts"], config["clusters"] = contexts, clusters
	text, err := yaml.Marshal(config)
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "kubeconfig")
	return file, os.WriteFile(file, text, 0o600)
}

// Asked are the paths of all requests so far.
func (s *Server) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// ServeHTTP answers discovery, lists and gets.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r.URL.String())
	s.mu.Unlock()
	if s.Fault != nil && s.Fault(w, r) {
		return
	}
	if strings.HasSuffix(r.URL.Path, "/portforward") {
		s.forward(w, r)
		return
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case r.URL.Path == "/version":
		Answer(w, 200, map[string]any{"gitVersion": s.Version})
	case r.URL.Path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews":
		s.review(w, r)
	case r.URL.Path == "/api":
		Answer(w, 200, map[string]any{"kind": "APIVersions", "versions": []string{"v1"}})
	case r.URL.Path == "/apis":
		Answer(w, 200, map[string]any{"kind": "APIGroupList", "apiVersion": "v1", "groups": groups()})
	case len(parts) == 2 && parts[0] == "api":
		Answer(w, 200, resources("", parts[1]))
	case len(parts) == 3 && parts[0] == "apis":
		Answer(w, 200, resources(parts[1], parts[2]))
	case parts[0] == "api":
		s.objectsAt(w, r, "", parts[2:])
	case parts[0] == "apis" && len(parts) > 3:
		s.objectsAt(w, r, parts[1], parts[3:])
	default:
		Refuse(w, 404, "NotFound", "no such path")
	}
}

// review says whether the user may do what the body asks about.
func (s *Server) review(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	object, _, err := scheme.Codecs.UniversalDeserializer().Decode(body, nil, nil)
	review, ok := object.(*authorization.SelfSubjectAccessReview)
	if err != nil || !ok {
		Refuse(w, 400, "BadRequest", "not a review")
		return
	}
	review.TypeMeta = metav1.TypeMeta{APIVersion: "authorization.k8s.io/v1", Kind: "SelfSubjectAccessReview"}
	review.Status.Allowed = !slices.Contains(s.Denied, review.Spec.ResourceAttributes.Resource)
	Answer(w, 201, review)
}

// objectsAt answers RESOURCE, namespaces/NS/RESOURCE and namespaces/NS/RESOURCE/NAME.
func (s *Server) objectsAt(w http.ResponseWriter, r *http.Request, group string, parts []string) {
	namespace, name := "", ""
	if parts[0] == "namespaces" && len(parts) > 2 {
		namespace, parts = parts[1], parts[2:]
	}
	if len(parts) > 1 {
		name = parts[1]
	}
	kinds := mesh.Kinds()
	i := slices.IndexFunc(kinds, func(k mesh.Kind) bool { return k.Group == group && k.Resource == parts[0] })
	if i < 0 {
		Refuse(w, 404, "NotFound", "no such resource")
		return
	}
	if r.URL.Query().Has("watch") {
		s.watch(w, r, kinds[i])
		return
	}
	s.mu.Lock()
	objects, version := s.objects[kinds[i]], s.version
	s.mu.Unlock()
	var found []map[string]any
	for _, o := range objects {
		m, _ := o["metadata"].(map[string]any)
		if (namespace == "" || m["namespace"] == namespace) && (name == "" || m["name"] == name) && selected(r, m) {
			found = append(found, o)
		}
	}
	switch {
	case name == "":
		page(w, r, kinds[i], found, version)
	case len(found) == 1:
		Answer(w, 200, found[0])
	default:
		Refuse(w, 404, "NotFound", parts[0]+" "+strconv.Quote(name)+" not found")
	}
}

func selected(r *http.Request, metadata map[string]any) bool {
	selector, err := labels.Parse(r.URL.Query().Get("labelSelector"))
	if err != nil || selector.Empty() {
		return err == nil
	}
	set := labels.Set{}
	all, _ := metadata["labels"].(map[string]any)
	for k, v := range all {
		set[k], _ = v.(string)
	}
	return selector.Matches(set)
}

// page answers with the part of a list that limit and continue ask for.
func page(w http.ResponseWriter, r *http.Request, kind mesh.Kind, items []map[string]any, version int) {
	from, _ := strconv.Atoi(r.URL.Query().Get("continue"))
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	to, next := len(items), ""
	if limit > 0 && from+limit < to {
		to = from + limit
		next = strconv.Itoa(to)
	}
	if items == nil {
		items = []map[string]any{}
	}
	Answer(w, 200, map[string]any{
		"kind": kind.Kind + "List", "apiVersion": kind.APIVersion(), "items": items[min(from, to):to],
		"metadata": map[string]any{"continue": next, "resourceVersion": strconv.Itoa(version)},
	})
}

// Answer writes a JSON answer.
func Answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

// Refuse writes an error the way an API server does.
func Refuse(w http.ResponseWriter, code int, reason, message string) {
	Answer(w, code, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code, "message": message})
}

func groups() []any {
	var all []any
	seen := map[string]bool{"": true}
	for _, k := range mesh.Kinds() {
		if seen[k.Group] {
			continue
		}
		seen[k.Group] = true
		var versions []any
		for _, v := range versionsOf(k.Group) {
			versions = append(versions, map[string]any{"groupVersion": k.Group + "/" + v, "version": v})
		}
		all = append(all, map[string]any{"name": k.Group, "versions": versions, "preferredVersion": versions[0]})
	}
	return all
}

// versionsOf are the preferred versions of a group's kinds.
func versionsOf(group string) []string {
	var all []string
	for _, k := range mesh.Kinds() {
		if k.Group == group && !slices.Contains(all, k.Version) {
			all = append(all, k.Version)
		}
	}
	slices.Sort(all)
	return all
}

func resources(group, version string) map[string]any {
	items := []any{}
	for _, k := range mesh.Kinds() {
		if k.Group == group && k.Version == version {
			items = append(items, map[string]any{"name": k.Resource, "kind": k.Kind, "namespaced": k.Namespaced, "verbs": []string{"get", "list"}})
		}
	}
	return map[string]any{
		"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": strings.TrimPrefix(group+"/"+version, "/"), "resources": items,
	}
}
