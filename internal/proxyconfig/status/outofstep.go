package status

import (
	"fmt"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"

	"github.com/meshctl/meshctl/internal/mesh"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

// outOfStep reports the proxies that are stale or refused something.
func (r *Report) outOfStep(j *join) {
	for i := range r.Proxies {
		p := &r.Proxies[i]
		if p.Worst() == proxyconfig.Synced {
			continue
		}
		for _, problem := range []Problem{Rejected, Stale} {
			if f, ok := r.notAccepted(p, problem, j.pods[i]); ok {
				r.Problems = append(r.Problems, f)
			}
		}
	}
}

// notAccepted is the finding of a proxy's types that are in one of the states.
func (r *Report) notAccepted(p *proxyconfig.ProxySync, problem Problem, pod *mesh.Workload) (Finding, bool) {
	f := Finding{Problem: problem, Severity: problem.Severity(), Name: p.Name, Namespace: p.Namespace, Cluster: p.Cluster, Context: p.Context, Istiod: p.Istiod, Types: []string{}}
	if pod != nil {
		f.Workload = mesh.OwnerName(pod.Object)
	}
	oldest := time.Duration(0)
	var causes []string
	for _, t := range p.Types {
		switch {
		case problem == Rejected && t.State == proxyconfig.Rejected:
			causes = append(causes, t.Type+" refused: "+oneLine(t.Error))
		case problem == Stale && t.State == proxyconfig.Stale && !t.InFlight:
		default:
			continue
		}
		f.Types = append(f.Types, t.Type)
		if age, ok := p.Age(t, r.Time); ok && age >= oldest {
			oldest = age
		}
	}
	if len(f.Types) == 0 {
		return f, false
	}
	f.AgeSeconds = int64(oldest.Seconds())
	if pod != nil || !r.wish.AsksPods() {
		f.Hint = fmt.Sprintf("kubectl logs %s -n %s -c %s", p.Name, p.Namespace, mesh.ProxyContainer)
	}
	if problem == Rejected {
		f.Cause = strings.Join(causes, "; ")
		f.Hint = "correct what made this configuration; often that is an EnvoyFilter"
		return f, true
	}
	f.Cause = "it does not answer: it hangs, is overloaded, or is cut off from istiod"
	if why := trouble(pod); why != "" {
		f.Cause = "it does not answer: " + why
	}
	return f, true
}

// trouble is what ails a pod, as far as it explains silence.
func trouble(pod *mesh.Workload) string {
	if pod == nil {
		return ""
	}
	if pod.Object.Field("metadata", "deletionTimestamp") != nil {
		return "its pod is being deleted"
	}
	if state := stateOf(pod.Object); state.ContainerStatus != nil && !state.Ready {
		cause, _ := state.cause(pod.Object)
		return cause
	}
	return ""
}

// versions reports proxies that are older than their istiod.
func (j *join) versions() {
	if !j.r.wish.wants(Old) {
		return
	}
	istiods, older := map[string]string{}, map[[2]string]bool{}
	for _, i := range j.m.Istiods {
		istiods[i.Context+"/"+i.Name] = i.Version
	}
	revisions := map[string]int{} // what is old by its revision, by name
	for n, f := range j.r.Problems {
		if f.Problem == Old {
			revisions[f.id()] = n
		}
	}
	for i := range j.r.Proxies {
		p := &j.r.Proxies[i]
		key := [2]string{p.Version, istiods[p.Context+"/"+p.Istiod]}
		old, known := older[key]
		if !known {
			old = olderThan(key[0], key[1])
			older[key] = old
		}
		if !old {
			continue
		}
		cause := fmt.Sprintf("its version is %s, and its istiod's %s", p.Version, key[1])
		if n, ok := revisions[p.ID()]; ok {
			j.r.Problems[n].Cause += "; " + cause
			continue
		}
		f := Finding{Problem: Old, Severity: Old.Severity(), Name: p.Name, Namespace: p.Namespace, Cluster: p.Cluster, Context: p.Context, Istiod: p.Istiod, Types: []string{}, Cause: cause}
		if pod := j.pods[i]; pod != nil {
			f.Workload = mesh.OwnerName(pod.Object)
			f.Hint = restart(&f)
		}
		j.r.Problems = append(j.r.Problems, f)
	}
}

// olderThan compares versions; those of private builds compare as nothing.
func olderThan(proxy, istiod string) bool {
	a, err := semver.NewVersion(proxy)
	if err != nil {
		return false
	}
	b, err := semver.NewVersion(istiod)
	return err == nil && a.LessThan(b)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
