package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshctl/meshctl/test/bed"
)

// TestProxyAdmin talks to the admin interface of real Envoys: log levels,
// stats, and whom they trust.
func TestProxyAdmin(t *testing.T) {
	t.Parallel()
	b, m := onBed(t, bed.Options{})
	j := &job{meshctl: m, bed: b}
	j.want(t, 0, "install", "--profile", "minimal", "-y", "-q")
	pods, err := b.StartEnvoys(t.Context(), bed.Envoys{Count: 3})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []struct {
		name string
		run  func(*testing.T, *bed.Bed, []string)
	}{{"log", j.proxyLog}, {"stats", j.proxyStats}, {"rootca-compare", j.rootCA}} {
		t.Run(s.name, func(t *testing.T) { s.run(t, b, pods) })
	}
}

type logLevels struct {
	Changed bool
	Proxies []struct {
		Proxy, StartedWith, Error string
		Loggers                   []struct{ Name, Was, Now string }
	}
}

// level is the present level of a logger on each of the Envoys.
func (j *job) level(t *testing.T, logger string) string {
	t.Helper()
	var report logLevels
	decode(t, j.want(t, 0, "pc", "log", "-l", "app=echo", "-n", "bed-envoy", "-o", "json"), &report)
	var all []string
	for _, p := range report.Proxies {
		for _, l := range p.Loggers {
			if l.Name == logger {
				all = append(all, l.Now)
			}
		}
	}
	return strings.Join(all, " ")
}

func (j *job) proxyLog(t *testing.T, _ *bed.Bed, _ []string) {
	if got := j.level(t, "http"); got != "warning warning warning" {
		t.Fatalf("levels of http before any change: %s", got)
	}
	// A wrong level or logger changes nothing anywhere, whatever stands beside it.
	r := j.want(t, 2, "pc", "log", "-l", "app=echo", "-A", "--level", "http:debug,htpp2:debug")
	contains(t, "stderr", r.stderr, `has no logger "htpp2"; no level was changed`, `hint: did you mean "http2"?`)
	j.want(t, 2, "pc", "log", "-l", "app=echo", "-A", "--level", "http:debug,router:debgu")
	if got := j.level(t, "http"); got != "warning warning warning" {
		t.Errorf("levels of http after mistakes: %s", got)
	}

	r = j.want(t, 0, "pc", "log", "svc/echo.bed-envoy", "--level", "http:debug,router:trace")
	contains(t, "change", r.stdout, "PROXY", "WAS", "NOW", "envoy-2.bed-envoy  router  warning  trace")
	if got := j.level(t, "http") + ", " + j.level(t, "misc"); got != "debug debug debug, error error error" {
		t.Errorf("levels of http and misc: %s", got)
	}
	// A pod that cannot be asked is one line and exit code 2; the others are done.
	r = j.want(t, 2, "pc", "log", "envoy-0.bed-envoy", "deploy/istiod.istio-system", "--level", "error")
	contains(t, "stderr", r.stderr, "warning: istiod-", "has no proxy")
	contains(t, "the other", r.stdout, "70 others  warning  error", "http       debug    error")

	// Back to what the Envoys were started with, which is not one level for all loggers.
	var report logLevels
	decode(t, j.want(t, 0, "pc", "log", "-l", "app=echo", "-A", "--reset", "-o", "json"), &report)
	for _, p := range report.Proxies {
		if p.StartedWith != "warning,misc:error" {
			t.Errorf("%s was started with %q", p.Proxy, p.StartedWith)
		}
	}
	for logger, want := range map[string]string{"http": "warning", "router": "warning", "misc": "error"} {
		if got := j.level(t, logger); got != want+" "+want+" "+want {
			t.Errorf("levels of %s after a reset: %s", logger, got)
		}
	}
	contains(t, "nothing to reset", j.want(t, 0, "pc", "log", "svc/echo.bed-envoy", "-r").stdout, "No log level has changed")
}

func (j *job) proxyStats(t *testing.T, _ *bed.Bed, _ []string) {
	type stats struct {
		Proxies []struct {
			Proxy string
			Stats []struct {
				Name  string
				Value any
			}
		}
	}
	var connected, all stats
	decode(t, j.want(t, 0, "pc", "stats", "svc/echo.bed-envoy", "--filter", `^control_plane\.connected_state$`, "-o", "json"), &connected)
	if len(connected.Proxies) != 3 || len(connected.Proxies[2].Stats) != 1 || connected.Proxies[2].Stats[0].Value != 1. {
		t.Errorf("connected: %+v", connected)
	}
	decode(t, j.want(t, 0, "x", "envoy-stats", "envoy-0.bed-envoy", "--all", "-o", "json"), &all)
	some := j.want(t, 0, "pc", "stats", "envoy-0.bed-envoy").stdout
	if n := len(all.Proxies[0].Stats); n < 500 || strings.Count(some, "\n") > n/2 {
		t.Errorf("%d stats in all, %d lines without zeros", n, strings.Count(some, "\n"))
	}
	contains(t, "clusters", j.want(t, 0, "pc", "stats", "envoy-0.bed-envoy", "-t", "clusters").stdout, "CLUSTER", "xds-grpc", "cx_active")
	contains(t, "exporter", j.want(t, 0, "pc", "stats", "envoy-0.bed-envoy", "-o", "prom").stdout, "# TYPE envoy_", "envoy_server_live{} 1")
}

func (j *job) rootCA(t *testing.T, _ *bed.Bed, pods []string) {
	r := j.want(t, 0, "pc", "rootca-compare", pods[0]+".bed-envoy", pods[1], "-n", "bed-envoy")
	contains(t, "the same root", r.stdout, "O=cluster.local", "both", "Both trust the same CAs.", pods[1]+".bed-envoy accepts the certificate of "+pods[0]+".bed-envoy.")
	if strings.Contains(r.stdout, "PRIVATE") {
		t.Errorf("a key is shown:\n%s", r.stdout)
	}
	config := j.get(t, "v1", "configmaps", "bed-envoy", "istio-ca-root-cert")
	root := config.Object["data"].(map[string]any)["root-cert.pem"].(string)
	file := filepath.Join(t.TempDir(), "root.pem")
	if err := os.WriteFile(file, []byte(root), 0o600); err != nil {
		t.Fatal(err)
	}
	contains(t, "the mesh's root", j.want(t, 0, "pc", "rc", pods[0]+".bed-envoy", file).stdout, "both")
	// Another mesh's root.
	if err := os.WriteFile(file, []byte(foreignRoot), 0o600); err != nil {
		t.Fatal(err)
	}
	contains(t, "a foreign root", j.want(t, 1, "pc", "rc", pods[0]+".bed-envoy", "-f", file).stdout, "They have no CA in common", "refuses the certificate of "+pods[0])
}

// foreignRoot is a root that no mesh here has.
const foreignRoot = `-----BEGIN CERTIFICATE-----
MIIBdDCCARugAwIBAgIUTAxR/kbQLLVC2gR0nuO840D8dZ8wCgYIKoZIzj0EAwIw
DzENMAsGA1UECgwEZWFzdDAgFw0yNjExMjMxNzEwNDRaGA8yMTI2MTAzMDE3MTA0
NFowDzENMAsGA1UECgwEZWFzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABO1K
MJ6VCYz8daj4eA3PI4hfV9O2CZ/O4pUEW3TwfQNE0TTrJywyJO1+b2jabc8iDvW3
IV5+JWUzo4APkIeFYySjUzBRMB0GA1UdDgQWBBQnAWVnpQXYyY1GIseXe/r9Mjvf
CTAfBgNVHSMEGDAWgBQnAWVnpQXYyY1GIseXe/r9MjvfCTAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0cAMEQCIHI6qIYtG7oSv+R+ZfUZtljPw2jIPoqCatbd
UOuQ5TKnAiB04vFW+utTyXN17dRp6HIthWKePglrMg6D6L1FKZUkTg==
-----END CERTIFICATE-----
`
