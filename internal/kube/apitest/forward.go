package apitest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	core "k8s.io/api/core/v1"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

// forward answers a port-forward in plain SPDY, as API servers before WebSocket
// tunnels do. Where Ports has no address for a pod's port, nothing listens.
func (s *Server) forward(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(r.URL.Path, "/") // /api/v1/namespaces/NS/pods/POD/portforward
	if !strings.EqualFold(r.Header.Get("Upgrade"), spdy.HeaderSpdy31) {
		http.Error(w, "upgrade to websocket not supported", http.StatusBadRequest)
		return
	}
	w.Header().Set(httpstream.HeaderProtocolVersion, "portforward.k8s.io")
	streams := make(chan httpstream.Stream, 64)
	conn := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(stream httpstream.Stream, _ <-chan struct{}) error {
		streams <- stream
		return nil
	})
	if conn == nil {
		return
	}
	failures := map[string]httpstream.Stream{}
	for {
		select {
		case <-conn.CloseChan():
			return
		case stream := <-streams:
			id := stream.Headers().Get(core.PortForwardRequestIDHeader)
			if stream.Headers().Get(core.StreamType) == core.StreamTypeError {
				failures[id] = stream
				continue
			}
			go carry(s.Ports[parts[6]+":"+stream.Headers().Get(core.PortHeader)], stream, failures[id])
		}
	}
}

func carry(address string, data, failure httpstream.Stream) {
	defer func() { _ = failure.Close(); _ = data.Close() }()
	backend, err := net.Dial("tcp", address)
	if address == "" || err != nil {
		fmt.Fprint(failure, "error forwarding port 1 to pod abc, uid : connection refused")
		return
	}
	defer func() { _ = backend.Close() }()
	go func() { _, _ = io.Copy(backend, data); _ = backend.(*net.TCPConn).CloseWrite() }()
	_, _ = io.Copy(data, backend)
}
