package revision

import (
	"context"
	"errors"
	"fmt"
	"strings"

	admission "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// SetOptions say where a tag is to point.
type SetOptions struct {
	Tag, Revision string
	// Overwrite moves a tag that points elsewhere.
	Overwrite bool
	// Unready moves it although no istiod of the revision is ready.
	Unready bool
}

// Target is the injector of the revision that a tag will point at.
type Target struct {
	// Revision is its name.
	Revision string
	// URL is where the injector is, "" when it is behind a Service.
	URL string
	// CABundle is by what it is trusted, in base64; "" when istiod has not said.
	CABundle string
	// Previous is where the tag points now, "" when it does not exist.
	Previous string
}

// Target checks that the tag can point at the revision, and finds its
// injector. The errors name what there is instead.
func (s *State) Target(o SetOptions) (*Target, error) {
	doing := fmt.Sprintf("pointing tag %s at revision %s", o.Tag, o.Revision)
	if faults := validation.IsDNS1123Label(o.Tag); len(faults) > 0 {
		return nil, hint.Usagef("such as prod or canary: lower case letters, digits and dashes", "naming a tag %q: %s", o.Tag, faults[0])
	}
	r := s.Revision(o.Revision)
	if r == nil {
		return nil, s.Unknown(doing, o.Revision)
	}
	if s.Revision(o.Tag) != nil && o.Tag != Default {
		return nil, hint.Usagef("take another name for the tag; revisions here: "+strings.Join(s.revisionNames(), ", "),
			"%s: there is a revision of the name %s", doing, o.Tag)
	}
	t := &Target{Revision: r.Name}
	if old := s.Tag(o.Tag); old != nil {
		t.Previous = old.Revision
		if old.Revision != r.Name && !o.Overwrite {
			return nil, hint.Failf("add --overwrite to move it", "%s: the tag points at revision %s now%s", doing, old.Revision, usedBy(old.Users))
		}
	}
	if r.config != nil {
		t.URL, t.CABundle = clientOf(r.config)
	}
	return t, nil
}

// usedBy is ", used by ..." of a tag.
func usedBy(u Users) string {
	if len(u.Namespaces) == 0 && u.Pods == 0 {
		return ""
	}
	return ", used by " + u.Text()
}

// Unknown is the error that there is no revision of a name; doing is what needs it.
func (s *State) Unknown(doing, name string) error {
	if t := s.Tag(name); t != nil {
		return hint.Usagef("name the revision: -r "+t.Revision, "%s: %s is a tag of revision %s, not a revision", doing, name, t.Revision)
	}
	known := s.revisionNames()
	if len(known) == 0 {
		return hint.Usagef("`meshctl install` installs one; -i names another namespace",
			"%s: there is no control plane in namespace %s", doing, s.Namespace)
	}
	next := "revisions here: " + strings.Join(known, ", ")
	if better := hint.DidYouMean(name, known); better != "" {
		next = better + " " + next
	}
	return hint.Usagef(next, "%s: there is no revision %q in namespace %s", doing, name, s.Namespace)
}

// clientOf is the URL and the CA bundle of an injector.
func clientOf(config *admission.MutatingWebhookConfiguration) (url, bundle string) {
	for _, h := range config.Webhooks {
		if h.ClientConfig.URL != nil {
			url = *h.ClientConfig.URL
		}
		if len(h.ClientConfig.CABundle) > 0 {
			bundle = encode(h.ClientConfig.CABundle)
		}
	}
	return url, bundle
}

// Plan is what setting a tag does: objects is what it consists of from now on,
// as rendered. Nothing is changed; the API server tries every object.
func (s *State) Plan(ctx context.Context, c Cluster, o SetOptions, target *Target, objects []*unstructured.Unstructured) (*Change, error) {
	change := &Change{Tag: o.Tag, Revision: target.Revision, Previous: target.Previous, Users: s.UsersOf(o.Tag)}
	for _, obj := range objects {
		if err := s.add(ctx, c, change, obj); err != nil {
			return nil, err
		}
	}
	if err := s.displace(change, o.Tag); err != nil {
		return nil, err
	}
	if !o.Unready && !change.Empty() {
		return change, s.ready(ctx, c, target)
	}
	return change, nil
}

// add adds the step that brings one object.
func (s *State) add(ctx context.Context, c Cluster, change *Change, obj *unstructured.Unstructured) error {
	step := &Step{Action: Create, Object: obj.DeepCopy(), live: s.live(obj)}
	if step.live != nil {
		step.Action = Update
		yieldPolicy(step.Object, step.live)
	}
	tried, err := c.Apply(ctx, step.Object, true, true)
	if err != nil {
		return fmt.Errorf("checking %s: %w", ident(obj), err)
	}
	if step.live != nil && same(step.live, tried) {
		step.Action = Keep
	}
	change.Steps = append(change.Steps, step)
	return nil
}

// Yield leaves of rendered objects to istiod what it keeps up to date in the
// cluster; the others are returned as they are.
func (s *State) Yield(objects []*unstructured.Unstructured) []*unstructured.Unstructured {
	for _, obj := range objects {
		if live := s.live(obj); live != nil {
			yieldPolicy(obj, live)
		}
	}
	return objects
}

// live is the object of the cluster that obj replaces, nil when it is new.
func (s *State) live(obj *unstructured.Unstructured) *unstructured.Unstructured {
	for _, list := range [][]*unstructured.Unstructured{s.webhooks, s.services} {
		for _, o := range list {
			if o.GetKind() == obj.GetKind() && o.GetName() == obj.GetName() && o.GetNamespace() == obj.GetNamespace() {
				return o
			}
		}
	}
	return nil
}

// displace adds the steps that switch off what would inject the same pods: the
// injector of an install without a revision, and the tag's own configuration
// under another name. Any other clash is an error.
func (s *State) displace(change *Change, tag string) error {
	planned, all := change.injector(), s.configs
	if planned == nil {
		return nil
	}
	config, err := Injector(planned.Object)
	if err != nil || config == nil {
		return err
	}
	var rest []*admission.MutatingWebhookConfiguration
	for _, live := range all {
		pair := []*admission.MutatingWebhookConfiguration{live, config}
		switch {
		case live.Name == config.Name:
		case live.Labels[mesh.TagLabel] == tag && serviceNamespace(live) == serviceNamespace(config):
			change.Steps = append(change.Steps, &Step{Action: Remove, Object: s.find(live.Name)})
		case tag == Default && live.Labels[mesh.TagLabel] == "" && live.Labels[mesh.RevisionLabel] == Default && len(mesh.Clashes(pair)) > 0:
			change.Steps = append(change.Steps, &Step{Action: SwitchOff, Object: s.find(live.Name)})
		default:
			rest = append(rest, live)
		}
	}
	for _, clash := range mesh.Clashes(append(rest, config)) {
		if clash.First == config.Name || clash.Second == config.Name {
			return hint.Failf("remove the other with `meshctl tag remove NAME` or `meshctl uninstall --revision NAME`",
				"two injectors would take the same pods: %s", clash.Text())
		}
	}
	return nil
}

func (s *State) find(webhook string) *unstructured.Unstructured {
	for _, o := range s.webhooks {
		if o.GetKind() == "MutatingWebhookConfiguration" && o.GetName() == webhook {
			return o
		}
	}
	return nil
}

// ready refuses to hand pods to an injector that cannot answer: the API server
// would then refuse them all.
func (s *State) ready(ctx context.Context, c Reader, target *Target) error {
	const force = "see `kubectl get pods -n %s -l app=istiod,istio.io/rev=%s`; --force moves the tag anyway, and pods are refused until istiod is ready"
	next := fmt.Sprintf(force, s.Namespace, target.Revision)
	if target.URL != "" {
		return nil // not of this cluster
	}
	if target.CABundle == "" {
		return hint.Failf(next, "revision %s cannot inject yet: its webhook has no CA bundle, which istiod writes when it is up", target.Revision)
	}
	service := "istiod"
	if target.Revision != Default {
		service += "-" + target.Revision
	}
	kind := schema.GroupVersionKind{Group: "discovery.k8s.io", Version: "v1", Kind: "EndpointSlice"}
	slices, err := c.List(ctx, kind, s.Namespace, "kubernetes.io/service-name="+service)
	if err != nil {
		return nil //nolint:nilerr // not everybody may read them; then the question stays open
	}
	for _, slice := range slices {
		endpoints, _, _ := unstructured.NestedSlice(slice.Object, "endpoints")
		for _, e := range endpoints {
			m, _ := e.(map[string]any)
			if ready, found, err := unstructured.NestedBool(m, "conditions", "ready"); err == nil && (ready || !found) {
				return nil
			}
		}
	}
	return hint.Failf(next, "%w", errors.New("revision "+target.Revision+" cannot inject yet: no istiod behind Service "+s.Namespace+"/"+service+" is ready"))
}
