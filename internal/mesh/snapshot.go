package mesh

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// Options say how much of a mesh the objects of a snapshot are.
type Options struct {
	// Kubernetes is the version of the API server, such as v1.33.2; empty when not known.
	Kubernetes string
	// Complete says that the objects are the whole mesh: what is not there does not exist.
	Complete bool
	// Read are the kinds that were read from a cluster, so that none means none.
	Read []Kind
	// ReadIn are kinds that were read from a cluster in some namespaces only.
	ReadIn map[Kind][]string
	// Skipped are the kinds that could not be read.
	Skipped []Skip
	// Unreadable is what of the files could not be read.
	Unreadable []Unreadable
	// IstioNamespace is the namespace of the control plane; istio-system when empty.
	IstioNamespace string
	// Revision is the control plane whose mesh config counts; empty for the default one.
	Revision string
	// ClusterDomain is the domain of services, such as cluster.local; when
	// empty it is taken from the injector's configuration.
	ClusterDomain string
	// Cluster is the name of the cluster; empty for files.
	Cluster string
	// MeshConfig is a ConfigMap to take the mesh config from, whatever the revision.
	MeshConfig *Object

	// What [Views] knows: the other clusters of the mesh, their objects that count
	// here, whether some cluster could not be read, and whether findings count
	// only about what is labelled for the revision.
	others       []Cluster
	foreign      []*Object
	incomplete   bool
	onlyLabelled bool
}

// Skip is a kind that could not be read, and why.
type Skip struct {
	Kind   Kind
	Reason string
}

// Snapshot is a mesh's configuration at one time. It is safe for concurrent use.
type Snapshot struct {
	*content
	// touched is told of every kind that is asked for; may be nil.
	touched func(Kind)
	// concluded is told of every kind whose absence means something; may be nil.
	concluded func(Kind)
}

type content struct {
	options  Options
	byKind   map[Kind][]*Object // sorted by namespace and name
	byRef    refIndex
	shadowed []*Object
	inNS     map[kindNS]bool
	read     map[Kind]bool
	skipped  map[Kind]string
	typed    map[Kind]*slot
	revision string
	// strangers are the objects of other clusters, elsewhere those of them whose
	// names are taken here, and twins all of them.
	strangers map[*Object]bool
	elsewhere []*Object
	twins     map[Ref][]*Object
	// undiscovered are the objects that istiod does not look at.
	undiscovered map[Ref]*Object

	registry  func() *Registry
	workloads func() *workloadIndex
	rules     func() *ruleIndex
	pods      func() *labelIndex
	machines  func() *labelIndex

	provisioned   func() *labelIndex
	peers         func() peerIndex
	config        func() *MeshConfig
	injector      func() injectorConfig
	clusterDomain func() string

	kuberoutes       func() []*KubernetesRoute
	grants           func() grantIndex
	behind           func() serviceIndex
	promised         func() map[Ref]bool
	withCertificates func() map[string]bool
	alone            func() string
	views            func() *views
	routed           func() map[string]bool
}

type kindNS struct {
	kind      Kind
	namespace string
}

// slot holds a kind's decoded resources, a []*Resource[T].
type slot struct {
	once  sync.Once
	value any
}

// byName orders objects of one kind. Most differ in the first or second.
func byName(a, b *Object) int {
	if c := strings.Compare(a.Namespace, b.Namespace); c != 0 {
		return c
	}
	if c := strings.Compare(a.Name, b.Name); c != 0 {
		return c
	}
	return cmp.Compare(a.Origin.Order, b.Origin.Order)
}

// New indexes objects. Of several definitions of one object the last counts,
// as with kubectl apply; the others are [Snapshot.Shadowed]. An object of a
// file replaces that of a cluster.
func New(objects []*Object, options Options) *Snapshot {
	options.IstioNamespace = cmp.Or(options.IstioNamespace, "istio-system")
	c := &content{
		options: options,
		byKind:  map[Kind][]*Object{},
		byRef:   refIndex{},
		inNS:    map[kindNS]bool{},
		read:    map[Kind]bool{},
		skipped: map[Kind]string{},
		typed:   map[Kind]*slot{},

		revision:  resolveRevision(slices.Concat(objects, options.foreign), options),
		strangers: map[*Object]bool{},
	}
	for _, o := range objects {
		if o.Name == "" || !inRevision(o, c.revision) {
			continue
		}
		c.inNS[kindNS{o.Kind, o.Namespace}] = true
		if earlier := c.byRef.get(o.Ref); earlier != nil {
			if o.Generated && earlier.Generated {
				c.byKind[o.Kind] = append(c.byKind[o.Kind], o)
				continue
			}
			if o.Origin.File == "" && earlier.Origin.File != "" {
				continue
			}
			if earlier.Origin.File != "" {
				c.shadowed = append(c.shadowed, earlier)
			}
		}
		c.byRef.put(o)
	}
	c.addForeign()
	for o := range c.byRef.all() {
		c.byKind[o.Kind] = append(c.byKind[o.Kind], o)
	}
	for kind, list := range c.byKind {
		slices.SortFunc(list, byName)
		c.typed[kind] = &slot{}
	}
	for _, k := range options.Read {
		c.read[k] = true
	}
	for k, namespaces := range options.ReadIn {
		for _, ns := range namespaces {
			c.inNS[kindNS{k, ns}] = true
		}
	}
	for _, s := range options.Skipped {
		c.skipped[s.Kind] = s.Reason
	}
	c.registry = sync.OnceValue(c.newRegistry)
	c.workloads = sync.OnceValue(c.newWorkloads)
	c.config = sync.OnceValue(c.newMeshConfig)
	c.injector, c.clusterDomain = sync.OnceValue(c.newInjectorConfig), sync.OnceValue(c.newClusterDomain)
	c.kuberoutes = sync.OnceValue(c.newKubernetesRoutes)
	c.grants = sync.OnceValue(c.newGrants)
	c.behind = sync.OnceValue(c.newServiceIndex)
	c.dropUndiscovered()
	s := &Snapshot{content: c}
	c.rules = sync.OnceValue(s.newRules)
	c.pods = sync.OnceValue(c.newPods)
	c.machines = sync.OnceValue(c.newMachines)
	c.provisioned = sync.OnceValue(c.newProvisioned)
	c.promised = sync.OnceValue(c.newPromised)
	c.withCertificates = sync.OnceValue(c.newWithCertificates)
	c.peers = sync.OnceValue(c.newPeers)
	c.alone = sync.OnceValue(c.newAlone)
	c.views = sync.OnceValue(s.newViews)
	c.routed = sync.OnceValue(s.newRouted)
	return s
}

// Watched is the same snapshot, telling touched of every kind that is asked
// for. touched must be safe for concurrent use.
func (s *Snapshot) Watched(touched func(Kind)) *Snapshot {
	return &Snapshot{content: s.content, touched: touched, concluded: s.concluded}
}

func (s *Snapshot) touch(kinds ...Kind) {
	if s.touched == nil {
		return
	}
	for _, k := range kinds {
		s.touched(k)
	}
}

// Objects are the objects of a kind by namespace and name. The slice must not be changed.
func (s *Snapshot) Objects(kind Kind) []*Object {
	s.touch(kind)
	return s.byKind[kind]
}

// Get is one object, nil when it is not there. The namespace is ignored for
// kinds that live in none.
func (s *Snapshot) Get(kind Kind, namespace, name string) *Object {
	s.touch(kind)
	if !kind.Namespaced {
		namespace = ""
	}
	o := s.byRef.get(Ref{Kind: kind, Namespace: namespace, Name: name})
	s.conclude(o == nil, kind)
	return o
}

// All are the objects of all kinds, by kind, namespace and name.
func (s *Snapshot) All() []*Object {
	var all []*Object
	for _, k := range s.PresentKinds() {
		all = append(all, s.byKind[k]...)
	}
	return all
}

// Len is the number of objects.
func (s *Snapshot) Len() int { return s.byRef.size() }

// PresentKinds are the kinds of which there is an object, sorted.
func (s *Snapshot) PresentKinds() []Kind {
	present := make([]Kind, 0, len(s.byKind))
	for k := range s.byKind {
		present = append(present, k)
	}
	slices.SortFunc(present, Kind.Compare)
	return present
}

// Shadowed are objects of files that a later definition of the same name replaces.
func (s *Snapshot) Shadowed() []*Object { return s.shadowed }

// Counting is the definition of an object that counts: the object itself, or
// the later one that replaces it, even where istiod looks at neither.
func (s *Snapshot) Counting(o *Object) *Object {
	return cmp.Or(s.byRef.get(o.Ref), s.undiscovered[o.Ref], o)
}

// Known says whether absence of an object of the kind means that it does not
// exist: the kind was read from a cluster, or the input holds some object of
// it, or is complete. For kinds that namespaces keep apart use KnownIn.
func (s *Snapshot) Known(kind Kind) bool {
	s.touch(kind)
	if s.unsure(kind, "") {
		return false
	}
	return s.conclude(s.options.Complete || s.read[kind] || len(s.byKind[kind]) > 0, kind)
}

// KnownIn is [Snapshot.Known] for one namespace: files of one team say nothing
// of another team's Services, and of the control plane's namespace only when
// they hold the control plane.
func (s *Snapshot) KnownIn(kind Kind, namespace string) bool {
	s.touch(kind)
	return s.conclude(s.knownIn(kind, namespace), kind)
}

func (c *content) knownIn(kind Kind, namespace string) bool {
	if c.unsure(kind, namespace) {
		return false
	}
	if c.options.Complete || c.read[kind] {
		return true
	}
	return c.inNS[kindNS{kind, namespace}] && (namespace != c.options.IstioNamespace || c.hasControlPlane())
}

// unsure says that absence of an object of the kind means nothing, in a
// namespace or, when it is empty, anywhere: the kind could not be read, here or
// in a cluster that shares it.
func (c *content) unsure(kind Kind, namespace string) bool {
	if _, skipped := c.skipped[kind]; skipped {
		return true
	}
	if !shared(kind) {
		return false
	}
	return c.options.incomplete || slices.ContainsFunc(c.options.others, func(other Cluster) bool { return !other.tells(kind, namespace) })
}

// hasControlPlane says whether the input holds what an installer put into the
// control plane's namespace. Files mostly add to that namespace from outside.
func (c *content) hasControlPlane() bool {
	_, readIn := c.options.ReadIn[Service]
	return readIn || slices.ContainsFunc(c.byKind[Service], func(o *Object) bool {
		return o.Namespace == c.options.IstioNamespace && o.Labels["app"] == "istiod"
	})
}

// Skipped says why a kind could not be read; ok is false when it could.
func (s *Snapshot) Skipped(kind Kind) (reason string, ok bool) {
	reason, ok = s.skipped[kind]
	return reason, ok
}

// Complete says whether the snapshot is the whole mesh.
func (s *Snapshot) Complete() bool { return s.options.Complete }

// IstioNamespace is the namespace of the control plane.
func (s *Snapshot) IstioNamespace() string { return s.options.IstioNamespace }

// KubernetesVersion is the version of the API server, empty when not known.
func (s *Snapshot) KubernetesVersion() string { return s.options.Kubernetes }
