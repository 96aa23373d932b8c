package cmd

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/precheck"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/install"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/mesh"
	"github.com/meshctl/meshctl/internal/upgrade"
)

// selected are the checks that the flags ask for. What an upgrade changes needs
// to know from where.
func (p *precheckFlags) selected(all []*analyze.Check) ([]*analyze.Check, error) {
	selected, unknownWord := analyze.Select(all, p.only, p.skip)
	if unknownWord != "" {
		return nil, hint.Usagef("`meshctl precheck --list-checks` lists them", "precheck has no check %q", unknownWord)
	}
	return slices.DeleteFunc(selected, func(c *analyze.Check) bool {
		if c.Code == "IST0169" {
			return p.from == ""
		}
		return p.skipControlPlane && c.Code != "IST0136" // the only one that is not about an install
	}), nil
}

// read reads what the checks look at, and asks the API server for its version
// and for the user's permissions.
func (p *precheckFlags) read(ctx context.Context, f *Factory, selected []*analyze.Check) (*mesh.Snapshot, error) {
	client, err := f.Client()
	if err != nil {
		return nil, err
	}
	kinds := slices.DeleteFunc(kindsOf(selected), func(k mesh.Kind) bool { return k == precheck.AccessReview })
	if p.from != "" {
		more, err := upgrade.Reads(p.from, install.Version)
		if err != nil {
			return nil, err
		}
		kinds = append(kinds, more...)
	}
	var live *kube.Live
	var version string
	group, reading := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		live, err = client.Read(reading, kube.ReadOptions{Kinds: kinds, Namespaces: []string{f.IstioNamespace()}, IstioNamespace: f.IstioNamespace()})
		return err
	})
	group.Go(func() (err error) {
		version, err = serverVersion(client)
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	options := mesh.Options{
		Read: live.Read, ReadIn: live.ReadIn, Skipped: live.Skipped,
		IstioNamespace: f.IstioNamespace(), Revision: p.revision, Kubernetes: version,
	}
	if slices.ContainsFunc(selected, func(c *analyze.Check) bool { return slices.Contains(c.Reads, precheck.AccessReview) }) {
		reviews, err := client.Reviews(ctx, installAccess(mesh.New(live.Objects, options)))
		if err != nil {
			return nil, err
		}
		live.Objects = append(live.Objects, reviews...)
	}
	return mesh.New(live.Objects, options), nil
}

// installAccess is what an install does in the cluster. What is there already
// needs not be created.
func installAccess(s *mesh.Snapshot) []kube.Access {
	namespace := s.IstioNamespace()
	var all []kube.Access
	add := func(namespace string, there bool, resources ...string) {
		for _, r := range resources {
			resource, group, _ := strings.Cut(r, ".")
			if !there {
				all = append(all, kube.Access{Verb: "create", Group: group, Resource: resource, Namespace: namespace})
			}
			all = append(all, kube.Access{Verb: "patch", Group: group, Resource: resource, Namespace: namespace})
		}
	}
	if s.Get(mesh.Namespace, "", namespace) == nil {
		add("", false, "namespaces")
	}
	hasCRDs := slices.ContainsFunc(s.Objects(mesh.CustomResourceDefinition), func(o *mesh.Object) bool { return strings.HasSuffix(o.Name, ".istio.io") })
	add("", hasCRDs, "customresourcedefinitions.apiextensions.k8s.io")
	add("", false, "clusterroles.rbac.authorization.k8s.io", "clusterrolebindings.rbac.authorization.k8s.io",
		"mutatingwebhookconfigurations.admissionregistration.k8s.io", "validatingwebhookconfigurations.admissionregistration.k8s.io")
	add(namespace, false, "serviceaccounts", "services", "configmaps", "deployments.apps", "roles.rbac.authorization.k8s.io",
		"rolebindings.rbac.authorization.k8s.io", "horizontalpodautoscalers.autoscaling", "poddisruptionbudgets.policy")
	return all
}

// changes are what the upgrade from --from-version changes for the mesh, and how
// many changes could not be judged.
func (p *precheckFlags) changes(s *mesh.Snapshot) (changes []precheck.Change, undecided int, err error) {
	plan, err := upgrade.New(upgrade.Input{
		Snapshot: s, Live: true, From: p.from, To: install.Version, Revision: p.revision,
		Kubernetes: s.KubernetesVersion(), Embedded: install.Version,
	})
	if err != nil {
		return nil, 0, err
	}
	severities := map[upgrade.Severity]analyze.Severity{upgrade.Blocker: analyze.Error, upgrade.Action: analyze.Warning}
	for _, f := range plan.Findings {
		if slices.Contains([]string{"kubernetes-version", "gateway-api-crds"}, f.ID) {
			continue // checks of their own: IST0142, IST0176
		}
		c := precheck.Change{Message: f.Title, Fix: f.Todo, Severity: cmp.Or(severities[f.Severity], analyze.Info)}
		if len(f.Hits) == 0 {
			changes = append(changes, c)
		}
		for _, h := range f.Hits {
			of := c
			of.Kind, of.Namespace, of.Name, of.Path = h.Object.Kind, h.Object.Namespace, h.Object.Name, h.Path
			if h.Message != "" {
				of.Message += ": " + h.Message
			}
			changes = append(changes, of)
		}
	}
	return changes, len(plan.Undecided), nil
}
