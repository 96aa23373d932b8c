package install

import (
	"fmt"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// whyRefused is for what the API server said when a controller wanted to make a pod.
func (b *board) whyRefused(maker *unstructured.Unstructured, text string, evidence []Evidence) Reason {
	text = oneLine(strings.TrimPrefix(strings.TrimPrefix(text, "(combined from similar events): "), "Error creating: "))
	r := refusalOf(text, maker.GetNamespace())
	r.Object, r.Evidence = ident(maker), evidence
	if hook := hookIn(text); hook != "" {
		a, known := b.ask(question{about: aboutHook, name: hook})
		r.pending = !known
		if a.hook != nil {
			r.Message += "; " + a.hook.String()
			r.Next = a.hook.next(r.Reason)
		}
	}
	return r
}

// refusalOf sorts what the API server says when it refuses a pod.
func refusalOf(text, namespace string) Reason {
	short := text
	if _, rest, found := strings.Cut(text, "is forbidden: "); found {
		short = rest
	}
	r := Reason{Reason: "FailedCreate", Message: short, Next: "see `kubectl get events -n " + namespace + "`", Terminal: strings.Contains(text, "is forbidden: ")}
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(text, p) {
				return true
			}
		}
		return false
	}
	switch {
	case has("insufficient quota to match these scopes"):
		r.Reason, r.Terminal = "QuotaExceeded", true
		r.Next = "this priority class needs a ResourceQuota with its scope in " + namespace + " (as on GKE outside kube-system): create one, or install the component into kube-system"
	case has("exceeded quota"):
		r.Reason, r.Terminal = "QuotaExceeded", true
		r.Next = "see `kubectl describe resourcequota -n " + namespace + "`; raise the quota or lower the requests with --set"
	case has("failed quota", "must specify"):
		r.Reason, r.Terminal = "QuotaExceeded", true
		r.Next = "the quota of " + namespace + " wants requests and limits on every container: see `kubectl describe resourcequota,limitrange -n " + namespace + "`"
	case has("violates PodSecurity") && has("seccompProfile") && !has("hostPath", "NET_ADMIN", "runAsNonRoot"):
		r.Reason, r.Terminal = "PodSecurity", true
		r.Next = "give the pods a profile with --set values.pilot.seccompProfile.type=RuntimeDefault, or allow them with `kubectl label namespace " + namespace + " pod-security.kubernetes.io/enforce=baseline --overwrite`"
	case has("violates PodSecurity"):
		r.Reason, r.Terminal = "PodSecurity", true
		r.Next = "allow these pods with `kubectl label namespace " + namespace + " pod-security.kubernetes.io/enforce=privileged --overwrite`, or for gateways and sidecars use the CNI"
	case has("unable to validate against any security context constraint"):
		r.Reason, r.Terminal = "SecurityContextConstraint", true
		r.Next = "install with --profile openshift, or grant the service account a security context constraint (`oc adm policy add-scc-to-user`)"
	case has("failed calling webhook"):
		r.Reason, r.Terminal = "WebhookUnavailable", false
		r.Message = hookFailure(text)
		r.Next = "see whether the webhook's service runs: `kubectl get mutatingwebhookconfigurations,validatingwebhookconfigurations`"
	case has("ValidatingAdmissionPolicy"):
		r.Reason, r.Terminal = "PolicyDenied", true
		r.Next = "a policy of this cluster refuses the pod: see `kubectl get validatingadmissionpolicies,validatingadmissionpolicybindings`"
	case has("denied the request"):
		r.Reason, r.Terminal = "WebhookDenied", true
		r.Next = "a webhook refuses the pod: see `kubectl get mutatingwebhookconfigurations,validatingwebhookconfigurations`"
	case has("serviceaccount"): // may still come
		r.Terminal = false
		r.Next = "the pod's service account is missing: see `kubectl get serviceaccounts -n " + namespace + "`"
	}
	return r
}

var (
	hookDenied  = regexp.MustCompile(`admission webhook "([^"]+)" denied`)
	hookFailing = regexp.MustCompile(`failed calling webhook "([^"]+)"`)
)

// hookIn is the name of the webhook that a refusal comes from, or "".
func hookIn(text string) string {
	for _, re := range []*regexp.Regexp{hookDenied, hookFailing} {
		if m := re.FindStringSubmatch(text); m != nil {
			return m[1]
		}
	}
	return ""
}

// hookFailure is why a webhook could not be called, without the URL twice.
func hookFailure(text string) string {
	hook := hookIn(text)
	_, rest, _ := strings.Cut(text, "failed calling webhook")
	_, rest, _ = strings.Cut(rest, `": `)
	rest = strings.TrimPrefix(rest, "failed to call webhook: ")
	return fmt.Sprintf("webhook %q does not answer: %s", hook, rest)
}
