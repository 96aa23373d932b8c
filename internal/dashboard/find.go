package dashboard

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/hint"
)

// Pod is a pod that may serve a dashboard.
type Pod struct {
	Namespace, Name string
	// Phase is Running, Pending ...
	Phase string
	Ready bool
}

// Find chooses the pod that serves d: in the first of the namespaces that has
// any, a ready one first. When there is none, the error says how to install it
// and which dashboards there are.
func Find(ctx context.Context, cluster Cluster, d Dashboard, namespaces []string) (Pod, error) {
	for _, namespace := range namespaces {
		pods, err := podsOf(ctx, cluster, d, namespace)
		if err != nil {
			return Pod{}, err
		}
		if len(pods) == 0 {
			continue
		}
		best := slices.MinFunc(pods, func(a, b Pod) int { return rank(a) - rank(b) })
		if best.Phase != "Running" {
			return Pod{}, hint.Unanswerablef("`kubectl describe pod -n "+namespace+" "+best.Name+"` says why",
				"opening %s: its pod %s.%s is %s", d.Name, best.Name, best.Namespace, best.Phase)
		}
		return best, nil
	}
	return Pod{}, notFound(ctx, cluster, d, namespaces)
}

func rank(p Pod) int {
	switch {
	case p.Ready:
		return 0
	case p.Phase == "Running":
		return 1
	}
	return 2
}

func podsOf(ctx context.Context, cluster Cluster, d Dashboard, namespace string) ([]Pod, error) {
	for _, selector := range d.Selectors {
		pods, err := cluster.Pods(ctx, namespace, selector)
		if err != nil || len(pods) > 0 {
			return pods, err
		}
	}
	return nil, nil
}

func notFound(ctx context.Context, cluster Cluster, d Dashboard, namespaces []string) error {
	var next []string
	if elsewhere, err := podsOf(ctx, cluster, d, ""); err == nil && len(elsewhere) > 0 {
		next = append(next, "there is one in namespace "+elsewhere[0].Namespace+": add -n "+elsewhere[0].Namespace)
	} else if d.Addon != "" {
		next = append(next, fmt.Sprintf("`meshctl install --set addons.%s.enabled=true` installs it", d.Addon))
	}
	if there := Available(ctx, cluster, namespaces); len(there) > 0 {
		next = append(next, "dashboards that are there: "+strings.Join(there, ", "))
	}
	return hint.Unanswerablef(strings.Join(next, "; "), "there is no %s in namespace %s", d.Name, strings.Join(namespaces, " or "))
}

// Available names the dashboards that have pods in the namespaces; what cannot
// be read counts as absent.
func Available(ctx context.Context, cluster Cluster, namespaces []string) []string {
	var names []string
	for _, d := range All() {
		for _, namespace := range namespaces {
			if pods, err := podsOf(ctx, cluster, d, namespace); err == nil && len(pods) > 0 {
				names = append(names, d.Name)
				break
			}
		}
	}
	return names
}
