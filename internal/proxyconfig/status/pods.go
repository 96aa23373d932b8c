package status

import (
	"fmt"
	"strings"
	"time"

	core "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/mesh"
)

// view looks at the pods of one cluster.
type view struct {
	*mesh.Snapshot
	join    *join
	cluster *Cluster
	never   func(map[string]string) bool
	// ids are the IDs by which the cluster's proxies know it.
	ids map[string]bool
	// wanted is the revision that would inject pods of an owner today.
	wanted map[string]string
	// injectors says whether the injectors could be read.
	injectors bool
}

func newView(c *Cluster, j *join) *view {
	v := &view{Snapshot: c.View, join: j, cluster: c, never: c.View.NeverInjected(), ids: map[string]bool{}, wanted: map[string]string{}}
	_, unread := c.View.Skipped(mesh.MutatingWebhookConfiguration)
	v.injectors = !unread
	for _, i := range j.m.Istiods {
		if i.Context == c.Name && i.Cluster != "" {
			v.ids[i.Cluster] = true
		}
	}
	return v
}

func (v *view) pod(pod *mesh.Resource[*core.PodSpec]) {
	w := mesh.PodWorkload(pod)
	if !w.HasProxy() {
		v.without(w)
		return
	}
	cluster := clusterOf(pod.Spec)
	if cluster != "" {
		v.ids[cluster] = true
	}
	found := v.join.find(v.cluster, cluster, pod.Object)
	for _, i := range found {
		v.join.pods[i] = w
	}
	rev := injectedRevision(w)
	if wish := v.join.r.wish.Revision; wish != "" && rev != wish {
		return
	}
	switch {
	case len(found) == 0:
		v.unconnected(w, cluster, rev)
	case v.join.r.wish.wants(Old):
		v.oldRevision(w, found[0], rev)
	}
}

// finding is a finding on a pod.
func (v *view) finding(p Problem, w *mesh.Workload) Finding {
	f := Finding{Problem: p, Severity: p.Severity(), Name: w.Object.Name, Namespace: w.Object.Namespace, Context: v.cluster.Name, Workload: mesh.OwnerName(w.Object), Types: []string{}}
	if f.Cluster = clusterOf(w.Pod); f.Cluster == "" && len(v.ids) == 1 {
		for id := range v.ids {
			f.Cluster = id
		}
	}
	return f
}

func (v *view) add(f Finding) { v.join.r.Problems = append(v.join.r.Problems, f) }

// without looks at a pod that has no proxy.
func (v *view) without(w *mesh.Workload) {
	if !v.join.r.wish.wants(NotInjected) || !v.LacksProxy(w) || v.never(w.PodLabels) || mesh.Over(w.Object) {
		return
	}
	ns := v.Get(mesh.Namespace, "", w.Object.Namespace)
	asks := mesh.AsksForProxy(w, ns)
	wanted := ""
	if v.injectors {
		wanted = v.wants(w)
		if wish := v.join.r.wish.Revision; wish != "" && wanted != wish {
			return
		}
	}
	f := v.finding(NotInjected, w)
	f.AgeSeconds = v.seconds(v.started(w.Object))
	f.Cause, f.Hint = asks+" asks for a proxy, and the pod has none", restart(&f)
	if v.injectors && wanted == "" {
		f.Cause = "no injector serves " + asks
		f.Hint = "install that revision or its tag, or correct the label; then " + f.Hint
	}
	v.add(f)
}

// wants is the revision that would inject a pod today; "" for none. Pods of one
// owner have the same labels.
func (v *view) wants(w *mesh.Workload) string {
	key := w.Object.Namespace + "/" + w.Object.Name
	if len(w.Object.Owners) > 0 {
		key = w.Object.Namespace + "/" + w.Object.Owners[0].Kind + "/" + w.Object.Owners[0].Name
	}
	if rev, known := v.wanted[key]; known {
		return rev
	}
	rev := ""
	if ns := v.Get(mesh.Namespace, "", w.Object.Namespace); ns != nil {
		if injector := v.Injector(ns, w.PodLabels); injector != nil {
			rev = injector.Labels[mesh.RevisionLabel]
			if rev == "" {
				rev = mesh.DefaultRevision
			}
		}
	}
	v.wanted[key] = rev
	return rev
}

// oldRevision reports a connected pod that another revision would inject today.
func (v *view) oldRevision(w *mesh.Workload, proxy int, rev string) {
	if !v.injectors || rev == "" || w.PodLabels[mesh.InjectLabel] == "false" {
		return
	}
	wanted := v.wants(w)
	if wanted == "" || wanted == rev || mesh.Over(w.Object) {
		return
	}
	f := v.finding(Old, w)
	f.Istiod = v.join.r.Proxies[proxy].Istiod
	f.Cause = fmt.Sprintf("its revision is %s, and %s asks for %s", rev, mesh.AsksForProxy(w, v.Get(mesh.Namespace, "", w.Object.Namespace)), wanted)
	f.Hint = restart(&f)
	v.add(f)
}

// unconnected looks at a pod whose proxy no istiod knows.
func (v *view) unconnected(w *mesh.Workload, cluster, rev string) {
	if !v.join.r.wish.wants(NotConnected) || mesh.Over(w.Object) || w.Object.Field("status", "phase") != string(core.PodRunning) {
		return
	}
	state := stateOf(w.Object)
	started, known := state.started()
	if !known {
		started, known = v.started(w.Object)
	}
	age := v.join.m.Time.Sub(started)
	if state.ended() {
		return
	}
	if known && age < v.join.r.wish.StaleAfter {
		v.join.r.Summary.Starting++
		return
	}
	if istiod, possible := v.elsewhere(rev); possible && state.mayBeConnected() {
		v.join.waiting[istiod]++
		return
	}
	f := v.finding(NotConnected, w)
	f.AgeSeconds = v.seconds(started, known)
	f.Cause, f.Hint = state.cause(w.Object)
	f.unsure = state.mayBeConnected()
	if rev != "" && !v.serves(rev) {
		f.Cause = "no istiod of its revision " + rev + " runs"
		f.Hint = "install that revision again, or move it: correct the label of its namespace and " + restart(&f)
	}
	v.add(f)
}

// elsewhere says whether a pod's proxy may be connected to an istiod that did
// not answer, and which one; "" for that of a cluster that could not be read.
func (v *view) elsewhere(rev string) (istiod string, possible bool) {
	own := v.join.own[v.cluster.Name]
	for _, i := range v.join.m.Istiods {
		if i.Error != "" && (!own || i.Context == v.cluster.Name) && (rev == "" || i.Revision == "" || i.Revision == rev) {
			return i.Name, true
		}
	}
	if own {
		return "", false
	}
	for _, c := range v.join.m.Clusters {
		if c.Error != "" {
			return "", true
		}
	}
	return "", false
}

// serves says whether some istiod is of a revision, as far as they say.
func (v *view) serves(rev string) bool {
	for _, i := range v.join.m.Istiods {
		if i.Revision == rev || i.Revision == "" {
			return true
		}
	}
	return false
}

// started is when a pod was started, else made.
func (v *view) started(pod *mesh.Object) (time.Time, bool) {
	if text, ok := pod.Field("status", "startTime").(string); ok {
		if at, err := time.Parse(time.RFC3339, text); err == nil {
			return at, true
		}
	}
	return pod.Created()
}

func (v *view) seconds(since time.Time, known bool) int64 {
	if !known {
		return 0
	}
	return int64(max(v.join.m.Time.Sub(since), 0).Seconds())
}

// restart is how to get new pods of a finding's workload.
func restart(f *Finding) string {
	switch kind, _, _ := strings.Cut(f.Workload, "/"); kind {
	case "pod":
		return "delete the pod and create it again"
	case "deployment", "statefulset", "daemonset":
		return "kubectl rollout restart " + f.Workload + " -n " + f.Namespace
	}
	return "kubectl delete pod " + f.Name + " -n " + f.Namespace
}
