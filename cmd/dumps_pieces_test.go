package cmd

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/kube"
)

// TestWholeDump: an Envoy that can't write its dump is asked for the parts.
func TestWholeDump(t *testing.T) {
	t.Parallel()
	refused := noDump + " string: INVALID_ARGUMENT"
	answers := map[string]string{
		"/config_dump?include_eds": refused, "/config_dump": refused, "/config_dump?mask=dynamic_listeners": refused,
		"/config_dump?mask=bootstrap": `{"configs":[{"@type":"B"}]}`,
		"/config_dump?mask=static_endpoint_configs,dynamic_endpoint_configs&include_eds":     `{"configs":[{"@type":"E"}]}`,
		"/config_dump?mask=static_clusters,dynamic_active_clusters,dynamic_warming_clusters": `{"configs":[{"@type":"C"}]}`,
		refusedListeners: `{"configs":[{"@type":"L","name":"a"},{"@type":"L","error_state":{"details":"no"}}]}`,
		"/clusters":      refused,
		"/config_dump?mask=dynamic_route_configs": `{"configs":[]}`,
	}
	get := func(_ context.Context, path string) (io.ReadCloser, error) {
		answer, ok := answers[path]
		if !ok {
			return nil, &kube.StatusError{Code: http.StatusBadRequest}
		}
		return io.NopCloser(strings.NewReader(answer)), nil
	}
	const listeners = `{"@type":"type.googleapis.com/envoy.admin.v3.ListenersConfigDump","dynamic_listeners":[{"@type":"L","name":"a"}]}`
	for path, want := range map[string]string{
		"/config_dump?include_eds":                `{"configs":[{"@type":"B"},{"@type":"C"},{"@type":"E"},` + listeners + `]}`,
		"/config_dump":                            `{"configs":[{"@type":"B"},{"@type":"C"},` + listeners + `]}`,
		"/config_dump?mask=dynamic_listeners":     `{"configs":[` + listeners + `]}`,
		"/config_dump?mask=dynamic_route_configs": `{"configs":[]}`,
		"/clusters":                               refused,
	} {
		body, err := wholeDump(t.Context(), get, path)
		if err != nil {
			t.Fatal(path, err)
		}
		text, err := io.ReadAll(body)
		if d := cmp.Diff(want, string(text)); d != "" || err != nil {
			t.Errorf("%s: %v\n%s", path, err, d)
		}
		if err := body.Close(); err != nil {
			t.Error(err)
		}
	}
	answers[refusedListeners] = refused
	body, err := wholeDump(t.Context(), get, "/config_dump")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(body); err == nil || !strings.Contains(err.Error(), "dynamic_listeners") {
		t.Errorf("a part that can't be read: %v", err)
	}
}
