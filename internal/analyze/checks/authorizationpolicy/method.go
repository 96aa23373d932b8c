package authorizationpolicy

import (
	"slices"
	"strings"

	security "istio.io/api/security/v1beta1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// UnknownMethod finds methods that no request has.
var UnknownMethod = &analyze.Check{
	Code: "MSH0110", Name: "unknown-http-method", Severity: analyze.Warning, KIA: "KIA0102",
	Reads: []mesh.Kind{mesh.AuthorizationPolicy},
	Doc: analyze.Doc{
		What: "An AuthorizationPolicy names a method that no request has: misspelt, in lower case, or the name of a gRPC method.",
		Why:  "Methods are compared letter by letter. The rule never matches: an ALLOW policy refuses what was meant to pass, a DENY policy lets it in.",
		Fix:  "Write HTTP methods in capitals. gRPC requests all have the method POST; what tells them apart is the path, /package.Service/Method, which belongs into paths.",
	},
	Run: func(p *analyze.Pass) {
		for _, v := range operations(p, "methods", func(o *security.Operation) (yes, no []string) { return o.GetMethods(), o.GetNotMethods() }) {
			switch best := hint.Closest(v.text, common()); {
			case strings.Contains(v.text, "*"), slices.Contains(common(), v.text), slices.Contains(registered(), v.text):
			case strings.Contains(v.text, "/"):
				p.Report(v.at, "no request has the method %q: that of gRPC is POST, and %q is the path", v.text, "/"+strings.TrimPrefix(v.text, "/")).
					Suggest("move it to paths")
			case slices.Contains(registered(), strings.ToUpper(v.text)), slices.Contains(common(), strings.ToUpper(v.text)):
				p.Report(v.at, "no request has the method %q: methods are written in capitals", v.text).
					Suggest("change it to %q", strings.ToUpper(v.text))
			case best != "":
				p.Report(v.at, "%q is no HTTP method", v.text).Suggest("change it to %q", best)
			}
		}
	},
}

func common() []string {
	return []string{"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}
}

// registered are methods of WebDAV and other extensions, as IANA lists them,
// and those that caches use.
func registered() []string {
	return []string{
		"ACL", "BASELINE-CONTROL", "BIND", "CHECKIN", "CHECKOUT", "COPY", "LABEL", "LINK", "LOCK", "MERGE", "MKACTIVITY", "MKCALENDAR",
		"MKCOL", "MKREDIRECTREF", "MKWORKSPACE", "MOVE", "ORDERPATCH", "PRI", "PROPFIND", "PROPPATCH", "QUERY", "REBIND", "REPORT", "SEARCH",
		"UNBIND", "UNCHECKOUT", "UNLINK", "UNLOCK", "UPDATE", "UPDATEREDIRECTREF", "VERSION-CONTROL",
		"PURGE", "BAN", "REFRESH", "NOTIFY", "SUBSCRIBE", "UNSUBSCRIBE", "LIST", "SOURCE", "VIEW", "DEBUG",
	}
}
