package cmd

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meshctl/meshctl/internal/kube/apitest"
	"github.com/meshctl/meshctl/internal/ui"
)

// stream is a stream that a test reads while a command writes it.
type stream struct {
	mu   sync.Mutex
	text string
	grew chan struct{}
}

func newStream() *stream { return &stream{grew: make(chan struct{}, 1)} }

// Write adds text.
func (s *stream) Write(text []byte) (int, error) {
	s.mu.Lock()
	s.text += string(text)
	s.mu.Unlock()
	select {
	case s.grew <- struct{}{}:
	default:
	}
	return len(text), nil
}

// await returns all up to a text and takes it away, once it is there.
func (s *stream) await(t *testing.T, want string) string {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		s.mu.Lock()
		before, after, found := strings.Cut(s.text, want)
		if found {
			s.text = after
		}
		text := s.text
		s.mu.Unlock()
		if found {
			return before + want
		}
		select {
		case <-s.grew:
		case <-deadline:
			t.Fatalf("%q does not come; there is %q", want, text)
		}
	}
}

// watched is a command that goes on until end is called.
type watched struct {
	out, talk *stream
	end       func() (exit int)
}

func watch(t *testing.T, args ...string) *watched {
	t.Helper()
	w := &watched{out: newStream(), talk: newStream()}
	ctx, cancel := context.WithCancel(t.Context())
	f := newFactory(&ui.IO{In: strings.NewReader(""), Out: w.out, Err: w.talk})
	root := newRootCmd(f)
	root.SetArgs(args)
	code := make(chan int, 1)
	go func() {
		err := root.ExecuteContext(ctx)
		report(ctx, f.IO, err)
		code <- exitCode(ctx, err)
	}()
	w.end = sync.OnceValue(func() int {
		cancel()
		return <-code
	})
	t.Cleanup(func() { w.end() })
	return w
}

// put writes a file the way that editors do: beside it, and then in its place.
func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+"~", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+"~", path); err != nil {
		t.Fatal(err)
	}
}

// cart is a VirtualService that routes to a host.
func cart(host string) string {
	return `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: cart, namespace: shop}
spec:
  hosts: [cart]
  http:
  - route:
    - destination: {host: ` + host + `}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec:
  ports: [{name: http, port: 80}]
`
}

func TestWatchFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, latest := filepath.Join(dir, "shop.yaml"), filepath.Join(dir, "report.json")
	put(t, file, cart("reviewz"))
	w := watch(t, "analyze", "--watch", "--complete", "--only", "missing-host", "-o", "table", "-o", "json="+latest, dir)
	first := w.out.await(t, `"reviewz" in namespace "shop"`)
	if !strings.HasPrefix(first, "error  IST0101  VirtualService shop/cart  "+file+":8:27\n") {
		t.Errorf("the first report is\n%s", first)
	}
	w.talk.await(t, "watching for changes; Ctrl-C ends it\n")

	// Only what changed is printed; the file has all there is.
	put(t, file, "# a line more\n"+cart("kart"))
	w.out.await(t, `there is no Service "kart"`)
	gone := w.out.await(t, `there is no Service "reviewz" in namespace "shop"`+"\n")
	if !strings.Contains(gone, "\ngone  error  IST0101  VirtualService shop/cart  ") {
		t.Errorf("what is gone: %s", gone)
	}
	w.talk.await(t, "Z  1 new, 1 gone\n")

	// A broken document leaves open what is wrong in its file; a new directory counts.
	put(t, file, cart("kart")+"---\nkind: [\n")
	w.talk.await(t, "Z  nothing new, nothing gone\n")
	w.talk.await(t, "cannot be read: it is not valid YAML")
	put(t, file, cart("kart"))
	w.talk.await(t, "Z  nothing new, nothing gone\n")
	if err := os.Mkdir(filepath.Join(dir, "more"), 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "more", "web.yaml"), strings.ReplaceAll(cart("webb"), "cart", "web"))
	w.out.await(t, `new   error  IST0101  VirtualService shop/web`)
	w.talk.await(t, "Z  1 new, 0 gone\n")
	text, err := os.ReadFile(latest)
	if err != nil || strings.Count(string(text), `"IST0101"`) != 2 {
		t.Errorf("the latest report: %v %s", err, text)
	}

	if code := w.end(); code != exitInterrupted {
		t.Errorf("ended with %d", code)
	}
	w.talk.await(t, "interrupted\n")
}

// A named file may be away for a while, and comes back.
func TestWatchOneFileAsJSON(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "shop.yaml")
	put(t, file, cart("cart"))
	w := watch(t, "analyze", "-q", "-w", "--complete", "--only", "missing-host", "-o", "json", file)
	w.out.await(t, `{"apiVersion":"meshctl.io/v1","kind":"AnalysisReport",`)
	w.out.await(t, "\n")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	w.talk.await(t, "error: reading "+file+": no such file or directory\nhint: check the path\n")
	if line := w.out.await(t, "\n"); !strings.Contains(line, `"new":[],"gone":[]`) {
		t.Errorf("without the file: %s", line)
	}
	put(t, file, cart("kart"))
	line := w.out.await(t, "\n")
	if !strings.HasPrefix(line, `{"apiVersion":"meshctl.io/v1","kind":"AnalysisDifference","time":"`) ||
		!strings.Contains(line, `"new":[{"code":"IST0101",`) || !strings.Contains(line, `"gone":[]`) {
		t.Errorf("the difference is %s", line)
	}

	// What was wrong in it is gone with it, at once.
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if line := w.out.await(t, "\n"); !strings.Contains(line, `"new":[],"gone":[{"code":"IST0101",`) {
		t.Errorf("the difference is %s", line)
	}
	w.end()
}

// A live mesh: a change is told; what may not be read for a while is not gone.
func TestWatchLive(t *testing.T) {
	t.Parallel()
	const namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n"
	server, err := apitest.New(namespace + cart("reviewz"))
	if err != nil {
		t.Fatal(err)
	}
	var away atomic.Bool
	server.Fault = func(w http.ResponseWriter, r *http.Request) bool {
		if away.Load() {
			apitest.Refuse(w, http.StatusForbidden, "Forbidden", r.URL.Path+` is forbidden: not now`)
		}
		return away.Load()
	}
	config, err := apitest.Kubeconfig(t.TempDir(), []string{"prod"}, map[string]string{"prod": server.Start(t)})
	if err != nil {
		t.Fatal(err)
	}
	w := watch(t, "analyze", "-w", "-A", "--watch-interval", "1ms", "--kubeconfig", config, "--only", "missing-host")
	w.out.await(t, `"reviewz" in namespace "shop"`)
	w.talk.await(t, "watching for changes")
	if err := server.Replace(namespace + cart("kart")); err != nil {
		t.Fatal(err)
	}
	w.out.await(t, `new   error  IST0101  VirtualService shop/cart`)
	w.out.await(t, `gone  error  IST0101  VirtualService shop/cart`)
	w.talk.await(t, "Z  1 new, 1 gone\n")

	// Kinds that can't be read any more leave open what was found.
	away.Store(true)
	if err := server.Replace(namespace + cart("cart")); err != nil {
		t.Fatal(err)
	}
	w.talk.await(t, "skipped missing-host: ")
	away.Store(false)
	if err := server.Replace(namespace + cart("cart")); err != nil {
		t.Fatal(err)
	}
	w.talk.await(t, "Z  0 new, 1 gone\n")
	if code := w.end(); code != exitInterrupted {
		t.Errorf("ended with %d", code)
	}
}
