package analyze

import "testing"

func TestFingerprint(t *testing.T) {
	t.Parallel()
	base := Finding{
		Code: "IST0101", Check: "missing-host", Severity: Error,
		Object: Object{APIVersion: "networking.istio.io/v1", Kind: "VirtualService", Namespace: "shop", Name: "cart"},
		Field:  "spec.http[1].route[0].destination.host", Message: `there is no Service "crt" in namespace "shop"`,
	}
	same := map[string]func(*Finding){
		"index":    func(f *Finding) { f.Field = "spec.http[12].route[3].destination.host" },
		"version":  func(f *Finding) { f.Object.APIVersion = "networking.istio.io/v1beta1" },
		"cluster":  func(f *Finding) { f.Object.Cluster = "west" },
		"severity": func(f *Finding) { f.Severity = Warning },
		"fix":      func(f *Finding) { f.Fix = "something else" },
	}
	for name, change := range same {
		f := base
		change(&f)
		if f.Fingerprint() != base.Fingerprint() {
			t.Errorf("another %s makes another fingerprint", name)
		}
	}
	other := map[string]func(*Finding){
		"code":      func(f *Finding) { f.Code = "IST0102" },
		"group":     func(f *Finding) { f.Object.APIVersion = "gateway.networking.k8s.io/v1" },
		"name":      func(f *Finding) { f.Object.Name = "checkout" },
		"namespace": func(f *Finding) { f.Object.Namespace = "web" },
		"field":     func(f *Finding) { f.Field = "spec.http[1].mirror.host" },
		"key":       func(f *Finding) { f.Field = `metadata.labels["a"]` },
		"value":     func(f *Finding) { f.Message = `there is no Service "cat" in namespace "shop"` },
	}
	for name, change := range other {
		f := base
		change(&f)
		if f.Fingerprint() == base.Fingerprint() {
			t.Errorf("another %s makes no other fingerprint", name)
		}
	}
}

func TestFingerprintsCount(t *testing.T) {
	t.Parallel()
	at := func(field string) *Finding { return &Finding{Code: "IST0101", Field: field, Message: "m"} }
	known := FingerprintsOf([]*Finding{at("spec.http[0]"), at("spec.tcp[0]")})
	if !known.Take(at("spec.http[4]")) {
		t.Error("a known finding is new after its index moved")
	}
	if known.Take(at("spec.http[5]")) {
		t.Error("a second finding of the same kind is not new")
	}
	if known.Left() != 1 {
		t.Errorf("%d are left, want the one nobody found", known.Left())
	}
}
