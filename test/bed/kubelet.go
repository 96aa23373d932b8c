package bed

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cri-streaming/pkg/streaming/portforward"
)

// kubelet answers the API server for every node: port-forward to, and logs of, the programs the runtime started; for all
// else kwok answers.
type kubelet struct {
	bed  *Bed
	port int
	kwok http.Handler
}

func (b *Bed) startKubelet() error {
	p, err := b.ports.takeN(2)
	if err != nil {
		return err
	}
	b.stages.port = p[1]
	b.notePorts("kwok", p[1])
	b.kubelet = &kubelet{bed: b, port: p[0], kwok: httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: loopback(p[1])})}
	l, err := net.Listen("tcp", loopback(p[0]))
	if err != nil {
		return fmt.Errorf("starting the kubelet endpoint: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/portForward/{namespace}/{pod}", b.kubelet.forward)
	mux.HandleFunc("/portForward/{namespace}/{pod}/{uid}", b.kubelet.forward)
	mux.HandleFunc("/containerLogs/{namespace}/{pod}/{container}", b.kubelet.containerLogs)
	mux.Handle("/", b.kubelet.kwok)
	serve(b.life, tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{b.creds.serving}, MinVersion: tls.VersionTLS12}), mux)
	return nil
}

// serve answers on l until life ends.
func serve(life context.Context, l net.Listener, h http.Handler) {
	s := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	context.AfterFunc(life, func() { _ = s.Close() })
	go func() { _ = s.Serve(l) }()
}

func (k *kubelet) forward(w http.ResponseWriter, r *http.Request) {
	options, err := portforward.NewV4Options(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	portforward.ServePortForward(w, r, k, r.PathValue("namespace")+"/"+r.PathValue("pod"), r.PathValue("uid"), options,
		time.Hour, 30*time.Second, portforward.SupportedProtocols)
}

// PortForward joins one stream to a port of the pod's program.
func (k *kubelet) PortForward(ctx context.Context, name, _ string, port int32, stream io.ReadWriteCloser) error {
	defer stream.Close()
	ns, pod, _ := strings.Cut(name, "/")
	conn, err := k.bed.runtime.dial(ctx, types.NamespacedName{Namespace: ns, Name: pod}, port)
	if err != nil {
		return err
	}
	join(conn, stream)
	return nil
}

// join copies both ways until both directions are done.
func join(a net.Conn, b io.ReadWriteCloser) {
	defer a.Close()
	done := make(chan struct{})
	go func() {
		_, _ = io.Copy(a, b)
		if half, ok := a.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
		close(done)
	}()
	_, _ = io.Copy(b, a)
	if half, ok := b.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	} else {
		_ = b.Close()
	}
	<-done
}

// containerLogs gives the log of the program in the pod: the whole, its last lines, or as it grows.
func (k *kubelet) containerLogs(w http.ResponseWriter, r *http.Request) {
	if fault, faulty := k.bed.stages.faulty(r.PathValue("namespace")); faulty && fault.log != "" {
		_, _ = fmt.Fprintln(w, fault.log)
		return
	}
	path := k.bed.runtime.logOf(types.NamespacedName{Namespace: r.PathValue("namespace"), Name: r.PathValue("pod")}, r.PathValue("container"))
	if path == "" {
		k.kwok.ServeHTTP(w, r)
		return
	}
	f, err := os.Open(path)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer f.Close()
	if n, err := strconv.Atoi(r.URL.Query().Get("tailLines")); err == nil {
		b, _ := io.ReadAll(f)
		_, _ = fmt.Fprintln(w, lastLines(string(b), n))
	} else {
		_, _ = io.Copy(w, f)
	}
	for r.URL.Query().Get("follow") == "true" {
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
			return
		case <-time.After(200 * time.Millisecond):
		}
		if _, err := io.Copy(w, f); err != nil && !errors.Is(err, io.EOF) {
			return
		}
	}
}
