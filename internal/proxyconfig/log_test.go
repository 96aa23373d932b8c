package proxyconfig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/output"
)

// fakeEnvoy is an admin interface that knows log levels.
type fakeEnvoy struct {
	mu      sync.Mutex
	names   []string
	levels  map[string]string
	info    string
	posts   []string
	fails   string // requests with this in them
	hangs   bool
	foreign string // what it answers instead
}

func newFakeEnvoy(loggers ...string) *fakeEnvoy {
	f := &fakeEnvoy{levels: map[string]string{}, info: `{"command_line_options": {"log_level": "warning", "component_log_level": "misc:error"}}`}
	for _, l := range loggers {
		f.names = append(f.names, l)
		f.levels[l] = "warning"
	}
	return f
}

func (f *fakeEnvoy) Get(ctx context.Context, path string) (io.ReadCloser, error) {
	if path != "/server_info" {
		return nil, fmt.Errorf("GET %s", path)
	}
	return io.NopCloser(strings.NewReader(f.info)), ctx.Err()
}

func (f *fakeEnvoy) Post(ctx context.Context, path string) (io.ReadCloser, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.posts = append(f.posts, path)
	switch {
	case f.hangs:
		<-ctx.Done()
		return nil, ctx.Err()
	case f.fails != "" && strings.Contains(path, f.fails):
		return nil, hint.Unanswerablef("look", "no answer")
	case f.foreign != "":
		return io.NopCloser(strings.NewReader(f.foreign)), nil
	}
	u, err := url.Parse(path)
	if err != nil {
		return nil, err
	}
	if level := u.Query().Get("level"); level != "" {
		for _, n := range f.names {
			f.levels[n] = level
		}
	}
	for pair := range strings.SplitSeq(u.Query().Get("paths"), ",") {
		if name, level, ok := strings.Cut(pair, ":"); ok {
			f.levels[name] = level
		}
	}
	answer := "active loggers:\n"
	for _, n := range f.names {
		answer += "  " + n + ": " + f.levels[n] + "\n"
	}
	return io.NopCloser(strings.NewReader(answer + "\n")), nil
}

func logsOf(t *testing.T, change LogChange, proxies ...*fakeEnvoy) (*LogReport, error) {
	t.Helper()
	var all []AdminProxy
	for i, p := range proxies {
		all = append(all, AdminProxy{Name: fmt.Sprintf("p%d.shop", i), Admin: p})
	}
	return Logs(t.Context(), all, change, 5*time.Second)
}

func logTable(t *testing.T, d output.Document, format output.Format) string {
	t.Helper()
	var b bytes.Buffer
	if err := output.Write(&b, output.Options{Format: format}, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func change(t *testing.T, levels string, reset bool) LogChange {
	t.Helper()
	c := LogChange{Reset: reset}
	if levels != "" {
		var err error
		if c.Levels, err = ParseLogLevels(levels); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func TestLogChange(t *testing.T) {
	t.Parallel()
	loggers := []string{"admin", "http", "http2", "misc", "pool", "router", "upstream"}
	for _, tc := range []struct {
		name, levels string
		reset        bool
		want         string
		posts        []string
	}{
		{"one logger", "http:debug", false, "p0.shop  http  warning  debug\n", []string{"/logging", "/logging?paths=http:debug"}},
		{"several, and a level for all that stands last", "http:debug,router:trace,warn", false,
			"p0.shop  http    warning  debug\np0.shop  router  warning  trace\n", []string{"/logging", "/logging?level=warning", "/logging?paths=http:debug,router:trace"}},
		{"all", "ERROR", false, "p0.shop  all 7  warning  error\n", []string{"/logging", "/logging?level=error"}},
		{"all but one", "info,misc:warning", false, "p0.shop  6 others  warning  info\n", []string{"/logging", "/logging?level=info", "/logging?paths=misc:warning"}},
		{"reset", "", true, "p0.shop  misc  warning  error\n", []string{"/logging", "/logging?level=warning", "/logging?paths=misc:error"}},
		{"reset, then another", "http:info", true, "p0.shop  http  warning  info\np0.shop  misc  warning  error\n",
			[]string{"/logging", "/logging?level=warning", "/logging?paths=misc:error", "/logging?paths=http:info"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFakeEnvoy(loggers...)
			r, err := logsOf(t, change(t, tc.levels, tc.reset), f)
			if err != nil {
				t.Fatal(err)
			}
			_, got, _ := strings.Cut(logTable(t, r, output.AsTable), "\n")
			for strings.Contains(got, "   ") {
				got = strings.ReplaceAll(got, "   ", "  ")
			}
			want := tc.want
			for strings.Contains(want, "   ") {
				want = strings.ReplaceAll(want, "   ", "  ")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if diff := cmp.Diff(tc.posts, f.posts); diff != "" {
				t.Errorf("requests, -want +got:\n%s", diff)
			}
		})
	}
}

// TestLogChangesNothingOnMistakes says that a logger that one proxy lacks stops the change of all.
func TestLogChangesNothingOnMistakes(t *testing.T) {
	t.Parallel()
	newer, older := newFakeEnvoy("http", "mcp"), newFakeEnvoy("http")
	_, err := logsOf(t, change(t, "mcp:debug", false), newer, older)
	if err == nil || err.Error() != `proxy p1.shop has no logger "mcp"; no level was changed` || hint.ClassOf(err) != hint.Usage {
		t.Errorf("error %v", err)
	}
	_, err = logsOf(t, change(t, "htpp:debug", false), newer)
	if hint.Of(err) != `did you mean "http"?` {
		t.Errorf("hint %q", hint.Of(err))
	}
	for i, f := range []*fakeEnvoy{newer, older} {
		for _, path := range f.posts {
			if path != "/logging" {
				t.Errorf("proxy %d got %s", i, path)
			}
		}
	}
}

// TestLogOneFails says that a proxy that fails hides no other.
func TestLogOneFails(t *testing.T) {
	t.Parallel()
	good, dead, foreign, ztunnel, refuses := newFakeEnvoy("http"), newFakeEnvoy("http"), newFakeEnvoy(), newFakeEnvoy(), newFakeEnvoy("http", "rbac")
	dead.fails, foreign.foreign, ztunnel.foreign, refuses.fails = "logging", "<html>", "current log level is info\n", "paths"
	r, err := logsOf(t, change(t, "info,http:debug", false), good, dead, foreign, ztunnel, refuses)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range r.Proxies {
		got = append(got, p.Proxy+": "+p.Error+" ("+p.Hint+")")
	}
	want := []string{
		"p0.shop:  ()", "p1.shop: no answer (look)",
		`p2.shop: p2.shop answers "<html>" instead of its log levels (is --proxy-admin-port the port of Envoy's admin interface?)`,
		"p3.shop: p3.shop is a ztunnel, not an Envoy (`meshctl ztunnel-config log` is for those)", "p4.shop: no answer (look)",
	}
	if diff := cmp.Diff(want, got); diff != "" || r.Failed() != 4 {
		t.Errorf("%d failed, -want +got:\n%s", r.Failed(), diff)
	}
	wantTable := "PROXY    LOGGER      WAS      NOW\np0.shop  http        warning  debug\np4.shop  http, rbac  warning  info\n"
	if diff := cmp.Diff(wantTable, logTable(t, r, output.AsTable)); diff != "" {
		t.Errorf("what was changed by then is told, -want +got:\n%s", diff)
	}
}

func TestLogDeadline(t *testing.T) {
	t.Parallel()
	good, hangs := newFakeEnvoy("http"), newFakeEnvoy("http")
	hangs.hangs = true
	r, err := Logs(t.Context(), []AdminProxy{{"good", good}, {"hangs", hangs}}, LogChange{}, 50*time.Millisecond)
	if err != nil || r.Proxies[0].Error != "" || r.Proxies[1].Error == "" {
		t.Errorf("%+v, %v", r, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r, err := Logs(ctx, []AdminProxy{{"good", good}}, LogChange{}, time.Minute); r != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %+v, %v", r, err)
	}
}

func TestLogListing(t *testing.T) {
	t.Parallel()
	a, b := newFakeEnvoy("admin", "http", "http2", "misc", "pool", "router", "upstream"), newFakeEnvoy("http", "misc")
	a.levels["misc"], b.levels["http"] = "error", "debug"
	r, err := logsOf(t, LogChange{}, a, b)
	if err != nil {
		t.Fatal(err)
	}
	want := "PROXY    LOGGER    LEVEL\np0.shop  misc      error\np0.shop  6 others  warning\np1.shop  http      debug\np1.shop  misc      warning\n"
	if diff := cmp.Diff(want, logTable(t, r, output.AsTable)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := logTable(t, r, output.AsWide); strings.Count(got, "\n") != 10 {
		t.Errorf("wide is one row for each logger:\n%s", got)
	}
	if r, err = logsOf(t, LogChange{}, a); err != nil || strings.Count(logTable(t, r, output.AsTable), "\n") != 8 {
		t.Errorf("of one proxy each logger has a row: %v\n%s", err, logTable(t, r, output.AsTable))
	}
}

func TestLogResetNeedsTheStartLevels(t *testing.T) {
	t.Parallel()
	f := newFakeEnvoy("http")
	f.info = `{}`
	r, err := logsOf(t, LogChange{Reset: true}, f)
	if err != nil || r.Proxies[0].Error != "the proxy p0.shop does not say with which log levels it was started" || len(f.posts) != 1 {
		t.Errorf("%+v, %v, %q", r, err, f.posts)
	}
}

func TestParseLogLevelsRefuses(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"debgu": `"debgu" is not a log level`, "": `"" is not a log level`, "http:": `"" is not a log level`, ":debug": `":debug" names no logger`,
		"http:debug,": `"" is not a log level`, "none": `"none" is not a log level`,
	} {
		_, err := ParseLogLevels(given)
		if err == nil || err.Error() != want || hint.ClassOf(err) != hint.Usage || hint.Of(err) == "" {
			t.Errorf("%q: %v, hint %q", given, err, hint.Of(err))
		}
	}
}

func FuzzLoggers(f *testing.F) {
	f.Add("active loggers:\n  http: debug\n  a:b: c\n\n", "http:debug,info")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, answer, levels string) {
		loggers, err := parseLoggers("p", strings.NewReader(answer))
		if err == nil && len(loggers) == 0 {
			t.Error("no loggers and no error")
		}
		if all, err := ParseLogLevels(levels); err == nil && len(all) == 0 {
			t.Error("no levels and no error")
		}
	})
}
