// Package revision knows the revisions of a control plane and the tags that
// point at them: who uses which, how a tag is moved without a gap, and what is
// lost when it goes.
package revision

import (
	"context"
	"fmt"
	"maps"
	"slices"

	admission "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"golang.org/x/sync/errgroup"

	"github.com/meshctl/meshctl/internal/mesh"
)

// Default is the name of the revision without a name, and of the tag that
// injects namespaces labelled istio-injection=enabled.
const Default = "default"

// Reader lists objects of any kind; errors are those of the API server.
type Reader interface {
	// List reads all objects of a kind that match a label selector; an empty
	// namespace means all of them.
	List(ctx context.Context, kind schema.GroupVersionKind, namespace, selector string) ([]*unstructured.Unstructured, error)
}

// Applier writes objects by server-side apply, under one field manager.
type Applier interface {
	// Apply returns the object as the API server keeps it, or with dryRun as it
	// would. force takes fields over from other managers instead of failing.
	Apply(ctx context.Context, obj *unstructured.Unstructured, dryRun, force bool) (*unstructured.Unstructured, error)
}

// Cluster is what changing tags needs of a cluster.
type Cluster interface {
	Reader
	Applier
	// Delete deletes an object; with dryRun it only asks whether it could.
	Delete(ctx context.Context, obj *unstructured.Unstructured, dryRun bool) error
}

// Revision is one control plane.
type Revision struct {
	Name string `json:"revision"`
	// Injector is the name of its webhook configuration, "" when it has none.
	Injector string `json:"injector,omitempty"`
	// Active says whether the injector takes any pods: that of the un-revisioned
	// control plane is switched off when a tag takes its part.
	Active bool `json:"active"`
	Users
	Tags []string `json:"tags"`

	config *admission.MutatingWebhookConfiguration
}

// Tag is a name for a revision.
type Tag struct {
	Name     string `json:"tag"`
	Revision string `json:"revision"`
	Users
	// Webhook and Service are the names of its objects, "" for what is missing.
	Webhook string `json:"webhook,omitempty"`
	Service string `json:"service,omitempty"`

	objects []*unstructured.Unstructured
}

// State is the revisions and tags of one control plane's namespace.
type State struct {
	// Namespace is that of the control plane.
	Namespace string
	Revisions []Revision
	Tags      []Tag
	// Skipped are the kinds that may not be listed: what they would tell is not known.
	Skipped []string

	configs    []*admission.MutatingWebhookConfiguration // of all namespaces
	webhooks   []*unstructured.Unstructured              // the same, and those that validate
	services   []*unstructured.Unstructured
	namespaces []*unstructured.Unstructured
	pods       []*unstructured.Unstructured
}

// canonicalName is a label that the injector puts on every pod it takes.
const canonicalName = "service.istio.io/canonical-name"

// Read reads what there is of revisions and tags, everything at once. It
// fails when the webhook configurations may not be read.
func Read(ctx context.Context, c Reader, namespace string) (*State, error) {
	s := &State{Namespace: namespace}
	core := func(kind string) schema.GroupVersionKind { return schema.GroupVersionKind{Version: "v1", Kind: kind} }
	var validating []*unstructured.Unstructured
	lists := []struct {
		kind                schema.GroupVersionKind
		namespace, selector string
		to                  *[]*unstructured.Unstructured
	}{
		{webhookKind("Mutating"), "", "", &s.webhooks},
		{webhookKind("Validating"), "", mesh.TagLabel, &validating},
		{core("Service"), namespace, "app=istiod," + mesh.RevisionLabel, &s.services},
		{core("Namespace"), "", "", &s.namespaces},
		{core("Pod"), "", canonicalName, &s.pods},
	}
	forbidden := make([]bool, len(lists))
	var g errgroup.Group
	for i, l := range lists {
		g.Go(func() error {
			found, err := c.List(ctx, l.kind, l.namespace, l.selector)
			if apierrors.IsForbidden(err) && i > 0 {
				forbidden[i] = true
				return nil
			}
			if err != nil {
				return fmt.Errorf("listing %s: %w", l.kind.Kind, err)
			}
			*l.to = found
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for i, no := range forbidden {
		if no {
			s.Skipped = append(s.Skipped, lists[i].kind.Kind)
		}
	}
	return s, s.index(validating)
}

func webhookKind(sort string) schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: "admissionregistration.k8s.io", Version: "v1", Kind: sort + "WebhookConfiguration"}
}

func (s *State) index(validating []*unstructured.Unstructured) error {
	revisions, tags := map[string]*Revision{}, map[string]*Tag{}
	see := func(obj *unstructured.Unstructured) (*Revision, *Tag) {
		rev, tag := obj.GetLabels()[mesh.RevisionLabel], obj.GetLabels()[mesh.TagLabel]
		switch {
		case rev == "":
			return &Revision{}, nil
		case tag == "" && revisions[rev] == nil:
			revisions[rev] = &Revision{Name: rev}
		case tag != "" && tags[tag] == nil:
			tags[tag] = &Tag{Name: tag, Revision: rev}
		}
		if tag != "" {
			tags[tag].objects = append(tags[tag].objects, obj)
		}
		return revisions[rev], tags[tag]
	}
	for _, obj := range s.webhooks {
		config, err := Injector(obj)
		if err != nil {
			return err
		}
		if config == nil {
			continue
		}
		s.configs = append(s.configs, config)
		if ns := serviceNamespace(config); ns != "" && ns != s.Namespace {
			continue // of another control plane
		}
		switch r, t := see(obj); {
		case t != nil:
			t.Webhook = config.Name
		case r != nil:
			r.Injector, r.config, r.Active = config.Name, config, active(config)
		}
	}
	for _, obj := range s.services {
		if _, t := see(obj); t != nil {
			t.Service = obj.GetName()
		}
	}
	for _, obj := range validating {
		if t := tags[obj.GetLabels()[mesh.TagLabel]]; t != nil && t.Revision == obj.GetLabels()[mesh.RevisionLabel] {
			t.objects = append(t.objects, obj)
		}
	}
	s.webhooks = append(s.webhooks, validating...)
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		t := tags[name]
		t.Users = s.UsersOf(name)
		if r := revisions[t.Revision]; r != nil {
			r.Tags = append(r.Tags, name)
		}
		s.Tags = append(s.Tags, *t)
	}
	for _, name := range slices.Sorted(maps.Keys(revisions)) {
		r := revisions[name]
		r.Users = Users{Namespaces: []string{}}
		if tags[name] == nil { // else they are the tag's
			r.Users = s.UsersOf(name)
		}
		r.Tags = append([]string{}, r.Tags...)
		s.Revisions = append(s.Revisions, *r)
	}
	return nil
}

// Injector is obj as the configuration of an injector, nil when it is none.
func Injector(obj *unstructured.Unstructured) (*admission.MutatingWebhookConfiguration, error) {
	if obj.GetKind() != "MutatingWebhookConfiguration" {
		return nil, nil
	}
	var config admission.MutatingWebhookConfiguration
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, &config); err != nil {
		return nil, fmt.Errorf("reading MutatingWebhookConfiguration %s: %w", obj.GetName(), err)
	}
	if !slices.ContainsFunc(config.Webhooks, func(h admission.MutatingWebhook) bool { return mesh.IsInjectorHook(&h) }) {
		return nil, nil
	}
	return &config, nil
}

// serviceNamespace is the namespace of the istiod behind an injector, "" when a URL leads there.
func serviceNamespace(config *admission.MutatingWebhookConfiguration) string {
	for _, h := range config.Webhooks {
		if h.ClientConfig.Service != nil {
			return h.ClientConfig.Service.Namespace
		}
	}
	return ""
}

func active(config *admission.MutatingWebhookConfiguration) bool {
	return slices.ContainsFunc(config.Webhooks, func(h admission.MutatingWebhook) bool {
		return mesh.IsInjectorHook(&h) && !mesh.IsDeactivated(&h)
	})
}

// Tag is the tag of a name, nil when there is none.
func (s *State) Tag(name string) *Tag {
	if i := slices.IndexFunc(s.Tags, func(t Tag) bool { return t.Name == name }); i >= 0 {
		return &s.Tags[i]
	}
	return nil
}

// Revision is the revision of a name, nil when there is none.
func (s *State) Revision(name string) *Revision {
	if i := slices.IndexFunc(s.Revisions, func(r Revision) bool { return r.Name == name }); i >= 0 {
		return &s.Revisions[i]
	}
	return nil
}

func (s *State) revisionNames() []string {
	var names []string
	for _, r := range s.Revisions {
		names = append(names, r.Name)
	}
	return names
}

func (s *State) tagNames() []string {
	var names []string
	for _, t := range s.Tags {
		names = append(names, t.Name)
	}
	return names
}

// ident names an object in messages.
func ident(obj *unstructured.Unstructured) string {
	if ns := obj.GetNamespace(); ns != "" {
		return obj.GetKind() + " " + ns + "/" + obj.GetName()
	}
	return obj.GetKind() + " " + obj.GetName()
}
