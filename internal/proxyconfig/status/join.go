package status

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"istio.io/api/annotation"
	core "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/mesh"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

// join brings pods and proxies together.
type join struct {
	m *Mesh
	r *Report
	// proxies are those of the report by name.namespace.
	proxies map[string][]int
	// pods are the pods of the proxies, found so far.
	pods map[int]*mesh.Workload
	// own are the clusters, by name, that have istiods of their own; ambiguous
	// says that two of them have the same ID.
	own       map[string]bool
	ambiguous bool
	// waiting are pods that may be connected to an istiod that did not answer, by istiod.
	waiting map[string]int
}

func newJoin(m *Mesh, r *Report) *join {
	j := &join{m: m, r: r, proxies: map[string][]int{}, pods: map[int]*mesh.Workload{}, own: map[string]bool{}, waiting: map[string]int{}}
	for i := range r.Proxies {
		id := r.Proxies[i].ID()
		j.proxies[id] = append(j.proxies[id], i)
	}
	contexts := map[string]string{}
	for _, i := range m.Istiods {
		j.own[i.Context] = true
		if known, ok := contexts[i.Cluster]; ok && known != i.Context && i.Cluster != "" {
			j.ambiguous = true
		}
		contexts[i.Cluster] = i.Context
	}
	return j
}

// run looks at the pods of every cluster.
func (j *join) run() {
	known := map[string]bool{} // the IDs of clusters whose pods were read
	for i := range j.m.Clusters {
		c := &j.m.Clusters[i]
		j.skipped(c)
		if c.View == nil {
			continue
		}
		v := newView(c, j)
		for _, pod := range c.View.Pods() {
			if j.r.wish.Namespace == "" || pod.Namespace == j.r.wish.Namespace {
				v.pod(pod)
			}
		}
		for id := range v.ids {
			known[id] = true
		}
	}
	j.unanswered()
	for i := range j.r.Proxies {
		if p := &j.r.Proxies[i]; j.pods[i] == nil && known[p.Cluster] {
			j.noPod(p)
		}
	}
	j.versions()
}

// skipped says what the kinds cost that could not be read.
func (j *join) skipped(c *Cluster) {
	costs := map[mesh.Kind][]Problem{
		mesh.Pod: {NotConnected, NotInjected, Old, NoPod}, mesh.Namespace: {NotInjected, Old}, mesh.MutatingWebhookConfiguration: {Old},
		mesh.WorkloadEntry: {NoPod}, mesh.WorkloadGroup: {NoPod},
	}
	if c.Error != "" {
		return // which says more
	}
	for _, s := range c.Skipped {
		cost := slices.DeleteFunc(slices.Clone(costs[s.Kind]), func(p Problem) bool { return !j.r.wish.wants(p) })
		if len(cost) > 0 {
			j.r.Undecided = append(j.r.Undecided, Undecided{Problems: cost, Context: c.Name, Reason: s.Kind.Resource + " could not be read: " + s.Reason})
		}
	}
}

// unanswered says how many pods may be connected to istiods that did not answer.
func (j *join) unanswered() {
	for _, i := range j.m.Istiods {
		if n := j.waiting[i.Name]; n > 0 {
			j.r.Undecided = append(j.r.Undecided, Undecided{Problems: []Problem{NotConnected}, Context: i.Context,
				Reason: fmt.Sprintf("%s may be connected to istiod %s, which did not answer", count(n, "pod"), i.Name)})
		}
	}
	if n := j.waiting[""]; n > 0 {
		j.r.Undecided = append(j.r.Undecided, Undecided{Problems: []Problem{NotConnected},
			Reason: fmt.Sprintf("%s may be connected to an istiod of a cluster that could not be read", count(n, "pod"))})
	}
}

// find are the proxies of a pod.
func (j *join) find(c *Cluster, cluster string, pod *mesh.Object) []int {
	var found []int
	for _, i := range j.proxies[pod.Name+"."+pod.Namespace] {
		p := &j.r.Proxies[i]
		if cluster != "" && p.Cluster != "" && p.Cluster != cluster {
			continue
		}
		if j.ambiguous && j.own[c.Name] && p.Context != c.Name {
			continue
		}
		found = append(found, i)
	}
	return found
}

// noPod reports a proxy without a pod, unless it has only just connected, or
// may be a virtual machine's.
func (j *join) noPod(p *proxyconfig.ProxySync) {
	settled := false
	for _, t := range p.Types {
		age, known := p.Age(t, j.m.Time)
		settled = settled || !known || age >= j.r.wish.StaleAfter
	}
	if !settled || !j.knowsPods(p.Namespace) {
		return
	}
	j.r.Problems = append(j.r.Problems, Finding{
		Problem: NoPod, Severity: NoPod.Severity(), Name: p.Name, Namespace: p.Namespace, Cluster: p.Cluster, Context: p.Context, Istiod: p.Istiod, Types: []string{},
		Cause: "it is connected, but its namespace has no such pod, and no WorkloadEntry or WorkloadGroup either",
		Hint:  "the proxy of a pod that was just deleted goes away by itself",
	})
}

// knowsPods says whether the absence of a pod in a namespace means that there
// is none, and no virtual machine of which istiod would know either.
func (j *join) knowsPods(namespace string) bool {
	known := false
	for _, c := range j.m.Clusters {
		if c.View == nil {
			continue
		}
		ns := c.View.Get(mesh.Namespace, "", namespace)
		_, unread := c.View.Skipped(mesh.Pod)
		if unread || !c.View.KnownIn(mesh.Pod, namespace) && (ns != nil || !c.View.Known(mesh.Namespace)) {
			return false
		}
		for _, kind := range []mesh.Kind{mesh.WorkloadEntry, mesh.WorkloadGroup} {
			if _, unread := c.View.Skipped(kind); unread {
				return false
			}
			if slices.ContainsFunc(c.View.Objects(kind), func(o *mesh.Object) bool { return o.Namespace == namespace }) {
				return false
			}
		}
		known = true
	}
	return known
}

// injectedRevision is the revision whose injector or istiod made a pod's
// proxy; "" when the pod does not say.
func injectedRevision(pod *mesh.Workload) string {
	var status struct {
		Revision string `json:"revision"`
	}
	if json.Unmarshal([]byte(pod.PodAnnotations[annotation.SidecarStatus.Name]), &status) == nil && status.Revision != "" {
		return status.Revision
	}
	if rev := pod.PodAnnotations[mesh.RevisionLabel]; rev != "" {
		return rev
	}
	return pod.PodLabels[mesh.RevisionLabel]
}

// clusterOf is the cluster's ID as a pod's proxy tells it to istiod.
func clusterOf(pod *core.PodSpec) string {
	for _, c := range slices.Concat(pod.Containers, pod.InitContainers) {
		if c.Name != mesh.ProxyContainer {
			continue
		}
		for _, e := range c.Env {
			if e.Name == "ISTIO_META_CLUSTER_ID" || e.Name == "CLUSTER_ID" {
				return e.Value
			}
		}
	}
	return ""
}

func count(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "y") && !strings.HasSuffix(what, "ay"):
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(what, "y"))
	case strings.HasSuffix(what, "x"):
		return fmt.Sprintf("%d %ses", n, what)
	}
	return fmt.Sprintf("%d %ss", n, what)
}
