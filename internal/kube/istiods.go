package kube

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/hint"
)

// monitoringPort is where istiod answers debug requests from its own pod
// without credentials; what arrives by port-forward counts as that.
const monitoringPort = 15014

// Istiod is a running pod of the control plane.
type Istiod struct {
	Namespace, Name, Revision string
	// ClusterID is what it calls the cluster that it runs in, "" when it does not say.
	ClusterID string
	// Port is its monitoring port.
	Port int
}

// istiodSelector selects the pods of all istiods.
const istiodSelector = "app=istiod"

// NoIstiodError says that a cluster has no istiod, or none of a revision, in
// the namespace asked about: the control plane may run elsewhere.
type NoIstiodError struct{ sentence string }

// Error is the sentence.
func (e *NoIstiodError) Error() string { return e.sentence }

// Istiods are the running istiod pods of a namespace, of one revision or, when
// revision is "", of all, by name. A tag stands for the revision at which it
// points. Finding none is an error that says what is there instead.
func (c *Client) Istiods(ctx context.Context, namespace, revision string) ([]Istiod, error) {
	return c.SelectIstiods(ctx, namespace, revision, istiodSelector)
}

// SelectIstiods is [Client.Istiods] with a label selector of one's own.
func (c *Client) SelectIstiods(ctx context.Context, namespace, revision, selector string) ([]Istiod, error) {
	pods, err := c.PodsBySelector(ctx, namespace, selector)
	if err != nil {
		return nil, err
	}
	var running []Istiod
	var other, revisions []string
	for _, p := range pods {
		rev := p.Labels["istio.io/rev"]
		switch {
		case revision != "" && rev != revision:
			if !slices.Contains(revisions, rev) {
				revisions = append(revisions, rev)
			}
		case p.Status.Phase != corev1.PodRunning || p.DeletionTimestamp != nil:
			other = append(other, fmt.Sprintf("%s is %s", p.Name, orUnknown(string(p.Status.Phase))))
		default:
			running = append(running, Istiod{Namespace: p.Namespace, Name: p.Name, Revision: rev, ClusterID: clusterID(p), Port: istiodPort(p)})
		}
	}
	slices.SortFunc(running, func(a, b Istiod) int { return strings.Compare(a.Name, b.Name) })
	switch {
	case len(running) > 0:
		return running, nil
	case len(other) > 0:
		return nil, hint.Unanswerablef("`kubectl describe pods -n "+namespace+" -l "+selector+"` says why",
			"no istiod runs in namespace %q: %s", namespace, strings.Join(other, ", "))
	case len(revisions) > 0:
		if rev := c.tagged(ctx, revision); rev != "" && rev != revision && slices.Contains(revisions, rev) {
			return c.SelectIstiods(ctx, namespace, rev, selector)
		}
		return nil, hint.Unanswerablef("revisions there: "+strings.Join(revisions, ", "),
			"%w", &NoIstiodError{fmt.Sprintf("no istiod of revision %q runs in namespace %q", revision, namespace)})
	}
	return nil, hint.Unanswerablef("install Istio with `meshctl install`, or name the control plane's namespace with -i",
		"%w", &NoIstiodError{fmt.Sprintf("there is no istiod in namespace %q", namespace)})
}

// clusterID is the environment variable by which istiod knows its cluster.
func clusterID(p *corev1.Pod) string {
	for _, c := range p.Spec.Containers {
		for _, e := range c.Env {
			if e.Name == "CLUSTER_ID" {
				return e.Value
			}
		}
	}
	return ""
}

func istiodPort(p *corev1.Pod) int {
	if port, err := strconv.Atoi(p.Annotations["prometheus.io/port"]); err == nil && port > 0 {
		return port
	}
	return monitoringPort
}

// tagged is the revision at which a tag points, "" when there is no such tag or
// it may not be read.
func (c *Client) tagged(ctx context.Context, tag string) string {
	k, err := c.Kubernetes()
	if err != nil {
		return ""
	}
	list, err := k.AdmissionregistrationV1().MutatingWebhookConfigurations().List(ctx, metav1.ListOptions{LabelSelector: "istio.io/tag=" + tag})
	if err != nil || len(list.Items) == 0 {
		return ""
	}
	return list.Items[0].Labels["istio.io/rev"]
}
