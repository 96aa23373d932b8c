package revision

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// two is a cluster with an un-revisioned control plane, a canary, and the tag prod.
func two(t *testing.T) *memory {
	t.Helper()
	return cluster(t,
		injectorOf("istio-sidecar-injector", Default, "", "istio-injection: enabled"),
		injectorOf("istio-sidecar-injector-canary", "canary", "", "istio.io/rev: canary"),
		injectorOf("istio-revision-tag-prod", Default, "prod", "istio.io/rev: prod"), tagService("prod", Default),
		endpoints(Default, true), endpoints("canary", true),
		namespaceWith("enabled", "istio-injection: enabled"), namespaceWith("disabled", "istio-injection: disabled, istio.io/rev: prod"),
		namespaceWith("shop", "istio.io/rev: prod"), namespaceWith("canary", "istio.io/rev: canary"), namespaceWith("plain", "a: b"),
		podWith("shop", "injected", "", "istio-proxy"), podWith("shop", "not-yet", "", "other"),
		podWith("shop", "gateway", `, sidecar.istio.io/inject: "false"`, "istio-proxy"),
		podWith("enabled", "a", "", "istio-proxy"), podWith("disabled", "b", "", "istio-proxy"),
		podWith("plain", "names-it", ", istio.io/rev: prod", "istio-proxy"), podWith("plain", "asks", `, sidecar.istio.io/inject: "true"`, "istio-proxy"),
	)
}

func read(t *testing.T, m *memory) *State {
	t.Helper()
	s, err := Read(t.Context(), m, "istio-system")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestUsersAreWhoTheLabelsName(t *testing.T) {
	t.Parallel()
	s := read(t, two(t))
	for name, want := range map[string]Users{
		"prod":   {Namespaces: []string{"shop"}, Pods: 2},
		"canary": {Namespaces: []string{"canary"}},
		Default:  {Namespaces: []string{"enabled"}, Pods: 2},
		"other":  {Namespaces: []string{}},
	} {
		if diff := cmp.Diff(want, s.UsersOf(name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestListNamesTagsAndRevisions(t *testing.T) {
	t.Parallel()
	table := read(t, two(t)).List().Tables(true)[0]
	want := [][]string{
		{"prod", "default", "shop", "2", "istio-revision-tag-prod", "istiod-revision-tag-prod"},
		{"<none>", "canary", "canary", "0", "istio-sidecar-injector-canary", "<none>"},
		{"<none>", "default", "enabled", "2", "istio-sidecar-injector", "<none>"},
	}
	if diff := cmp.Diff(want, table.Rows); diff != "" {
		t.Error(diff)
	}
}

func TestTargetRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options     SetOptions
		class       hint.Class
		error, hint string
	}{
		"an unknown revision":  {SetOptions{Tag: "next", Revision: "canry"}, hint.Usage, `there is no revision "canry"`, `did you mean "canary"? revisions here: canary, default`},
		"a tag as revision":    {SetOptions{Tag: "next", Revision: "prod"}, hint.Usage, "prod is a tag of revision default", "-r default"},
		"a revision's name":    {SetOptions{Tag: "canary", Revision: Default}, hint.Usage, "there is a revision of the name canary", "revisions here: canary, default"},
		"a tag that is there":  {SetOptions{Tag: "prod", Revision: "canary"}, hint.Failed, "points at revision default now, used by namespace shop (2 pods)", "--overwrite"},
		"what can be no label": {SetOptions{Tag: "Prod!", Revision: "canary"}, hint.Usage, `naming a tag "Prod!"`, "lower case"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := read(t, two(t)).Target(c.options)
			if err == nil || hint.ClassOf(err) != c.class || !strings.Contains(err.Error(), c.error) || !strings.Contains(hint.Of(err), c.hint) {
				t.Errorf("error %v, class %v, hint %q", err, hint.ClassOf(err), hint.Of(err))
			}
		})
	}
	for name, o := range map[string]SetOptions{
		"a new tag":         {Tag: "next", Revision: "canary"},
		"the tag default":   {Tag: Default, Revision: "canary"},
		"where it is":       {Tag: "prod", Revision: Default},
		"with --overwrite ": {Tag: "prod", Revision: "canary", Overwrite: true},
	} {
		if _, err := read(t, two(t)).Target(o); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDefaultMovesWithoutAGap looks at the cluster after every single write: a
// pod is always taken by an injector, and where by two, each leaves alone what
// the other has taken.
func TestDefaultMovesWithoutAGap(t *testing.T) {
	t.Parallel()
	m := two(t)
	tag := object(t, injectorOf("istio-revision-tag-default", "canary", Default, "istio-injection: enabled"))
	s := read(t, m)
	o := SetOptions{Tag: Default, Revision: "canary"}
	change := plan(t, s, m, o, tag, object(t, tagService(Default, "canary")))
	m.after = func() {
		var taking []string
		alone := true
		for _, obj := range m.objects {
			config, err := Injector(obj)
			if err != nil || config == nil {
				continue
			}
			for _, h := range config.Webhooks {
				if h.NamespaceSelector.MatchLabels["istio-injection"] == "enabled" && !mesh.IsDeactivated(&h) {
					taking = append(taking, config.Name)
					alone = alone && len(h.MatchConditions) > 0
				}
			}
		}
		if len(taking) == 0 || len(taking) > 1 && !alone {
			t.Errorf("after %q: taken by %q, each only what is not injected: %v", m.calls[len(m.calls)-1], taking, alone)
		}
	}
	if err := change.Apply(t.Context(), m, m); err != nil {
		t.Fatal(err)
	}
	left := read(t, m)
	if r := left.Revision(Default); r == nil || r.Active {
		t.Errorf("the old injector is not switched off: %+v", r)
	}
	for _, obj := range m.objects {
		if strings.Contains(string(must(obj.MarshalJSON())), "matchConditions") {
			t.Errorf("%s keeps its match conditions", ident(obj))
		}
	}
	again := plan(t, left, m, o, tag, object(t, tagService(Default, "canary")))
	if !again.Empty() {
		t.Errorf("a second time there is something to do: %+v", again.Report().Objects)
	}
}

func TestSwitchGoesOnAfterAFailure(t *testing.T) {
	t.Parallel()
	tag := injectorOf("istio-revision-tag-default", "canary", Default, "istio-injection: enabled")
	for fail := 1; fail <= 4; fail++ {
		m, writes := two(t), 0
		m.fail = func(call string) error {
			if strings.HasPrefix(call, "apply ") {
				if writes++; writes == fail {
					return errors.New("gone away")
				}
			}
			return nil
		}
		o := SetOptions{Tag: Default, Revision: "canary"}
		err := plan(t, read(t, m), m, o, object(t, tag)).Apply(t.Context(), m, m)
		if err == nil || !strings.Contains(hint.Of(err), "running the same command again continues") {
			t.Errorf("failure of write %d: %v", fail, err)
		}
		if err := plan(t, read(t, m), m, o, object(t, tag)).Apply(t.Context(), m, m); err != nil {
			t.Errorf("again after write %d: %v", fail, err)
		}
		if s := read(t, m); s.Revision(Default).Active || s.Tag(Default) == nil {
			t.Errorf("after write %d and a second run: %+v %+v", fail, s.Revisions, s.Tags)
		}
	}
}

func TestAnotherWebhookNameTakesTheOldOnesPart(t *testing.T) {
	t.Parallel()
	m := two(t)
	change := plan(t, read(t, m), m, SetOptions{Tag: "prod", Revision: Default}, object(t, injectorOf("mine", Default, "prod", "istio.io/rev: prod")))
	if err := change.Apply(t.Context(), m, m); err != nil {
		t.Fatal(err)
	}
	s := read(t, m)
	if s.Tag("prod").Webhook != "mine" || s.find("istio-revision-tag-prod") != nil {
		t.Errorf("%+v", s.Tags)
	}
}

func TestOtherClashesAreRefused(t *testing.T) {
	t.Parallel()
	m := two(t)
	s := read(t, m)
	o := SetOptions{Tag: "next", Revision: "canary"}
	target, err := s.Target(o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Plan(t.Context(), m, o, target, []*unstructured.Unstructured{object(t, injectorOf("istio-revision-tag-next", "canary", "next", "istio.io/rev: prod"))})
	if err == nil || !strings.Contains(err.Error(), "istio-revision-tag-next (tag next of revision canary) and istio-revision-tag-prod (tag prod of revision default) both match pods in namespaces labelled istio.io/rev=prod") {
		t.Errorf("error %v", err)
	}
}

func TestNoTagIsMovedToWhatCannotInject(t *testing.T) {
	t.Parallel()
	m := two(t)
	for _, obj := range m.objects {
		if obj.GetName() == "istiod-canary-x" {
			_ = unstructured.SetNestedSlice(obj.Object, []any{map[string]any{"conditions": map[string]any{"ready": false}}}, "endpoints")
		}
	}
	s := read(t, m)
	o := SetOptions{Tag: "prod", Revision: "canary", Overwrite: true}
	target, err := s.Target(o)
	if err != nil {
		t.Fatal(err)
	}
	objects := []*unstructured.Unstructured{object(t, injectorOf("istio-revision-tag-prod", "canary", "prod", "istio.io/rev: prod"))}
	if _, err := s.Plan(t.Context(), m, o, target, objects); err == nil || !strings.Contains(err.Error(), "no istiod behind Service istio-system/istiod-canary is ready") {
		t.Errorf("error %v", err)
	}
	o.Unready = true
	if _, err := s.Plan(t.Context(), m, o, target, objects); err != nil {
		t.Error(err)
	}
}

func TestRemovalOfATagThatIsOnlyAService(t *testing.T) {
	t.Parallel()
	m := cluster(t, injectorOf("istio-sidecar-injector", Default, "", "istio-injection: enabled"), tagService("half", Default))
	s := read(t, m)
	if row := s.List().Tables(true)[0].Rows[0]; !slices.Equal(row, []string{"half", "default", "", "0", "<none>", "istiod-revision-tag-half"}) {
		t.Errorf("listed as %q", row)
	}
	change, err := s.PlanRemoval("half")
	if err != nil {
		t.Fatal(err)
	}
	if err := change.Remove(t.Context(), m, false); err != nil || len(m.objects) != 1 {
		t.Errorf("error %v, left %d objects", err, len(m.objects))
	}
	if _, err := s.PlanRemoval("hlaf"); err == nil || !strings.Contains(hint.Of(err), `did you mean "half"? tags here: half`) {
		t.Errorf("error %v, hint %q", err, hint.Of(err))
	}
}

func TestWhatMayNotBeListedIsNamed(t *testing.T) {
	t.Parallel()
	m := two(t)
	m.fail = func(call string) error {
		if call == "list Pod" || call == "list Namespace" {
			return apierrors.NewForbidden(schema.GroupResource{Resource: "x"}, "", errors.New("no"))
		}
		return nil
	}
	if diff := cmp.Diff([]string{"Namespace", "Pod"}, read(t, m).Skipped); diff != "" {
		t.Error(diff)
	}
}

func plan(t *testing.T, s *State, m *memory, o SetOptions, objects ...*unstructured.Unstructured) *Change {
	t.Helper()
	target, err := s.Target(o)
	if err != nil {
		t.Fatal(err)
	}
	change, err := s.Plan(t.Context(), m, o, target, objects)
	if err != nil {
		t.Fatal(err)
	}
	return change
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
