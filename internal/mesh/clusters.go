package mesh

import (
	"cmp"
	"slices"
)

// Cluster is what was read of one cluster, or of files alone.
type Cluster struct {
	// Name is how findings name the cluster; empty for files.
	Name    string
	Objects []*Object
	// Read are the kinds that were read everywhere, ReadIn in some namespaces
	// only, and Skipped not at all.
	Read    []Kind
	ReadIn  map[Kind][]string
	Skipped []Skip
}

// Views are the snapshots that clusters have to be judged by. Each cluster has
// its own: its own configuration, and of the clusters of the same mesh what
// Istio takes for one (namespace sameness): Services, Namespaces and workloads,
// which fill in what the cluster itself lacks. A cluster without control plane
// sees the configuration of those that have one, as its proxies do.
//
// Configuration that is labelled for another revision than the one in question
// has a view of its own, unless o names a revision.
//
// Findings about an object count in one view only, see [Snapshot.Owns].
// incomplete says that there are clusters which could not be read: then nothing
// of what clusters share is known to be missing.
func Views(clusters []Cluster, incomplete bool, o Options) []*Snapshot {
	o.IstioNamespace = cmp.Or(o.IstioNamespace, "istio-system")
	members := membersOf(clusters, o)
	var views []*Snapshot
	for i, c := range clusters {
		own := o
		own.Cluster, own.Read, own.ReadIn, own.Skipped = c.Name, c.Read, c.ReadIn, c.Skipped
		own.incomplete = incomplete
		own.foreign = foreign(members, i)
		for _, other := range members {
			if other.mesh == members[i].mesh && other.index != i {
				own.others = append(own.others, other.Cluster)
			}
		}
		view := New(c.Objects, own)
		views = append(views, view)
		if o.Revision != "" {
			continue
		}
		for _, rev := range forRevisions(c.Objects) {
			if rev != view.Revision() {
				own.Revision, own.onlyLabelled = rev, true
				views = append(views, New(c.Objects, own))
			}
		}
	}
	return views
}

// member is a cluster as a part of its mesh.
type member struct {
	Cluster
	index int
	// mesh is the mesh's ID, empty when the mesh has not been given one.
	mesh string
	// primary says that the cluster has a mesh config: istiod reads the
	// configuration in it.
	primary bool
}

// tells says whether the absence of an object of a kind in what was read of the
// cluster means anything, in a namespace or, when it is empty, at all.
func (c Cluster) tells(kind Kind, namespace string) bool {
	switch {
	case slices.ContainsFunc(c.Skipped, func(s Skip) bool { return s.Kind == kind }):
		return false
	case slices.Contains(c.Read, kind):
		return true
	case namespace == "":
		return len(c.ReadIn[kind]) > 0
	}
	return slices.Contains(c.ReadIn[kind], namespace)
}

// membersOf finds which clusters make up a mesh: those with the same mesh ID.
// A cluster without control plane belongs to the mesh of the first one that has one.
func membersOf(clusters []Cluster, o Options) []member {
	if len(clusters) < 2 {
		return make([]member, len(clusters))
	}
	var members []member
	first := ""
	for i, c := range clusters {
		s := New(c.Objects, o)
		m := member{Cluster: c, index: i, mesh: s.MeshID(), primary: s.MeshConfig().Object != nil}
		if m.primary && !slices.ContainsFunc(members, func(m member) bool { return m.primary }) {
			first = m.mesh
		}
		members = append(members, m)
	}
	for i := range members {
		if !members[i].primary {
			members[i].mesh = first
		}
	}
	return members
}

// MeshID is the ID that clusters of one mesh share, empty when it was given none.
func (s *Snapshot) MeshID() string { return s.MeshConfig().GetDefaultConfig().GetMeshId() }

// foreign are the objects of the other clusters of a mesh that cluster i sees.
func foreign(members []member, i int) []*Object {
	var seen []*Object
	for _, other := range members {
		if other.index == i || other.mesh != members[i].mesh {
			continue
		}
		for _, o := range other.Objects {
			if shared(o.Kind) || !members[i].primary && other.primary && configures(o) {
				seen = append(seen, o)
			}
		}
	}
	return seen
}

// shared says whether objects of a kind mean the same in all clusters of a mesh.
func shared(k Kind) bool {
	return k == Service || k == Namespace || k == WorkloadEntry || runsPods(k)
}

// runsPods says whether objects of the kind are, or may be, workloads.
func runsPods(k Kind) bool {
	_, known := kindByName[k.Group+"/"+k.Kind]
	return !known || slices.Contains(WorkloadKinds(), k)
}

// configures says whether proxies of other clusters are configured by an object.
func configures(o *Object) bool {
	return o.Kind.IsIstio() || o.Kind.Group == gatewayGroup || o.Kind == ConfigMap
}

// addForeign adds what other clusters have and this one lacks. Of workloads
// both count: those of one name need not be the same in all clusters. A control
// plane serves its own cluster.
func (c *content) addForeign() {
	c.twins = map[Ref][]*Object{}
	for _, o := range c.options.foreign {
		if !inRevision(o, c.revision) {
			continue
		}
		c.twins[o.Ref] = append(c.twins[o.Ref], o)
		switch own := c.byRef.get(o.Ref); {
		case own == nil:
			c.byRef.put(o)
			c.inNS[kindNS{o.Kind, o.Namespace}] = true
			c.strangers[o] = true
		case runsPods(o.Kind) && own.Origin.Cluster != o.Origin.Cluster && o.Labels["app"] != "istiod":
			c.elsewhere = append(c.elsewhere, o)
			c.strangers[o] = true
		}
	}
}

// Elsewhere are the objects of the same kind, namespace and name in the other
// clusters of the mesh, by cluster: Istio takes Services of one name in all
// clusters for one. Each object's cluster is o.Origin.Cluster. Only Services,
// Namespaces, WorkloadEntries and workloads are shared. A check that compares a
// Service across clusters asks for the others of each Service that it owns and
// gives those as evidence; [Snapshot.Owns] is false for foreign Services:
//
//	for _, svc := range p.Services() {
//		for _, other := range p.Elsewhere(svc.Object) {
//			spec := mesh.As[*core.ServiceSpec](other).Spec
//			...
//			p.Report(svc.At("spec.ports"), "...").Evidence(other.At("spec.ports"), "in cluster %q ...", other.Origin.Cluster)
func (s *Snapshot) Elsewhere(o *Object) []*Object {
	s.touch(o.Kind)
	var others []*Object
	for _, twin := range s.twins[o.Ref] {
		if twin != o {
			others = append(others, twin)
		}
	}
	slices.SortStableFunc(others, func(a, b *Object) int { return cmp.Compare(a.Origin.Cluster, b.Origin.Cluster) })
	return others
}

// Owns says whether findings about an object belong to this snapshot, not to
// that of another cluster or revision of the mesh.
func (s *Snapshot) Owns(o *Object) bool {
	if o == nil {
		return !s.options.onlyLabelled
	}
	if s.strangers[o] {
		return false
	}
	return !s.options.onlyLabelled || o.Kind.IsIstio() && o.Labels[RevisionLabel] == s.revision
}

// Cluster is the name of the cluster that the snapshot is of; empty for files.
func (s *Snapshot) Cluster() string { return s.options.Cluster }

// Own is the number of objects that are the snapshot's own.
func (s *Snapshot) Own() int {
	if s.options.onlyLabelled {
		return 0 // another view counts them
	}
	n := 0
	for o := range s.byRef.all() {
		if !s.strangers[o] {
			n++
		}
	}
	return n
}

// namespaceOf is the Namespace of an object in the object's own cluster: one
// namespace can be labelled differently in each.
func (c *content) namespaceOf(o *Object) *Object {
	ref := Ref{Kind: Namespace, Name: o.Namespace}
	if !c.strangers[o] {
		return c.byRef.get(ref)
	}
	for _, twin := range c.twins[ref] {
		if twin.Origin.Cluster == o.Origin.Cluster {
			return twin
		}
	}
	return nil
}
