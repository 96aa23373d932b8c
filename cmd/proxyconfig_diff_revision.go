package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/mesh"
	"github.com/meshctl/meshctl/internal/proxyconfig/diff"
)

// revisionDiffOptions are the flags by which diff compares two revisions.
type revisionDiffOptions struct {
	revisions string
	selector  string
}

func (o *revisionDiffOptions) add(c *cobra.Command) {
	c.Flags().StringVarP(&o.revisions, "revision", "r", "", "compare the workloads of two revisions or tags: `OLD,NEW`")
	c.Flags().StringVarP(&o.selector, "selector", "l", "", "with --revision: only pods with these labels")
}

// args are A and B, or nothing with --revision.
func (o *revisionDiffOptions) args(c *cobra.Command, args []string) error {
	switch {
	case o.revisions == "" && o.selector != "":
		return hint.Usagef("name two pods, or two revisions", "--selector needs --revision")
	case o.revisions == "":
		return exactArgs("a pod or file A", "a pod or file B")(c, args)
	case len(args) > 0:
		return hint.Usagef("leave one of them out; -n and -l choose among the workloads", "--revision compares all workloads, not %s", quoted(args))
	}
	if old, new, ok := strings.Cut(o.revisions, ","); !ok || old == "" || new == "" || strings.Contains(new, ",") {
		return hint.Usagef("such as --revision 1-30-1,1-31-1", "--revision takes two revisions, not %q", o.revisions)
	}
	return nil
}

// pairsAtOnce is how many pairs are compared at the same time.
const pairsAtOnce = 3

// runRevisions compares the workloads of two revisions.
func (o *proxyDiffOptions) runRevisions(ctx context.Context) error {
	old, new, _ := strings.Cut(o.revision.revisions, ",")
	pods, err := o.candidates(ctx)
	if err != nil {
		return err
	}
	revisions := [2]string{pods.revision(ctx, old), pods.revision(ctx, new)}
	report := diff.PairUp(old, new, pods.of(revisions[0]), pods.of(revisions[1]))
	for i, rev := range revisions {
		if len(pods.of(rev)) == 0 {
			return hint.Unanswerablef("revisions there: "+strings.Join(pods.revisions(), ", "), "no pod has a proxy of revision %q", []string{old, new}[i])
		}
	}
	slots := make(chan struct{}, pairsAtOnce)
	var work sync.WaitGroup
	for _, p := range report.Pairs {
		work.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			p.Compare(diff.Options{Only: o.only, Raw: o.raw})
		})
	}
	work.Wait()
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	report.Finish()
	if err := o.f.print(o.out, report); err != nil {
		return err
	}
	switch {
	case !report.Same:
		return errNo
	case !report.Complete || len(report.Pairs) == 0:
		return errUnanswered
	}
	return nil
}

// revisionPods are the pods with a proxy, by the revision of it.
type revisionPods struct {
	byRevision map[string][]diff.Candidate
	names      []string
	// tag is the revision behind a tag, the name itself when it is none.
	tag func(ctx context.Context, name string) string
}

func (p *revisionPods) add(revision string, c diff.Candidate) {
	if p.byRevision[revision] == nil {
		p.names = append(p.names, revision)
	}
	p.byRevision[revision] = append(p.byRevision[revision], c)
}

func (p *revisionPods) of(revision string) []diff.Candidate { return p.byRevision[revision] }

func (p *revisionPods) revisions() []string { return p.names }

// revision is the revision that a name means.
func (p *revisionPods) revision(ctx context.Context, name string) string {
	if p.byRevision[name] != nil || p.tag == nil {
		return name
	}
	return p.tag(ctx, name)
}

// candidates are the pods of the cluster or of the snapshot.
func (o *proxyDiffOptions) candidates(ctx context.Context) (*revisionPods, error) {
	all := &revisionPods{byRevision: map[string][]diff.Candidate{}}
	saved, _, err := o.f.savedMesh("")
	if err != nil {
		return nil, err
	}
	if saved != nil {
		return all, o.savedCandidates(ctx, saved, all)
	}
	client, err := o.f.Client()
	if err != nil {
		return nil, err
	}
	all.tag = func(ctx context.Context, name string) string {
		if istiods, err := client.Istiods(ctx, o.f.IstioNamespace(), name); err == nil {
			return istiods[0].Revision
		}
		return name
	}
	pods, err := client.PodsBySelector(ctx, o.f.GivenNamespace(), o.revision.selector)
	if err != nil {
		return nil, err
	}
	for _, p := range pods {
		if !kube.HasProxy(p) || p.Labels["app"] == "ztunnel" || p.Status.Phase != corev1.PodRunning {
			continue
		}
		d := dumpsOf(client, []*corev1.Pod{p}, o.adminPort)[0]
		all.add(proxyRevision(p.Annotations, p.Labels), diff.Candidate{
			Name: p.Name, Namespace: p.Namespace, Workload: workloadOf(p), Account: p.Spec.ServiceAccountName, Labels: p.Labels, Side: d.side(ctx),
		})
	}
	return all, nil
}

// savedCandidates are those of a snapshot.
func (o *proxyDiffOptions) savedCandidates(ctx context.Context, saved *savedMesh, all *revisionPods) error {
	selector, err := labels.Parse(o.revision.selector)
	if err != nil {
		return hint.Usagef("such as -l app=frontend", "--selector %q: %w", o.revision.selector, err)
	}
	for _, p := range saved.proxies() {
		if namespace := o.f.GivenNamespace(); namespace != "" && p.Namespace != namespace || !selector.Matches(labels.Set(p.Labels)) {
			continue
		}
		var annotations map[string]string
		account := ""
		for _, object := range saved.Clusters[p.cluster].Objects {
			if object.Kind == mesh.Pod && object.Name == p.Name && object.Namespace == p.Namespace {
				annotations = object.Annotations
				account, _ = object.Field("spec", "serviceAccountName").(string)
			}
		}
		d := saved.dumps([]savedProxyAt{p})[0]
		all.add(proxyRevision(annotations, p.Labels), diff.Candidate{
			Name: p.Name, Namespace: p.Namespace, Workload: p.Workload, Account: account, Labels: p.Labels,
			Side: diff.Side{Name: d.name, Open: func() (io.ReadCloser, error) { return d.open(ctx, dumpPath) }},
		})
	}
	return nil
}

// proxyRevision is the revision whose injector gave a pod its proxy.
func proxyRevision(annotations, labels map[string]string) string {
	var injected struct {
		Revision string `json:"revision"`
	}
	_ = json.Unmarshal([]byte(annotations["sidecar.istio.io/status"]), &injected) // none is empty
	for _, revision := range []string{injected.Revision, annotations["istio.io/rev"], labels["istio.io/rev"]} {
		if revision != "" {
			return revision
		}
	}
	return "default"
}

// workloadOf is what runs a pod, as mesh.OwnerName has it.
func workloadOf(p *corev1.Pod) string {
	return mesh.OwnerName(mesh.NewTyped(mesh.Pod, p, &p.Spec, nil, mesh.Origin{}))
}
