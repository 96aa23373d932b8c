package install

import "testing"

func TestWhyRefused(t *testing.T) {
	t.Parallel()
	const set = "ReplicaSet ns/istiod-2"
	for name, c := range map[string]whyCase{
		"quota": {
			seen:  []string{refusedSet(`pods "istiod-2-a" is forbidden: exceeded quota: mem, requested: limits.memory=2Gi, used: limits.memory=0, limited: limits.memory=1Gi`)},
			where: set, reason: "QuotaExceeded", says: "exceeded quota: mem, requested: limits.memory=2Gi, used: limits.memory=0, limited: limits.memory=1Gi",
			next: "kubectl describe resourcequota -n ns", terminal: true,
			proof: `condition ReplicaFailure=True (10s ago): pods "istiod-2-a" is forbidden: exceeded quota: mem, requested: limits.memory=2Gi, used: limits.memory=0, limited: limits.memory=1Gi`,
		},
		"quota, told by the deployment": {
			of:    `{apiVersion: apps/v1, kind: Deployment, metadata: {name: istiod, namespace: ns, uid: d, generation: 1, annotations: {deployment.kubernetes.io/revision: "2"}}, status: {observedGeneration: 1, conditions: [{type: ReplicaFailure, status: "True", reason: FailedCreate, message: "Error creating: exceeded quota: mem"}]}}`,
			where: set, reason: "QuotaExceeded", says: "exceeded quota: mem", next: "raise the quota", terminal: true,
		},
		"quota of a priority class": {
			seen:  []string{refusedSet(`pods "cni-a" is forbidden: insufficient quota to match these scopes: [{PriorityClass In [system-node-critical]}]`)},
			where: set, reason: "QuotaExceeded", says: "insufficient quota to match these scopes: [{PriorityClass In [system-node-critical]}]", next: "kube-system", terminal: true,
		},
		"pod security, told by an event": {
			of: whyDaemonSet, seen: []string{event("r", "FailedCreate", `Error creating: pods \"cni-x\" is forbidden: violates PodSecurity \"restricted:latest\": hostPath volumes`)},
			where: "DaemonSet ns/cni", reason: "PodSecurity", says: `violates PodSecurity "restricted:latest": hostPath volumes`, next: "kubectl label namespace ns pod-security.kubernetes.io/enforce=privileged", terminal: true,
		},
		"pod security that a setting meets": {
			seen:  []string{refusedSet(`pods "x" is forbidden: violates PodSecurity "restricted:latest": seccompProfile (pod or container "discovery" must set it)`)},
			where: set, reason: "PodSecurity", says: `violates PodSecurity "restricted:latest": seccompProfile (pod or container "discovery" must set it)`, next: "--set values.pilot.seccompProfile.type=RuntimeDefault", terminal: true,
		},
		"policy": {
			seen:  []string{refusedSet(`pods "x" is forbidden: ValidatingAdmissionPolicy "no-latest" with binding "all" denied request: no`)},
			where: set, reason: "PolicyDenied", says: `ValidatingAdmissionPolicy "no-latest" with binding "all" denied request: no`, next: "validatingadmissionpolicies", terminal: true,
		},
		"webhook that refuses": {
			seen:  []string{refusedSet(`admission webhook "hook.acme.io" denied the request: not on a Friday`)},
			asked: []string{hookConfig, `{apiVersion: v1, kind: Service, metadata: {name: guard, namespace: acme}}`, `{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: g, namespace: acme, labels: {kubernetes.io/service-name: guard}}, endpoints: [{addresses: [10.0.0.1], conditions: {ready: true}}]}`},
			where: set, reason: "WebhookDenied", terminal: true, next: "kubectl describe validatingwebhookconfiguration acme",
			says: `admission webhook "hook.acme.io" denied the request: not on a Friday; it is in ValidatingWebhookConfiguration acme, served by Service acme/guard, which has 1 ready endpoint`,
		},
		"webhook without its service": {
			seen:  []string{refusedSet(`Internal error occurred: failed calling webhook "hook.acme.io": failed to call webhook: Post "https://guard.acme.svc:443/?timeout=10s": service "guard" not found`)},
			asked: []string{hookConfig},
			where: set, reason: "WebhookUnavailable", next: "kubectl delete validatingwebhookconfiguration acme",
			says: `webhook "hook.acme.io" does not answer: Post "https://guard.acme.svc:443/?timeout=10s": service "guard" not found; it is in ValidatingWebhookConfiguration acme, served by Service acme/guard, which is not there`,
		},
		"webhook without endpoints": {
			seen:  []string{refusedSet(`Internal error occurred: failed calling webhook "hook.acme.io": failed to call webhook: Post "https://guard.acme.svc:443/": no endpoints available for service "guard"`)},
			asked: []string{hookConfig, `{apiVersion: v1, kind: Service, metadata: {name: guard, namespace: acme}}`},
			where: set, reason: "WebhookUnavailable", next: "kubectl get pods -n acme",
			says: `webhook "hook.acme.io" does not answer: Post "https://guard.acme.svc:443/": no endpoints available for service "guard"; it is in ValidatingWebhookConfiguration acme, served by Service acme/guard, which has no ready endpoints`,
		},
		"service account to come": {
			seen:  []string{refusedSet(`pods "x" is forbidden: error looking up service account ns/istiod: serviceaccount "istiod" not found`)},
			where: set, reason: "FailedCreate", says: `error looking up service account ns/istiod: serviceaccount "istiod" not found`, next: "kubectl get serviceaccounts -n ns",
		},
		"limit range": {
			seen:  []string{refusedSet(`pods "x" is forbidden: minimum cpu usage per Container is 1, but request is 500m`)},
			where: set, reason: "FailedCreate", says: "minimum cpu usage per Container is 1, but request is 500m", terminal: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.check(t)
		})
	}
}
