package analyze

import (
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/meshctl/meshctl/internal/mesh"
)

// suppressAnnotation silences codes on one object, as with istioctl.
const suppressAnnotation = "galley.istio.io/analyze-suppress"

// Suppression is a kind of finding that the user does not want to see.
type Suppression struct {
	// Code is a code, Kiali's included, or a check's name; "*" means all.
	Code string
	// Object is a glob over "Kind namespace/name"; empty means every object.
	Object string
	// Namespace, Path (the file's) and the values of Labels are globs that
	// narrow it further; empty ones do not.
	Namespace, Path string
	Labels          map[string]string
	// Reason is the user's, for the record.
	Reason string
	// Expires is the last day on which it holds; zero means it always does.
	Expires time.Time
	// Position is where it is written; nil for the command line.
	Position *mesh.Position
}

// ParseSuppression reads CODE, CODE=Kind ns/name or CODE=Kind name.ns, with *
// for any text.
func ParseSuppression(s string) (Suppression, error) {
	code, object, _ := strings.Cut(s, "=")
	code, object = strings.TrimSpace(code), strings.TrimSpace(object)
	if code == "" {
		return Suppression{}, fmt.Errorf("%q names no code: it is CODE, or CODE=Kind namespace/name", s)
	}
	if object != "" && !strings.ContainsAny(object, " *") {
		return Suppression{}, fmt.Errorf("%q names no kind and name: it is CODE, or CODE=Kind namespace/name", s)
	}
	return Suppression{Code: code, Object: object}, nil
}

// String is the suppression as ParseSuppression reads it.
func (s Suppression) String() string {
	if s.Object == "" {
		return s.Code
	}
	return s.Code + "=" + s.Object
}

// expired says whether its last day has passed.
func (s Suppression) expired(now time.Time) bool {
	return !s.Expires.IsZero() && !now.IsZero() && !now.Before(s.Expires.AddDate(0, 0, 1))
}

// covers says whether the suppression silences a finding.
func (s Suppression) covers(f *Finding) bool {
	return f.is(s.Code) && s.coversObject(f.Object, f.at.Object)
}

// is says whether a word names the finding's check; "*" names all.
func (f *Finding) is(word string) bool {
	return word == "*" || strings.EqualFold(word, f.Code) || strings.EqualFold(word, f.Check) || f.from != nil && f.from.Is(word)
}

// coversObject says whether findings of an object are silenced.
func (s Suppression) coversObject(name Object, o *mesh.Object) bool {
	if s.Namespace != "" && !glob(s.Namespace, name.Namespace) {
		return false
	}
	if s.Path != "" && (o == nil || !glob(s.Path, strings.TrimPrefix(o.Origin.File, "./"))) {
		return false
	}
	for k, v := range s.Labels {
		if o == nil || o.Labels[k] == "" || !glob(v, o.Labels[k]) {
			return false
		}
	}
	if s.Object == "" || s.Object == "*" {
		return true
	}
	// Names are in lower case anyway, and kinds are often typed so.
	want, kind := strings.ToLower(s.Object), strings.ToLower(name.Kind)
	return glob(want, strings.ToLower(name.String())) || name.Namespace != "" && glob(want, kind+" "+name.Name+"."+name.Namespace)
}

// glob matches with * for any text, slashes included.
func glob(pattern, text string) bool {
	hide := strings.NewReplacer("/", "\x00", "[", `\[`, "?", `\?`)
	ok, err := path.Match(hide.Replace(pattern), strings.ReplaceAll(text, "/", "\x00"))
	return err == nil && ok
}

// annotated is the code in the object's annotation that asks not to hear of
// the finding; empty when none does.
func annotated(o *mesh.Object, f *Finding) string {
	for _, code := range annotatedCodes(o) {
		if f.is(code) {
			return code
		}
	}
	return ""
}

// annotatedCodes are the codes in the object's annotation.
func annotatedCodes(o *mesh.Object) []string {
	if o == nil || o.Annotations[suppressAnnotation] == "" {
		return nil
	}
	return strings.FieldsFunc(o.Annotations[suppressAnnotation], func(r rune) bool { return r == ',' || r == ' ' || r == '\n' })
}

// kialiAnnotation silences Kiali's checks on one object, as with Kiali: those
// of the codes it lists, or all of them when it is empty.
const kialiAnnotation = "kiali.io/ignore-validations"

// ignoredForKiali says whether the object's annotation asks Kiali not to tell of
// the finding. What Kiali has no check for is not meant by it.
func ignoredForKiali(o *mesh.Object, f *Finding) bool {
	if o == nil {
		return false
	}
	listed, set := o.Annotations[kialiAnnotation]
	if !set {
		return false
	}
	for _, kia := range kialiCodes(f) {
		if strings.TrimSpace(listed) == "" {
			return true
		}
		for _, code := range strings.Split(listed, ",") {
			if strings.EqualFold(strings.TrimSpace(code), kia) {
				return true
			}
		}
	}
	return false
}
