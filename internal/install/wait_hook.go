package install

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	registration "k8s.io/api/admissionregistration/v1"
	discovery "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/hint"
)

// hookFacts is where a webhook comes from and whether anybody is there to answer it.
type hookFacts struct {
	kind, config string // the configuration
	fails        bool   // what it would check is refused when it does not answer
	url          string // outside the cluster, when it has no service
	service      string // namespace/name
	missing      bool   // the service
	endpoints    int    // ready ones
	unread       bool   // service or endpoints could not be read
}

// errNoHook is for a webhook that no configuration has (any more).
var errNoHook = errors.New("no webhook configuration has it")

// findHook looks for the configuration that has a webhook, and for its service.
func findHook(ctx context.Context, c Reader, name string) (*hookFacts, error) {
	kind := func(k string) schema.GroupVersionKind {
		return schema.GroupVersionKind{Group: "admissionregistration.k8s.io", Version: "v1", Kind: k}
	}
	validating, err := listOf[registration.ValidatingWebhookConfiguration](ctx, c, kind("ValidatingWebhookConfiguration"), "", "")
	if err != nil {
		return nil, err
	}
	for _, v := range validating {
		for _, w := range v.Webhooks {
			if w.Name == name {
				return hookBehind(ctx, c, &hookFacts{kind: "ValidatingWebhookConfiguration", config: v.Name, fails: failing(w.FailurePolicy)}, w.ClientConfig), nil
			}
		}
	}
	mutating, err := listOf[registration.MutatingWebhookConfiguration](ctx, c, kind("MutatingWebhookConfiguration"), "", "")
	if err != nil {
		return nil, err
	}
	for _, m := range mutating {
		for _, w := range m.Webhooks {
			if w.Name == name {
				return hookBehind(ctx, c, &hookFacts{kind: "MutatingWebhookConfiguration", config: m.Name, fails: failing(w.FailurePolicy)}, w.ClientConfig), nil
			}
		}
	}
	return nil, errNoHook
}

func failing(p *registration.FailurePolicyType) bool { return p == nil || *p == registration.Fail }

// hookBehind adds what is behind a webhook.
func hookBehind(ctx context.Context, c Reader, h *hookFacts, to registration.WebhookClientConfig) *hookFacts {
	if to.URL != nil {
		h.url = *to.URL
	}
	if to.Service == nil {
		return h
	}
	h.service = to.Service.Namespace + "/" + to.Service.Name
	_, err := c.Get(ctx, schema.GroupVersionKind{Version: "v1", Kind: "Service"}, to.Service.Namespace, to.Service.Name)
	if h.missing = apierrors.IsNotFound(err); h.missing {
		return h
	}
	slices, listErr := listOf[discovery.EndpointSlice](ctx, c, schema.GroupVersionKind{Group: "discovery.k8s.io", Version: "v1", Kind: "EndpointSlice"},
		to.Service.Namespace, discovery.LabelServiceName+"="+to.Service.Name)
	h.unread = err != nil || listErr != nil
	for _, s := range slices {
		for _, e := range s.Endpoints {
			if e.Conditions.Ready == nil || *e.Conditions.Ready {
				h.endpoints++
			}
		}
	}
	return h
}

// String says whose webhook it is and whether somebody is behind it.
func (h *hookFacts) String() string {
	s := "it is in " + h.kind + " " + h.config
	switch {
	case h.url != "":
		return s + ", served by " + h.url
	case h.service == "":
		return s
	}
	s += ", served by Service " + h.service
	switch {
	case h.missing:
		return s + ", which is not there"
	case h.unread:
		return s
	case h.endpoints == 0:
		return s + ", which has no ready endpoints"
	}
	return s + fmt.Sprintf(", which has %s", count(h.endpoints, "ready endpoint"))
}

// next is what to do about a webhook that refuses, or does not answer.
func (h *hookFacts) next(reason string) string {
	describe := fmt.Sprintf("`kubectl describe %s %s`", strings.ToLower(h.kind), h.config)
	ns, name, _ := strings.Cut(h.service, "/")
	switch {
	case reason == "WebhookDenied":
		return "meet what it asks for, or ask its owner for an exception: " + describe
	case h.missing:
		return fmt.Sprintf("its server is gone: install it again, or remove what is left of it with `kubectl delete %s %s`", strings.ToLower(h.kind), h.config)
	case h.service != "" && h.endpoints == 0 && !h.unread:
		return fmt.Sprintf("see why its pods do not run: `kubectl get pods -n %s` and `kubectl describe service %s -n %s`", ns, name, ns)
	case h.service != "":
		return fmt.Sprintf("its pods are there and do not answer the API server: see their logs in namespace %s, and firewalls between API server and nodes; %s", ns, describe)
	}
	return "see whether its server runs: " + describe
}

// ExplainRefusal adds to an error of planning or applying whose webhook it was
// that refused or did not answer, and whether anybody is behind it. Other
// errors pass.
func ExplainRefusal(ctx context.Context, c Reader, err error) error {
	if err == nil || errors.Is(err, ErrGivenUp) || errors.Is(err, ErrNotReady) { // the wait has explained itself
		return err
	}
	text := err.Error()
	hook := hookIn(text)
	if hook == "" {
		return err
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), answerTimeout)
	defer stop()
	facts, findErr := findHook(ctx, c, hook)
	if findErr != nil {
		return err // what was found out already is still true
	}
	reason := "WebhookUnavailable"
	if slices.Contains(hookDenied.FindStringSubmatch(text), hook) {
		reason = "WebhookDenied"
	}
	return hint.Failf(facts.next(reason), "%w\n  webhook %q: %s", err, hook, facts)
}
