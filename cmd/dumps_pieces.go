package cmd

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/kube"
)

// An Envoy that refused a listener keeps it beside those it runs. When it
// refused it for a filter that it does not have, it can't write its dump: it
// answers with the sentence below. So it is asked again for the parts of the
// dump, and for listeners without the refused ones.
const noDump = "Failed to convert protobuf message to JSON"

// refusedListeners asks for listeners, and of those refused only for the reason.
const refusedListeners = "/config_dump?resource=dynamic_listeners&mask=name,active_state,warming_state,draining_state,error_state.details"

// adminGet asks an Envoy's admin interface.
type adminGet func(ctx context.Context, path string) (io.ReadCloser, error)

// wholeDump is the answer to path or, where Envoy can't write it, one that is
// put together of its parts.
func wholeDump(ctx context.Context, get adminGet, path string) (io.ReadCloser, error) {
	body, err := get(ctx, path)
	if err != nil || !strings.HasPrefix(path, "/config_dump") {
		return body, err
	}
	buffered := bufio.NewReaderSize(body, 64<<10)
	head, _ := buffered.Peek(len(noDump))
	if string(head) != noDump {
		return struct {
			io.Reader
			io.Closer
		}{buffered, body}, nil
	}
	_ = body.Close()
	read, write := io.Pipe()
	ctx, cancel := context.WithCancel(ctx)
	go func() { _ = write.CloseWithError(writePieces(ctx, get, path, write)) }()
	return struct {
		io.Reader
		io.Closer
	}{read, closer(func() error { cancel(); return read.Close() })}, nil
}

type closer func() error

func (c closer) Close() error { return c() }

// pieces are the masks of the parts of a dump that path asks for. Envoy takes
// no mask with fields of different sections.
func pieces(path string) []string {
	all := []string{
		"mask=bootstrap", "mask=static_clusters,dynamic_active_clusters,dynamic_warming_clusters",
		"mask=static_endpoint_configs,dynamic_endpoint_configs&include_eds", "mask=static_listeners", refusedListeners,
		"mask=static_route_configs,dynamic_route_configs", "mask=static_secrets,dynamic_active_secrets,dynamic_warming_secrets", "mask=ecds_filters",
	}
	_, asked, _ := strings.Cut(path, "?")
	query, _ := url.ParseQuery(asked)
	if query.Get("mask") != "" {
		return []string{"mask=static_listeners", refusedListeners}
	}
	if !query.Has("include_eds") {
		all[2] = ""
	}
	return all
}

// writePieces writes a dump of its parts, one after another.
func writePieces(ctx context.Context, get adminGet, path string, to io.Writer) error {
	first := true
	for _, piece := range pieces(path) {
		if piece == "" {
			continue
		}
		ask := piece
		if piece != refusedListeners {
			ask = "/config_dump?" + piece
		}
		configs, err := readPiece(ctx, get, ask)
		if err != nil {
			return err
		}
		if piece == refusedListeners {
			configs = slices.DeleteFunc(configs, nameless)
			listeners, err := json.Marshal(configs)
			if err != nil {
				return err
			}
			configs = []json.RawMessage{[]byte(`{"@type":"type.googleapis.com/envoy.admin.v3.ListenersConfigDump","dynamic_listeners":` + string(listeners) + `}`)}
		}
		for _, c := range configs {
			separator := `,`
			if first {
				separator = `{"configs":[`
			}
			first = false
			if _, err := io.WriteString(to, separator); err != nil {
				return err
			}
			if _, err := to.Write(c); err != nil {
				return err
			}
		}
	}
	end := "]}"
	if first {
		end = `{"configs":[]}`
	}
	_, err := io.WriteString(to, end)
	return err
}

// nameless says whether Envoy tells of a refusal once more, without the
// listener's name.
func nameless(listener json.RawMessage) bool {
	var l struct {
		Name string `json:"name"`
	}
	return json.Unmarshal(listener, &l) == nil && l.Name == ""
}

// readPiece reads one part; one that Envoy does not have is empty.
func readPiece(ctx context.Context, get adminGet, path string) ([]json.RawMessage, error) {
	body, err := get(ctx, path)
	var status *kube.StatusError
	if errors.As(err, &status) && (status.Code == http.StatusBadRequest || status.Code == http.StatusNotFound) {
		return []json.RawMessage{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }()
	var piece struct {
		Configs []json.RawMessage `json:"configs"`
	}
	if err := json.NewDecoder(body).Decode(&piece); err != nil {
		return nil, hint.Unanswerablef("Envoy can't write this part of its configuration: it holds something that it does not know", "reading %s: %w", path, err)
	}
	if piece.Configs == nil {
		piece.Configs = []json.RawMessage{}
	}
	return piece.Configs, nil
}
