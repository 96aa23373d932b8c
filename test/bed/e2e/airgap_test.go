//go:build linux

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/meshctl/meshctl/test/bed"
)

// TestInstallTalksToTheAPIServerOnly installs inside a network namespace that
// has loopback alone and, on the API server's port, a way out that counts. What
// the kernel counted there must be those connections and nothing else.
func TestInstallTalksToTheAPIServerOnly(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("a network namespace takes root")
	}
	b, err := bed.Start(t.Context(), bed.Options{NoEnvoy: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Down)
	server, err := url.Parse(b.REST().Host)
	if err != nil {
		t.Fatal(err)
	}
	m := meshctl{binary: build(t), kubeconfig: b.Kubeconfig(), home: t.TempDir()}
	const mirror = "registry.example.com/mesh"
	for _, args := range [][]string{
		{"install", "--profile", "demo", "--registry", mirror, "-y"},
		{"install", "--profile", "demo", "--registry", mirror, "-y"}, // nothing to do
		{"images", "list", "--profile", "demo"},                      // asks nobody
		{"uninstall", "--purge", "-y"},
	} {
		var out bytes.Buffer
		cut := isolated(t, server.Host, func(ctx context.Context) error {
			cmd := exec.CommandContext(ctx, m.binary, args...)
			cmd.Env = []string{"KUBECONFIG=" + m.kubeconfig, "HOME=" + m.home, "XDG_CONFIG_HOME=" + m.home, "NO_COLOR=1", "PATH=" + os.Getenv("PATH")}
			cmd.Stdout, cmd.Stderr = &out, &out
			return cmd.Run()
		})
		if cut.err != nil {
			t.Fatalf("meshctl %s: %v\n%s", strings.Join(args, " "), cut.err, &out)
		}
		asks := args[0] != "images"
		if cut.elsewhere() != "" || cut.accepted != cut.count["Tcp ActiveOpens"] || asks != (cut.accepted > 0) {
			t.Errorf("meshctl %s: %d connections to the API server of %d opened; %s",
				strings.Join(args, " "), cut.accepted, cut.count["Tcp ActiveOpens"], cut.elsewhere())
		}
		t.Logf("meshctl %s: %d connections, all to the API server", strings.Join(args, " "), cut.accepted)
		if args[0] == "install" {
			wantMirrored(t, m, mirror)
		}
	}
}

// wantMirrored checks that the cluster's workloads pull from the mirror only.
func wantMirrored(t *testing.T, m meshctl, mirror string) {
	t.Helper()
	kubectl := exec.CommandContext(t.Context(), repo+"/.cache/bin/kubectl", "--kubeconfig", m.kubeconfig, "get", "deployments", "-n", "istio-system",
		"-o", "jsonpath={range .items[*]}{range .spec.template.spec.containers[*]}{.image}{\"\\n\"}{end}{end}")
	out, err := kubectl.Output()
	if err != nil {
		t.Fatal(err)
	}
	images := strings.Fields(string(out))
	if len(images) < 7 {
		t.Errorf("only %d images: %v", len(images), images)
	}
	for _, image := range images {
		if !strings.HasPrefix(image, mirror+"/") {
			t.Errorf("%s is not from the mirror", image)
		}
	}
}

// The counters see whoever looks elsewhere, or the test above proves nothing.
func TestTheKernelCountsWhoLooksElsewhere(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("a network namespace takes root")
	}
	for name, address := range map[string][2]string{
		"another address": {"tcp", "192.0.2.1:443"}, "an address of IPv6": {"tcp", "[2001:db8::1]:443"},
		"a name server": {"udp", "127.0.0.1:53"}, "another port": {"tcp", "127.0.0.1:1"},
	} {
		cut := isolated(t, "127.0.0.1:0", func(ctx context.Context) error {
			c, err := new(net.Dialer).DialContext(ctx, address[0], address[1])
			if err == nil {
				_, _ = c.Write([]byte("x"))
				c.Close()
			}
			return nil
		})
		if cut.elsewhere() == "" && cut.count["Tcp ActiveOpens"] == cut.accepted {
			t.Errorf("%s: nothing was counted: %v", name, cut.count)
		}
	}
}

// isolation is what came of a run in a network namespace.
type isolation struct {
	accepted int64 // connections to the one address there is
	count    map[string]int64
	err      error
}

// elsewhere says what was sent to anything but that address, "" if nothing was.
func (i isolation) elsewhere() string {
	var out []string
	for _, k := range []string{"Udp OutDatagrams", "Udp6OutDatagrams", "Ip OutNoRoutes", "Ip6OutNoRoutes", "Tcp AttemptFails"} {
		if i.count[k] != 0 {
			out = append(out, fmt.Sprintf("%s %d", k, i.count[k]))
		}
	}
	return strings.Join(out, ", ")
}

// isolated runs a function on a thread whose network namespace has loopback
// alone, and there a listener at address from which connections go out.
func isolated(t *testing.T, address string, run func(context.Context) error) isolation {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	done := make(chan isolation, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		var result isolation
		defer func() { done <- result }()
		if result.err = syscall.Unshare(syscall.CLONE_NEWNET); result.err != nil {
			return
		}
		if result.err = loopbackUp(); result.err != nil {
			return
		}
		var inside net.Listener
		if inside, result.err = new(net.ListenConfig).Listen(ctx, "tcp", address); result.err != nil {
			return
		}
		defer inside.Close()
		var accepted atomic.Int64
		go forward(ctx, inside, address, &accepted) // on a thread outside
		result.err = run(ctx)
		result.accepted = accepted.Load()
		var err error
		if result.count, err = counters(); result.err == nil {
			result.err = err
		}
	}()
	return <-done
}

// forward hands every connection on to the same address outside.
func forward(ctx context.Context, l net.Listener, address string, accepted *atomic.Int64) {
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		accepted.Add(1)
		go func() {
			defer in.Close()
			out, err := new(net.Dialer).DialContext(ctx, "tcp", address)
			if err != nil {
				return
			}
			defer out.Close()
			go func() {
				_, _ = io.Copy(out, in)
				out.Close()
			}()
			_, _ = io.Copy(in, out)
		}()
	}
}

// loopbackUp brings up lo in the thread's namespace, where it begins down.
func loopbackUp() error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		return fmt.Errorf("opening a socket: %w", err)
	}
	defer func() { _ = syscall.Close(fd) }()
	request := struct {
		name  [16]byte
		flags uint16
		_     [22]byte
	}{flags: syscall.IFF_UP | syscall.IFF_RUNNING}
	copy(request.name[:], "lo")
	if _, _, code := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&request))); code != 0 {
		return fmt.Errorf("bringing up lo: %w", code)
	}
	return nil
}

// counters are what the kernel counted in the thread's namespace, by table and
// name, as in "Tcp ActiveOpens"; those of IPv6 by name.
func counters() (map[string]int64, error) {
	out := map[string]int64{}
	data, err := os.ReadFile("/proc/thread-self/net/snmp")
	if err != nil {
		return nil, fmt.Errorf("reading the counters: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	for i := 0; i+1 < len(lines); i += 2 { // names, then values
		names, values := strings.Fields(lines[i]), strings.Fields(lines[i+1])
		for j := 1; j < len(names) && j < len(values); j++ {
			var n int64
			_, _ = fmt.Sscan(values[j], &n)
			out[strings.TrimSuffix(names[0], ":")+" "+names[j]] = n
		}
	}
	data, _ = os.ReadFile("/proc/thread-self/net/snmp6") // not there without IPv6
	for line := range strings.Lines(string(data)) {
		var name string
		var n int64
		if _, err := fmt.Sscan(line, &name, &n); err == nil {
			out[name] = n
		}
	}
	return out, nil
}
