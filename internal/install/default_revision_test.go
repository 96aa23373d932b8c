package install

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/hint"
)

func TestGuardBringsTheDefaultValidator(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   Inputs
		want bool
	}{
		"manifest generate": {Inputs{}, false},
		"install":           {Inputs{Guard: true}, true},
		"a revision":        {Inputs{Guard: true, Revision: "canary"}, false},
		"the user's no":     {Inputs{Guard: true, Set: []string{"values.defaultRevision="}}, false},
		"nothing installed": {Inputs{Guard: true, Profile: "empty"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec, err := Resolve(c.in)
			if err != nil {
				t.Fatal(err)
			}
			m, err := Render(spec)
			if err != nil {
				t.Fatal(err)
			}
			got := false
			for _, o := range m.Objects() {
				got = got || o.GetName() == "istiod-default-validator"
			}
			if got != c.want {
				t.Errorf("istiod-default-validator rendered: %v, want %v", got, c.want)
			}
		})
	}
}

// injectorOf is the injector of a revision or, with a tag, of the tag; one
// without a selector is switched off.
func injectorOf(name, revision, tag, injection string) *unstructured.Unstructured {
	o := object("MutatingWebhookConfiguration", "", name)
	labels := map[string]string{LabelRevision: revision}
	if tag != "" {
		labels["istio.io/tag"] = tag
	}
	o.SetLabels(labels)
	o.Object["webhooks"] = []any{map[string]any{
		"name": "namespace.sidecar-injector.istio.io", "clientConfig": map[string]any{}, "admissionReviewVersions": []any{"v1"}, "sideEffects": "None",
		"namespaceSelector": map[string]any{"matchLabels": map[string]any{"istio-injection": injection}},
	}}
	if injection == "" {
		deactivate(o)
	}
	return o
}

func TestWhoIsTheDefault(t *testing.T) {
	t.Parallel()
	own := injectorOf("istio-sidecar-injector", "default", "", "enabled")
	off := injectorOf("istio-sidecar-injector", "default", "", "")
	canary := injectorOf("istio-sidecar-injector-canary", "canary", "", "no")
	tag := injectorOf("istio-revision-tag-default", "canary", "default", "enabled")
	prod := injectorOf("istio-revision-tag-prod", "canary", "prod", "no")
	for name, c := range map[string]struct {
		revision string
		live     []*unstructured.Unstructured
		role     DefaultRole
		note     string
	}{
		"the first of all":                  {"default", nil, DefaultByInjector, ""},
		"the first of all, with a name":     {"canary", nil, DefaultByTag, "revision canary is the first one here and becomes the default"},
		"again":                             {"default", []*unstructured.Unstructured{own}, DefaultByInjector, ""},
		"again, with a name":                {"canary", []*unstructured.Unstructured{canary, tag, prod}, DefaultByTag, ""},
		"again, after an interruption":      {"canary", []*unstructured.Unstructured{canary}, DefaultByTag, ""},
		"a canary beside it":                {"canary", []*unstructured.Unstructured{own}, DefaultByInjector, ""},
		"the old default":                   {"default", []*unstructured.Unstructured{off, canary, tag}, DefaultElsewhere, "the default revision stays canary"},
		"the old default, tag gone":         {"default", []*unstructured.Unstructured{off, canary}, DefaultByTag, ""},
		"another canary beside the default": {"next", []*unstructured.Unstructured{canary, tag}, DefaultElsewhere, "`meshctl tag set default -r next --overwrite`"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMemory()
			for _, o := range c.live {
				m.objects[ident(o)] = o
			}
			spec, err := Resolve(Inputs{Revision: c.revision})
			if err != nil {
				t.Fatal(err)
			}
			standing, err := spec.Settle(t.Context(), m)
			if err != nil || standing.Role != c.role || !strings.Contains(standing.Note, c.note) || (c.note == "") != (standing.Note == "") {
				t.Errorf("%+v, %v", standing, err)
			}
		})
	}
}

func TestRolesAreRendered(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in              Inputs
		role            DefaultRole
		tag, valid, off bool
	}{
		"by injector":            {Inputs{Guard: true}, DefaultByInjector, false, true, false},
		"by tag":                 {Inputs{Guard: true, Revision: "canary"}, DefaultByTag, true, true, false},
		"by tag, without a name": {Inputs{Guard: true}, DefaultByTag, true, true, true},
		"elsewhere":              {Inputs{Guard: true}, DefaultElsewhere, false, false, true},
		"a canary":               {Inputs{Guard: true, Revision: "canary"}, DefaultByInjector, false, false, false},
		"the user's own tags":    {Inputs{Guard: true, Revision: "canary", Set: []string{"values.revisionTags[0]=default"}}, DefaultByTag, true, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec, err := Resolve(c.in)
			if err != nil {
				t.Fatal(err)
			}
			spec.role = c.role
			m, err := Render(spec)
			if err != nil {
				t.Fatal(err)
			}
			seen := map[string]int{}
			off := false
			for _, o := range m.Objects() {
				seen[ident(o)]++
				if config, err := injector(o); err == nil && config != nil && config.Labels["istio.io/tag"] == "" {
					off = isOff(config)
				}
			}
			tags := seen["MutatingWebhookConfiguration istio-revision-tag-default"] + seen["Service istio-system/istiod-revision-tag-default"]
			if (tags == 2) != c.tag || tags != 0 && tags != 2 || (seen["ValidatingWebhookConfiguration istiod-default-validator"] == 1) != c.valid || off != c.off {
				t.Errorf("tag objects: %d, default validator: %d, injector off: %v", tags, seen["ValidatingWebhookConfiguration istiod-default-validator"], off)
			}
		})
	}
}

func TestOverlapIsRefused(t *testing.T) {
	t.Parallel()
	m := newMemory()
	for _, o := range []*unstructured.Unstructured{
		injectorOf("istio-sidecar-injector", "default", "", "enabled"), injectorOf("istio-revision-tag-prod", "default", "prod", "prod"),
	} {
		m.objects[ident(o)] = o
	}
	live, err := injectors(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	err = Overlap(live, []*unstructured.Unstructured{injectorOf("istio-sidecar-injector-mesh2", "default", "", "enabled")})
	if err == nil || !strings.Contains(err.Error(), "istio-sidecar-injector (revision default) and istio-sidecar-injector-mesh2 (revision default) both match pods in namespaces labelled istio-injection=enabled") ||
		!strings.Contains(hint.Of(err), "--revision NAME") {
		t.Errorf("error %v, hint %q", err, hint.Of(err))
	}
	for name, planned := range map[string]*unstructured.Unstructured{
		"the same configuration": injectorOf("istio-sidecar-injector", "default", "", "enabled"),
		"a canary":               injectorOf("istio-sidecar-injector-canary", "canary", "", "canary"),
		"one that is off":        injectorOf("istio-sidecar-injector-mesh2", "default", "", ""),
	} {
		if err := Overlap(live, []*unstructured.Unstructured{planned}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	clashing, err := injector(injectorOf("istio-sidecar-injector-mesh2", "default", "", "enabled"))
	if err != nil {
		t.Fatal(err)
	}
	if err := Overlap(append(live, clashing), []*unstructured.Unstructured{injectorOf("istio-sidecar-injector", "default", "", "enabled")}); err != nil {
		t.Errorf("what clashes already is refused: %v", err)
	}
}

func TestABundleThatTagSetGaveStays(t *testing.T) {
	t.Parallel()
	live := map[string]any{"clientConfig": map[string]any{"caBundle": "Y2E="}}
	owned := map[string]any{"f:clientConfig": map[string]any{"f:caBundle": map[string]any{}}}
	hook := map[string]any{"clientConfig": map[string]any{}}
	if keepBundle(hook, live, owned); field(&unstructured.Unstructured{Object: hook}, "clientConfig", "caBundle") != "Y2E=" {
		t.Errorf("given up: %v", hook)
	}
	hook = map[string]any{"clientConfig": map[string]any{}}
	if keepBundle(hook, live, map[string]any{}); hasField(hook, []string{"clientConfig", "caBundle"}) {
		t.Errorf("istiod's is taken: %v", hook)
	}
}

func TestSelectorsThatATagSwitchedOffAreLeftToIt(t *testing.T) {
	t.Parallel()
	off := injectorOf("istio-sidecar-injector", "default", "", "")
	sent := adjust(off, off, nil) // none of its fields is noted as ours
	hooks, _, _ := unstructured.NestedSlice(sent.Object, "webhooks")
	if hook := hooks[0].(map[string]any); hook["namespaceSelector"] != nil || hook["objectSelector"] != nil {
		t.Errorf("sent: %v", hook)
	}
	if config, err := injector(withSelectors(sent, off)); err != nil || !isOff(config) {
		t.Errorf("it counts as active: %v, %v", config, err)
	}
	fresh := adjust(off, nil, nil)
	if config, err := injector(fresh); err != nil || !isOff(config) {
		t.Errorf("a new one is not off: %v", err)
	}
}
