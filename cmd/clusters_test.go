package cmd

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/meshctl/meshctl/internal/kube/apitest"
)

// podAnswers makes the ports of pods answer: "pod:port/path" with the text of a
// file, or "silent" not at all. It returns the address behind each "pod:port".
func podAnswers(ts *testscript.TestScript, answers map[string]string) map[string]string {
	backends := map[string]*http.ServeMux{}
	ports := map[string]string{}
	for where, answer := range answers {
		port, path, _ := strings.Cut(where, "/")
		mux := backends[port]
		if mux == nil {
			mux = http.NewServeMux()
			backend := httptest.NewServer(mux)
			ts.Defer(func() { backend.CloseClientConnections(); backend.Close() })
			backends[port], ports[port] = mux, backend.Listener.Addr().String()
		}
		text := ""
		if answer != "silent" {
			text = strings.ReplaceAll(ts.ReadFile(answer), "NOW", time.Now().UTC().Format(time.RFC3339))
		}
		mux.HandleFunc("/"+path, func(w http.ResponseWriter, r *http.Request) {
			if answer == "silent" {
				<-r.Context().Done()
				return
			}
			_, _ = io.WriteString(w, text)
		})
	}
	return ports
}

// apiserver is the script command
//
//	apiserver [forbid=RESOURCE] [silent=RESOURCE] [deny=RESOURCE] [version=VERSION] [dead] CONTEXT FILE...
//
// It starts an API server with the objects of the files and adds it to the
// kubeconfig as a context; the first one is the current context.
func apiserver(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("apiserver can't fail")
	}
	fault := ""
	if strings.Contains(args[0], "=") || args[0] == "dead" {
		fault, args = args[0], args[1:]
	}
	var documents []string
	answers := map[string]string{}
	for _, file := range args[1:] {
		if where, answer, ok := strings.Cut(file, "="); ok {
			answers[where] = answer
			continue
		}
		documents = append(documents, ts.ReadFile(file))
	}
	server, err := apitest.New(documents...)
	ts.Check(err)
	server.Ports = podAnswers(ts, answers)
	how, resource, _ := strings.Cut(fault, "=")
	switch how {
	case "deny": // the user may do nothing with it, and may list it all the same
		server.Denied = []string{resource}
	case "version":
		server.Version = resource
	}
	server.Fault = func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case path.Base(r.URL.Path) != resource || (how != "forbid" && how != "silent"):
			return false
		case how == "forbid":
			apitest.Refuse(w, http.StatusForbidden, "Forbidden", resource+` is forbidden: User "jane" cannot list resource "`+resource+`"`)
		case how == "silent":
			_, _ = io.Copy(io.Discard, r.Body) // else nobody notices that the client has gone
			<-r.Context().Done()
		}
		return true
	}
	listening := httptest.NewServer(server)
	ts.Defer(func() { listening.CloseClientConnections(); listening.Close() })
	if how == "dead" {
		listening.Close()
	}
	dir := ts.Getenv("WORK")
	list := filepath.Join(dir, ".clusters")
	known, _ := os.ReadFile(list)
	known = append(known, args[0]+" "+listening.URL+"\n"...)
	ts.Check(os.WriteFile(list, known, 0o600))
	var names []string
	urls := map[string]string{}
	for line := range strings.Lines(string(known)) {
		name, url, _ := strings.Cut(strings.TrimSpace(line), " ")
		names = append(names, name)
		urls[name] = url
	}
	file, err := apitest.Kubeconfig(dir, names, urls)
	ts.Check(err)
	ts.Setenv("KUBECONFIG", file)
}
