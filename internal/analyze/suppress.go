package analyze

import (
	"fmt"
	"path"
	"strings"

	"github.com/meshctl/meshctl/internal/mesh"
)

// suppressAnnotation silences codes on one object, as with istioctl.
const suppressAnnotation = "galley.istio.io/analyze-suppress"

// Suppression is a kind of finding that the user does not want to see.
type Suppression struct {
	// Code is a code or a check's name; "*" means all.
	Code string
	// Object is a glob over "Kind namespace/name"; empty means every object.
	Object string
}

// ParseSuppression reads CODE, CODE=Kind ns/name or CODE=Kind name.ns, with *
// for any text.
func ParseSuppression(s string) (Suppression, error) {
	code, object, _ := strings.Cut(s, "=")
	code, object = strings.TrimSpace(code), strings.TrimSpace(object)
	if code == "" {
		return Suppression{}, fmt.Errorf("%q names no code: it is CODE, or CODE=Kind namespace/name", s)
	}
	return Suppression{Code: code, Object: object}, nil
}

// covers says whether the suppression silences a finding.
func (s Suppression) covers(f *Finding) bool {
	if s.Code != "*" && !strings.EqualFold(s.Code, f.Code) && !strings.EqualFold(s.Code, f.Check) {
		return false
	}
	if s.Object == "" || s.Object == "*" {
		return true
	}
	if glob(s.Object, f.Object.String()) {
		return true
	}
	return f.Object.Namespace != "" && glob(s.Object, f.Object.Kind+" "+f.Object.Name+"."+f.Object.Namespace)
}

// glob matches with * for any text, slashes included.
func glob(pattern, text string) bool {
	hide := strings.NewReplacer("/", "\x00", "[", `\[`, "?", `\?`)
	ok, err := path.Match(hide.Replace(pattern), strings.ReplaceAll(text, "/", "\x00"))
	return err == nil && ok
}

// annotated says whether the finding's object asks not to hear of its code.
func annotated(o *mesh.Object, f *Finding) bool {
	if o == nil {
		return false
	}
	for _, code := range strings.Split(o.Annotations[suppressAnnotation], ",") {
		code = strings.TrimSpace(code)
		if code == "*" || strings.EqualFold(code, f.Code) || (code != "" && strings.EqualFold(code, f.Check)) {
			return true
		}
	}
	return false
}
