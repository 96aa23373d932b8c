package revision

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// FieldManager is the name under which the injectors of revisions are switched
// off: what their installer owns of them stays its own.
const FieldManager = "meshctl-tag"

// Action is what a change does to one object.
type Action string

// The actions of a change.
const (
	Create Action = "create"
	Update Action = "change"
	Keep   Action = "unchanged"
	// SwitchOff gives an injector selectors that match nothing.
	SwitchOff Action = "switch off"
	Remove    Action = "remove"
)

// Change is what happens to a tag.
type Change struct {
	Tag string
	// Revision is where it will point, Previous where it points now; "" for nowhere.
	Revision, Previous string
	Users              Users
	Steps              []*Step
}

// Step is one object of a change.
type Step struct {
	Action Action
	Object *unstructured.Unstructured
	// Done says that it was carried out.
	Done bool

	live *unstructured.Unstructured
}

// Empty says whether the change changes nothing.
func (c *Change) Empty() bool {
	for _, s := range c.Steps {
		if s.Action != Keep {
			return false
		}
	}
	return true
}

// injector is the step that brings the tag's injector, nil when there is none.
func (c *Change) injector() *Step {
	for _, s := range c.Steps {
		if s.Object.GetKind() == "MutatingWebhookConfiguration" && s.Action != Remove && s.Action != SwitchOff {
			return s
		}
	}
	return nil
}

// displaced are the steps that take an injector away.
func (c *Change) displaced() []*Step {
	var steps []*Step
	for _, s := range c.Steps {
		if s.Action == SwitchOff || s.Action == Remove {
			steps = append(steps, s)
		}
	}
	return steps
}

// Apply carries the change out. switcher writes under [FieldManager].
//
// Where an injector takes the part of another, there is a time when both are
// there, so that no pod is created without one; and in that time each leaves
// the pods alone that the other has taken, so that none is injected twice. An
// API server sees webhook configurations in the order they were written in.
func (c *Change) Apply(ctx context.Context, cluster Cluster, switcher Applier) error {
	injector, displaced := c.injector(), c.displaced()
	for _, s := range c.Steps {
		if s != injector && (s.Action == Create || s.Action == Update) && s.Object.GetKind() == "Service" {
			if err := s.apply(ctx, cluster); err != nil {
				return err
			}
		}
	}
	if injector != nil && len(displaced) > 0 {
		if err := takeOver(ctx, cluster, switcher, injector, displaced); err != nil {
			return err
		}
	}
	for _, s := range c.Steps {
		if !s.Done && (s.Action == Create || s.Action == Update) {
			if err := s.apply(ctx, cluster); err != nil {
				return err
			}
		}
	}
	return nil
}

func takeOver(ctx context.Context, cluster Cluster, switcher Applier, injector *Step, displaced []*Step) error {
	for _, s := range displaced {
		if _, err := switcher.Apply(ctx, guarded(s.Object), false, true); err != nil {
			return stopped("preparing "+ident(s.Object), err)
		}
	}
	both := injector.Object.DeepCopy()
	eachHook(both, func(hook map[string]any) { hook["matchConditions"] = notYetInjected() })
	if _, err := cluster.Apply(ctx, both, false, true); err != nil {
		return stopped("applying "+ident(both), err)
	}
	for _, s := range displaced {
		var err error
		if s.Action == Remove {
			err = cluster.Delete(ctx, s.Object, false)
		} else {
			_, err = switcher.Apply(ctx, switchedOff(s.Object), false, true)
		}
		if err != nil && !apierrors.IsNotFound(err) {
			return stopped("switching off "+ident(s.Object), err)
		}
		s.Done = true
	}
	return injector.apply(ctx, cluster)
}

func (s *Step) apply(ctx context.Context, c Applier) error {
	if _, err := c.Apply(ctx, s.Object, false, true); err != nil {
		return stopped("applying "+ident(s.Object), err)
	}
	s.Done = true
	return nil
}

// stopped is the error of a change that ended half way: pods are injected, once,
// at any point of it.
func stopped(doing string, err error) error {
	return hint.Failf("running the same command again continues; pods are injected meanwhile, each once", "%s: %w", doing, err)
}

// notYetInjected is a match condition that leaves out pods which another
// injector has just taken.
func notYetInjected() []any {
	return []any{map[string]any{
		"name":       "not-yet-injected.meshctl.io",
		"expression": "!has(object.metadata.annotations) || !('sidecar.istio.io/status' in object.metadata.annotations)",
	}}
}

// guarded is the injector with nothing but that condition.
func guarded(obj *unstructured.Unstructured) *unstructured.Unstructured {
	return partial(obj, func(hook map[string]any) { hook["matchConditions"] = notYetInjected() })
}

// switchedOff is the injector with nothing but selectors that match nothing.
func switchedOff(obj *unstructured.Unstructured) *unstructured.Unstructured {
	return partial(obj, func(hook map[string]any) {
		for _, field := range []string{"namespaceSelector", "objectSelector"} {
			hook[field] = map[string]any{"matchLabels": map[string]any{mesh.DeactivatedLabel: mesh.NeverMatch}}
		}
	})
}

// partial is obj with the names of its webhooks and what fill sets.
func partial(obj *unstructured.Unstructured, fill func(hook map[string]any)) *unstructured.Unstructured {
	p := &unstructured.Unstructured{}
	p.SetGroupVersionKind(obj.GroupVersionKind())
	p.SetName(obj.GetName())
	var hooks []any
	eachHook(obj.DeepCopy(), func(hook map[string]any) {
		h := map[string]any{"name": hook["name"]}
		fill(h)
		hooks = append(hooks, h)
	})
	p.Object["webhooks"] = hooks
	return p
}

func eachHook(obj *unstructured.Unstructured, do func(hook map[string]any)) {
	hooks, _, _ := unstructured.NestedSlice(obj.Object, "webhooks")
	for _, h := range hooks {
		if hook, ok := h.(map[string]any); ok {
			do(hook)
		}
	}
	if len(hooks) > 0 {
		obj.Object["webhooks"] = hooks
	}
}

// yieldPolicy leaves the failure policy of a validating webhook, which istiod
// raises once it can answer, as it is live.
func yieldPolicy(obj, live *unstructured.Unstructured) {
	if obj.GetKind() != "ValidatingWebhookConfiguration" {
		return
	}
	policies := map[any]any{}
	eachHook(live.DeepCopy(), func(hook map[string]any) { policies[hook["name"]] = hook["failurePolicy"] })
	eachHook(obj, func(hook map[string]any) {
		name, _ := hook["name"].(string)
		if policies[name] == nil {
			return
		}
		if delete(hook, "failurePolicy"); ownsPolicy(live, name) {
			hook["failurePolicy"] = policies[name] // to give it up would set it to Fail at once
		}
	})
}

// ownsPolicy says whether the API server notes a webhook's failure policy as
// applied by meshctl.
func ownsPolicy(live *unstructured.Unstructured, hook string) bool {
	for _, entry := range live.GetManagedFields() {
		if entry.Manager != "meshctl" || entry.Operation != "Apply" || entry.FieldsV1 == nil {
			continue
		}
		var fields struct {
			Webhooks map[string]map[string]any `json:"f:webhooks"`
		}
		if json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields) == nil {
			_, owned := fields.Webhooks[fmt.Sprintf(`k:{"name":%q}`, hook)]["f:failurePolicy"]
			return owned
		}
	}
	return false
}

// same says whether the API server would keep an object as it is. Who owns what
// does not count.
func same(live, tried *unstructured.Unstructured) bool {
	bare := func(o *unstructured.Unstructured) map[string]any {
		o = o.DeepCopy()
		for _, field := range []string{"managedFields", "resourceVersion", "generation"} {
			unstructured.RemoveNestedField(o.Object, "metadata", field)
		}
		return o.Object
	}
	return reflect.DeepEqual(bare(live), bare(tried))
}

func encode(bundle []byte) string { return base64.StdEncoding.EncodeToString(bundle) }
