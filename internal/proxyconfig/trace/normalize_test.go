package trace

import "testing"

// What is wanted here was seen in an Envoy 1.40 with normalize_path.
func TestCanonicalPath(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/a/./b/../c":   "/a/c",
		"/../../x":      "/x",
		"/a/..":         "/",
		"/a/.":          "/a/",
		"/a//b":         "/a//b",
		"/a/%2e%2e/b":   "/b",
		"/a/.%2E/b":     "/b",
		`/a\..\b`:       "/b",
		"/a/%2F/b":      "/a/%2F/b",
		"/a/%5c..":      "/a/%5c..",
		"/a/...":        "/a/...",
		"/a/..b":        "/a/..b",
		"/a/b..":        "/a/b..",
		"/a.":           "/a.",
		"/a;x=1/b":      "/a;x=1/b",
		"/a%zz":         "/a%zz",
		"/a%2":          "/a%2",
		"/a%41%7e%2d":   "/aA~-",
		"/a%21%25%c3":   "/a%21%25%c3",
		"/a\"<>^`{|}b":  "/a%22%3C%3E%5E%60%7B%7C%7Db",
		"/a!$&'()*+,=:": "/a!$&'()*+,=:",
	} {
		if got, ok := canonicalPath(path); got != want || !ok {
			t.Errorf("%s: got %s %v, want %s", path, got, ok, want)
		}
	}
	if _, ok := canonicalPath("/a%00"); ok {
		t.Error("a path with a zero byte is one")
	}
}

func TestNormalizePath(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, manager, path, want string
		status                    int
	}{
		{"as it is", `{}`, "/a/../b//c%2Fd", "/a/../b//c%2Fd", 0},
		{"normalized", `{"normalize_path":true}`, "/a/../b?x=/../y", "/b?x=/../y", 0},
		{"slashes merged", `{"normalize_path":true,"merge_slashes":true}`, "//a///b", "/a/b", 0},
		{"escaped slash kept", `{"path_with_escaped_slashes_action":"KEEP_UNCHANGED"}`, "/a%2Fb", "/a%2Fb", 0},
		{"escaped slash refused", `{"path_with_escaped_slashes_action":"REJECT_REQUEST"}`, "/a%2fb", "/a%2fb", 400},
		{"escaped slash taken", `{"normalize_path":true,"path_with_escaped_slashes_action":"UNESCAPE_AND_FORWARD"}`, "/a%2F..%5Cb?%2F", "/b?%2F", 0},
		{"escaped slash redirected", `{"path_with_escaped_slashes_action":"UNESCAPE_AND_REDIRECT"}`, "/a%2Fb", "/a/b", 307},
		{"fragment", `{}`, "/a#b", "/a#b", 400},
		{"zero", `{"normalize_path":true}`, "/a%00", "/a%00", 400},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := &Call{Path: tc.path}
			r := decode[hcm](t, tc.manager).normalizePath(c)
			status := 0
			if r != nil {
				status = r.status
			}
			if c.Path != tc.want || status != tc.status {
				t.Errorf("got %s %d, want %s %d", c.Path, status, tc.want, tc.status)
			}
		})
	}
}

func TestNormalizeHost(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ manager, host, want string }{
		{`{}`, "a.b:80", "a.b:80"},
		{`{"strip_matching_host_port":true}`, "a.b:80", "a.b"},
		{`{"strip_matching_host_port":true}`, "a.b:81", "a.b:81"},
		{`{"strip_any_host_port":true}`, "a.b:81", "a.b"},
		{`{"strip_any_host_port":true}`, "[::1]", "[::1]"},
		{`{"strip_any_host_port":true}`, "a.b:x", "a.b:x"},
		{`{"strip_trailing_host_dot":true}`, "a.b.:81", "a.b:81"},
	} {
		c := &Call{Authority: tc.host, Conn: &Connection{Port: 80}}
		if decode[hcm](t, tc.manager).normalizeHost(c); c.Authority != tc.want {
			t.Errorf("%s %s: got %s", tc.manager, tc.host, c.Authority)
		}
	}
}

// What a real Envoy sent on, with escaped slashes unescaped and slashes merged.
func TestPathsSentOn(t *testing.T) {
	t.Parallel()
	h := &hcm{Normalize: true, MergeSlashes: true, Escaped: "UNESCAPE_AND_FORWARD"}
	for path, want := range map[string]string{
		"/%%361dmin":              "/%2561dmin",
		"/x%5%63admin":            "/x%255cadmin",
		"/x%5zadmin":              "/x%5zadmin",
		"/./admin":                "/admin",
		"/x/%2e%2e/admin?x=/../y": "/admin?x=/../y",
		"/a%2e%2e/admin":          "/a../admin",
		"//admin//users":          "/admin/users",
		"/admin%2Fusers":          "/admin/users",
		`/x\admin`:                "/x/admin",
		"/%":                      "/%",
		"/..%":                    "/..%",
		"/a%/../%41":              "/A",
	} {
		c := &Call{Path: path}
		if bad := h.normalizePath(c); bad != nil || c.Path != want {
			t.Errorf("%s is taken as %s (%v), want %s", path, c.Path, bad, want)
		}
	}
}
