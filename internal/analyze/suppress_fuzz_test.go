package analyze

import (
	"strings"
	"testing"
)

// FuzzSuppression: any text is a suppression or an error, is read again as it
// is printed, and any configuration is read or refused without a panic.
func FuzzSuppression(f *testing.F) {
	for _, seed := range []string{
		"IST0101", "IST0101=VirtualService shop/*", "*=", "=x", "a=b=c", "x=[", "analyze:\n  suppressions:\n  - {code: a, reason: b, expires: 2027-01-31, labels: {a: b}}\n  severities: {a: error}\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, _ = ReadConfig("x.yaml", []byte(text))
		s, err := ParseSuppression(text)
		if err != nil {
			return
		}
		again, err := ParseSuppression(s.String())
		if err != nil || again.Code != s.Code || again.Object != s.Object {
			t.Errorf("%q is read as %+v, and that as %+v: %v", text, s, again, err)
		}
		s.covers(&Finding{Code: "IST0101", Check: strings.ToLower(text), Object: Object{Kind: "Service", Namespace: "a", Name: text}})
	})
}
