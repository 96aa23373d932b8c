package mesh

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
	"weak"

	"istio.io/api/annotation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Ref names one object.
type Ref struct {
	Kind      Kind
	Namespace string // empty for cluster-scoped kinds
	Name      string
}

// String is the reference as people write it: "VirtualService shop/reviews",
// or "Namespace shop" for what lives in no namespace.
func (r Ref) String() string {
	if r.Namespace == "" {
		return r.Kind.String() + " " + r.Name
	}
	return r.Kind.String() + " " + r.Namespace + "/" + r.Name
}

// Compare orders references by namespace, kind and name.
func (r Ref) Compare(other Ref) int {
	return cmp.Or(strings.Compare(r.Namespace, other.Namespace), r.Kind.Compare(other.Kind), strings.Compare(r.Name, other.Name))
}

// Origin is where an object was read: a place in a file, or a cluster.
type Origin struct {
	// Cluster is the context or name of the cluster; empty for files.
	Cluster string
	// File is the path as the user gave it, "-" for stdin; empty for clusters.
	File string
	// Via is the kustomization that rendered the object, from File among others;
	// empty for objects that are read as they are written.
	Via string
	// Order counts documents and list items over the whole input, so that
	// objects of files have a stable order.
	Order int
	// Locator finds places inside the object's text; nil when there is no text.
	Locator Locator
}

// Locator finds the place of a field in the text that an object was read from.
type Locator interface {
	// Locate is the line and column (from 1) of the field at path, or of the
	// deepest field above it that exists. With key it is the place of the
	// field's name, otherwise that of a scalar's value.
	Locate(path Path, key bool) (line, column int)
}

// Placer is a Locator whose fields may stand in other files than the object,
// as those of rendered objects do.
type Placer interface {
	Place(path Path, key bool) Position
}

// Position is a place in a file; line and column count from 1, and are 0 when unknown.
type Position struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	// Note says more of the place, such as that the text there was rendered;
	// empty for the very text of the field.
	Note string `json:"note,omitempty"`
}

// String is file:line:column, as compilers print it.
func (p Position) String() string {
	switch {
	case p.File == "":
		return ""
	case p.Line == 0:
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Compare orders positions by file, line and column.
func (p Position) Compare(o Position) int {
	return cmp.Or(strings.Compare(p.File, o.File), cmp.Compare(p.Line, o.Line), cmp.Compare(p.Column, o.Column))
}

// Object is one object of the input, read-only. Its fields are decoded once,
// when a typed accessor of [Snapshot] first asks for them.
type Object struct {
	Ref
	// APIVersion is what the object was written in, such as networking.istio.io/v1beta1.
	APIVersion  string
	Labels      map[string]string
	Annotations map[string]string
	// Generated says that the API server makes up the end of the name: two such
	// objects are never the same.
	Generated bool
	// Owners are the object's owner references.
	Owners []metav1.OwnerReference
	Origin Origin

	// created and uid are what a cluster writes into the metadata, lived that it
	// or something in it has written anything into the object.
	created, uid string
	lived        bool

	raw     func() map[string]any
	decoded sync.Once
	preset  any
	spec    any
	issues  []Problem
}

// Location is a place in an object: what a finding points at.
type Location struct {
	Object *Object
	// Path is the field, such as spec.http[0].route[1].destination.host; empty for the whole object.
	Path string
	// Key points at the field's name instead of its value.
	Key bool
}

// At is the location of a field. Map keys that are no plain words are written
// as metadata.labels["topology.kubernetes.io/zone"].
func (o *Object) At(format string, args ...any) Location {
	return Location{Object: o, Path: fmt.Sprintf(format, args...)}
}

// AtKey is the location of a field's name, for fields that should not be there.
func (o *Object) AtKey(format string, args ...any) Location {
	return Location{Object: o, Path: fmt.Sprintf(format, args...), Key: true}
}

// Position is the location's place in its file, found by reading the object's
// text again; the zero Position for objects of a cluster.
func (l Location) Position() Position {
	if l.Object == nil || l.Object.Origin.File == "" {
		return Position{}
	}
	p := Position{File: l.Object.Origin.File}
	if l.Object.Origin.Locator != nil {
		path := l.Path
		if path == "" {
			path = "metadata.name"
		}
		if placer, ok := l.Object.Origin.Locator.(Placer); ok {
			return placer.Place(ParsePath(path), l.Key)
		}
		p.Line, p.Column = l.Object.Origin.Locator.Locate(ParsePath(path), l.Key)
	}
	return p
}

// Raw is the object as it was written, every field included. It must not be changed.
func (o *Object) Raw() map[string]any { return o.raw() }

// Typed is the object's typed part, of the type that the accessor of its kind
// has; nil for kinds that have no accessor. It must not be changed.
func (o *Object) Typed() any {
	o.decode()
	return o.spec
}

// Version is the version part of APIVersion.
func (o *Object) Version() string {
	if _, v, found := strings.Cut(o.APIVersion, "/"); found {
		return v
	}
	return o.APIVersion
}

// Field is the raw value at the names given, nil where there is none.
func (o *Object) Field(names ...string) any {
	var value any = o.raw()
	for _, name := range names {
		m, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = m[name]
	}
	return value
}

// NewObject makes an object of a kind from its decoded text. It takes over raw.
func NewObject(kind Kind, raw map[string]any, origin Origin) *Object {
	meta, _ := raw["metadata"].(map[string]any)
	o := &Object{
		Ref:         Ref{Kind: kind, Namespace: text(meta["namespace"]), Name: text(meta["name"])},
		APIVersion:  text(raw["apiVersion"]),
		Labels:      texts(meta["labels"]),
		Annotations: texts(meta["annotations"]),
		Owners:      owners(meta["ownerReferences"]),
		Origin:      origin,
		created:     text(meta["creationTimestamp"]),
		uid:         text(meta["uid"]),
		raw:         func() map[string]any { return raw },
	}
	status, _ := raw["status"].(map[string]any)
	o.lived = o.uid != "" || len(status) > 0 || len(o.Owners) > 0 || o.Annotations[annotation.SidecarStatus.Name] != ""
	if !kind.Namespaced {
		o.Namespace = ""
	}
	if o.Name == "" {
		if prefix := text(meta["generateName"]); prefix != "" {
			o.Name, o.Generated = prefix+"*", true
		}
	}
	return o
}

// NewTyped makes an object of a kind from what a typed client returned: spec
// is what the kind's accessor of [Snapshot] yields, raw the whole object when
// somebody asks for it.
func NewTyped(kind Kind, meta metav1.Object, spec any, raw func() map[string]any, origin Origin) *Object {
	return &Object{
		Ref:         Ref{Kind: kind, Namespace: meta.GetNamespace(), Name: meta.GetName()},
		APIVersion:  kind.APIVersion(),
		Labels:      meta.GetLabels(),
		Annotations: meta.GetAnnotations(),
		Owners:      meta.GetOwnerReferences(),
		Origin:      origin,
		created:     created(meta),
		uid:         string(meta.GetUID()),
		raw:         sync.OnceValue(raw),
		preset:      spec,
	}
}

func created(meta metav1.Object) string {
	at := meta.GetCreationTimestamp()
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

// InNamespace gives an object without a namespace one, as `kubectl apply -n` does.
func (o *Object) InNamespace(namespace string) {
	if o.Kind.Namespaced && o.Namespace == "" {
		o.Namespace = namespace
	}
}

// Reread decodes the object now and lets go of its text's values, which are
// several times its size in memory: read parses the text again when somebody
// asks for [Object.Raw]. It must be called before the object is shared.
func (o *Object) Reread(read func() map[string]any) {
	o.decode()
	type values struct{ raw map[string]any }
	var (
		mu   sync.Mutex
		kept weak.Pointer[values]
	)
	o.raw = func() map[string]any {
		mu.Lock()
		defer mu.Unlock()
		v := kept.Value()
		if v == nil {
			v = &values{read()}
			kept = weak.Make(v)
		}
		return v.raw
	}
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

func texts(v any) map[string]string {
	m, _ := v.(map[string]any)
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		switch v := v.(type) {
		case string:
			out[k] = v
		case bool: // refused, and told; what was meant is clear
			out[k] = strconv.FormatBool(v)
		}
	}
	return out
}

func owners(v any) []metav1.OwnerReference {
	list, _ := v.([]any)
	var out []metav1.OwnerReference
	for _, item := range list {
		m, _ := item.(map[string]any)
		out = append(out, metav1.OwnerReference{APIVersion: text(m["apiVersion"]), Kind: text(m["kind"]), Name: text(m["name"])})
	}
	return out
}
