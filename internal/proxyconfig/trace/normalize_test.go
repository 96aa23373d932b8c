package trace

import "testing"

// What a real Envoy sent on, with escaped slashes unescaped and slashes merged.
func TestNormalizePath(t *testing.T) {
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
