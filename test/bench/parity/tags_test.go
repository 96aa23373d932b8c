package parity

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTagParity has both tools generate tags, in front of an API server that
// knows two revisions: the objects must be equal field by field.
func TestTagParity(t *testing.T) {
	t.Parallel()
	tools := builtTools(t)
	deep := revisionServer(t, tools, "--set", "values.istiodRemote.injectionURL=https://istiod.example.com/inject/cluster/one/net/two")
	local, remote := revisionServer(t, tools), revisionServer(t, tools,
		"--set", "values.istiodRemote.injectionURL=https://istiod.example.com/inject", "--set", "values.base.validationURL=https://other.example.com/v")
	for _, c := range []struct {
		name, kubeconfig string
		args             []string
	}{
		{"a tag", local, []string{"prod", "-r", "canary"}},
		{"of the revision without a name", local, []string{"prod", "-r", "default"}},
		{"default", local, []string{"default", "-r", "canary"}},
		{"default, of the revision without a name", local, []string{"default", "-r", "default"}},
		{"default, all namespaces", local, []string{"default", "-r", "canary", "--auto-inject-namespaces"}},
		{"another webhook name", local, []string{"prod", "-r", "canary", "--webhook-name", "mine"}},
		{"an istiod elsewhere", remote, []string{"prod", "-r", "canary"}},
		{"default, an istiod elsewhere", remote, []string{"default", "-r", "canary"}},
		{"default, an istiod elsewhere that serves several clusters", deep, []string{"default", "-r", "canary"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"tag", "generate", "--kubeconfig", c.kubeconfig}, c.args...)
			ours, err := Load(output(t, tools.Meshctl, args...))
			if err != nil {
				t.Fatal(err)
			}
			peer, err := Load(withoutZeroes(output(t, tools.Istioctl, args...)))
			if err != nil {
				t.Fatal(err)
			}
			r := Compare(ours, peer)
			for _, d := range r.Differences {
				t.Error(d)
			}
			if r.Equal == 0 || r.Equal != r.Peer || r.Equal != r.Ours {
				t.Errorf("%d of %d objects are equal, meshctl has %d", r.Equal, r.Peer, r.Ours)
			}
		})
	}
}

// withoutZeroes drops what istioctl prints only because it goes through Go types.
func withoutZeroes(text []byte) []byte {
	text = regexp.MustCompile(`(?m)^status:\n  loadBalancer: \{\}\n`).ReplaceAll(text, nil)
	return regexp.MustCompile(`(?m)^ +targetPort: 0\n`).ReplaceAll(text, nil)
}

func output(t *testing.T, tool string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tool, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", tool, strings.Join(args, " "), err, &stderr)
	}
	return out
}

// revisionServer is the kubeconfig of an API server that lists what installs of
// two revisions have, as meshctl renders them.
func revisionServer(t *testing.T, tools Tools, settings ...string) string {
	t.Helper()
	lists := map[string][]any{} // by the last element of the path
	for _, revision := range []string{"default", "canary"} {
		args := append([]string{"--set", "profile=minimal", "--revision", revision}, settings...)
		text, err := generate(t.Context(), tools.Meshctl, args...)
		if err != nil {
			t.Fatal(err)
		}
		objects, err := Load(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range objects {
			kind, _ := o.fields["kind"].(string)
			plural := strings.ToLower(kind) + "s"
			hooks, _ := o.fields["webhooks"].([]any)
			for _, h := range hooks {
				h.(map[any]any)["clientConfig"].(map[any]any)["caBundle"] = "Y2E="
			}
			lists[plural] = append(lists[plural], stringKeys(o.fields))
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if text, ok := discovery[r.URL.Path]; ok {
			fmt.Fprint(w, text)
			return
		}
		name := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		items := []any{}
		for _, o := range lists[name] {
			if selected(r.URL.Query().Get("labelSelector"), o) {
				items = append(items, o)
			}
		}
		group := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/apis/"), "/api/")
		version := "v1"
		if strings.HasPrefix(group, "admissionregistration") {
			version = "admissionregistration.k8s.io/v1"
		}
		kinds := map[string]string{"services": "Service", "namespaces": "Namespace", "pods": "Pod",
			"mutatingwebhookconfigurations": "MutatingWebhookConfiguration", "validatingwebhookconfigurations": "ValidatingWebhookConfiguration"}
		if kinds[name] == "" {
			w.WriteHeader(http.StatusNotFound)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"apiVersion": version, "kind": kinds[name] + "List", "metadata": map[string]any{"resourceVersion": "1"}, "items": items})
	}))
	t.Cleanup(server.Close)
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf(`{"apiVersion":"v1","kind":"Config","current-context":"c","contexts":[{"name":"c","context":{"cluster":"c","user":"u"}}],`+
		`"clusters":[{"name":"c","cluster":{"server":%q}}],"users":[{"name":"u","user":{}}]}`, server.URL)
	if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return kubeconfig
}

// discovery is what the API server says of its kinds.
var discovery = map[string]string{
	"/api":  `{"kind":"APIVersions","versions":["v1"]}`,
	"/apis": `{"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"admissionregistration.k8s.io","versions":[{"groupVersion":"admissionregistration.k8s.io/v1","version":"v1"}],"preferredVersion":{"groupVersion":"admissionregistration.k8s.io/v1","version":"v1"}}]}`,
	"/api/v1": `{"kind":"APIResourceList","groupVersion":"v1","resources":[{"name":"services","kind":"Service","namespaced":true,"verbs":["list"]},` +
		`{"name":"namespaces","kind":"Namespace","verbs":["list"]},{"name":"pods","kind":"Pod","namespaced":true,"verbs":["list"]}]}`,
	"/apis/admissionregistration.k8s.io/v1": `{"kind":"APIResourceList","groupVersion":"admissionregistration.k8s.io/v1","resources":[` +
		`{"name":"mutatingwebhookconfigurations","kind":"MutatingWebhookConfiguration","verbs":["list"]},{"name":"validatingwebhookconfigurations","kind":"ValidatingWebhookConfiguration","verbs":["list"]}]}`,
}

// selected says whether a label selector takes an object; it knows a=b, a and !a.
func selected(selector string, object any) bool {
	metadata, _ := object.(map[string]any)["metadata"].(map[string]any)
	labels, _ := metadata["labels"].(map[string]any)
	for _, term := range strings.FieldsFunc(selector, func(r rune) bool { return r == ',' }) {
		key, value, exact := strings.Cut(term, "=")
		name, not := strings.CutPrefix(key, "!")
		got, has := labels[name]
		if has == not || exact && got != value {
			return false
		}
	}
	return true
}

// stringKeys is decoded YAML as JSON takes it.
func stringKeys(v any) any {
	switch v := v.(type) {
	case map[any]any:
		m := map[string]any{}
		for k, e := range v {
			m[fmt.Sprint(k)] = stringKeys(e)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = stringKeys(e)
		}
		return list
	}
	return v
}
