package bed

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// podFault is a way in which a node's containers go wrong: what kwok, in the kubelet's place, says of the pods of a namespace.
type podFault struct {
	// phase and containers are the pod's status; initContainers too, if not empty: both in the body of a range over their specs.
	phase, containers, initContainers string
	// extra is more of the status, at its top level.
	extra string
	// event is told with every step.
	reason, message string
	// restarts says that every step is a restart.
	restarts bool
	// steps is how often the status changes: a container that is restarted.
	steps int
	// delay before the first step and between steps, in milliseconds.
	delay int
	// log is what the containers wrote.
	log string
}

const exited = `        state: {waiting: {reason: CrashLoopBackOff, message: "back-off 10s restarting failed container={{ .name }}"}}
        lastState: {terminated: {exitCode: %d, reason: %s, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }}, containerID: "bed://{{ .name }}"}}
`

// podFaults are the pod faults by mode.
func podFaults() map[Mode]podFault {
	const initializing = "        state: {waiting: {reason: PodInitializing}}\n"
	return map[Mode]podFault{
		CrashLoop: {phase: "Running", containers: fmt.Sprintf(exited, 1, "Error"), reason: "BackOff", message: "Back-off restarting failed container", restarts: true, steps: 5, delay: 500,
			log: "info\tFLAG: --meshConfig=\"./etc/istio/config/mesh\"\ninfo\tinitializing mesh networks\nerror\tfailed to create discovery service: error unmarshaling mesh config: unknown field \"acessLogFile\""},
		OOM: {phase: "Running", containers: fmt.Sprintf(exited, 137, "OOMKilled"), reason: "BackOff", message: "Back-off restarting failed container", restarts: true, steps: 5, delay: 500,
			log: "info\tStarting ADS server"},
		InitFailing: {phase: "Pending", containers: initializing, initContainers: fmt.Sprintf(exited, 2, "Error"), reason: "BackOff", message: "Back-off restarting failed container", restarts: true, steps: 5, delay: 500,
			log: "connecting to vault.acme.internal:8200\nfatal: x509: certificate has expired"},
		ProbeFailing: {phase: "Running", containers: "        started: true\n        state: {running: {startedAt: {{ $now | Quote }}}}\n",
			reason: "Unhealthy", message: "Readiness probe failed: HTTP probe failed with statuscode: 503", steps: 20, delay: 1000,
			log: "warn\tkube controller for cluster Kubernetes has not synced yet"},
		MissingConfig: {phase: "Pending", containers: "        state: {waiting: {reason: CreateContainerConfigError, message: 'secret \"istiod-tls\" not found'}}\n",
			reason: "Failed", message: `Error: secret "istiod-tls" not found`, steps: 1, delay: 300},
		Evicted: {phase: "Failed", extra: "      reason: Evicted\n      message: \"The node was low on resource: memory. Threshold quantity: 100Mi, available: 20Mi. \"\n",
			reason: "Evicted", message: "The node was low on resource: memory.", steps: 1, delay: 2000},
	}
}

// probingAnnotation is set on a pod by the runtime when its program runs and does not answer.
const probingAnnotation = "bed.meshctl.io/probing"

// probingStage is a pod whose program runs and is not ready: the kubelet's probes fail.
func probingStage() string {
	f := podFaults()[ProbeFailing]
	f.phase, f.steps = "Pending", 600 // Pending, so that it can still become ready
	return f.stageFor("probing", fmt.Sprintf("    - {key: '.metadata.annotations[%q]', operator: Exists}\n    - {key: '.metadata.annotations[%q]', operator: DoesNotExist}\n",
		probingAnnotation, startedAnnotation))
}

// faultyPods is a jq test of a pod: whether one of the faults rules it.
func faultyPods(faults map[Mode]string) string {
	if len(faults) == 0 {
		return "false"
	}
	namespaces := slices.Sorted(maps.Values(faults))
	return fmt.Sprintf(`(.metadata.namespace | test("^(%s)$"))`, strings.Join(namespaces, "|"))
}

// podFaultStages are the kwok stages of the faults there are now, by namespace.
func podFaultStages(now map[Mode]string) []string {
	var docs []string
	all := podFaults()
	for _, mode := range slices.Sorted(maps.Keys(now)) {
		docs = append(docs, all[mode].stage(mode, now[mode]))
	}
	return docs
}

// stage is one stage that matches itself again until its steps are done.
func (f podFault) stage(mode Mode, namespace string) string {
	return f.stageFor(string(mode), "    - {key: .metadata.namespace, operator: In, values: ["+namespace+"]}\n")
}

// stageFor is the stage for the pods that meet the requirements.
func (f podFault) stageFor(name, requirements string) string {
	statuses, restarts := "", "0"
	if f.restarts {
		restarts = "{{ $n }}"
	}
	list := func(name, specs, body string) string {
		return "      " + name + ":\n      {{ range " + specs + ` }}
      - image: {{ .image | Quote }}
        imageID: ""
        name: {{ .name | Quote }}
        ready: false
        restartCount: ` + restarts + `
` + body + "      {{ end }}\n"
	}
	if f.initContainers != "" {
		statuses += list("initContainerStatuses", ".spec.initContainers", f.initContainers)
	}
	if f.containers != "" {
		statuses += list("containerStatuses", ".spec.containers", f.containers)
	}
	return fmt.Sprintf(`apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: pod-%s}
spec:
  resourceRef: {apiGroup: v1, kind: Pod}
  selector:
    matchExpressions:
    - {key: .metadata.deletionTimestamp, operator: DoesNotExist}
    - {key: .spec.nodeName, operator: Exists}
%s    - {key: '((.metadata.annotations["bed.meshctl.io/steps"] // "0") | tonumber) < %d', operator: In, values: ['true']}
  delay: {durationMilliseconds: %d}
  next:
    event: {type: Warning, reason: %s, message: %q}
    patches:
    - subresource: ""
      root: metadata
      type: merge
      template: |
        annotations:
          bed.meshctl.io/steps: {{ add1 (index (default dict .metadata.annotations) "bed.meshctl.io/steps" | default "0" | int) | Quote }}
    - subresource: status
      root: status
      type: strategic
      template: |
`, name, requirements, f.steps, f.delay, f.reason, f.message) + indentBy("  ", `      {{ $now := Now }}
      {{ $n := index (default dict .metadata.annotations) "bed.meshctl.io/steps" | default "0" | int | add1 }}
      conditions:
      - {lastTransitionTime: {{ $now | Quote }}, status: "True", type: PodScheduled}
      - {lastTransitionTime: {{ $now | Quote }}, status: "True", type: Initialized}
      - {lastTransitionTime: {{ $now | Quote }}, status: "False", type: Ready, reason: ContainersNotReady}
      - {lastTransitionTime: {{ $now | Quote }}, status: "False", type: ContainersReady, reason: ContainersNotReady}
`+statuses+f.extra+"      phase: "+f.phase+"\n      startTime: {{ $now | Quote }}\n")
}

func indentBy(by, text string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i := range lines {
		lines[i] = by + lines[i]
	}
	return strings.Join(lines, "\n") + "\n"
}

// breakPods makes the pods of a namespace go wrong, or replaces those that did.
func (b *Bed) breakPods(ctx context.Context, m Mode, namespace string, broken bool) error {
	err := b.stages.set(ctx, func(s *stages) {
		if delete(s.podFaults, m); broken {
			s.podFaults[m] = namespace
		}
	})
	if err != nil || broken {
		return err
	}
	return b.client.CoreV1().Pods(namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{})
}

// faulty says whether kwok lets the pods of a namespace go wrong.
func (s *stages) faulty(namespace string) (podFault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var modes []Mode
	for m, ns := range s.podFaults {
		if ns == namespace {
			modes = append(modes, m)
		}
	}
	if len(modes) == 0 {
		return podFault{}, false
	}
	sort.Slice(modes, func(i, j int) bool { return modes[i] < modes[j] })
	return podFaults()[modes[0]], true
}

// breakSecurity has the API server enforce the strictest pod security standard in a namespace.
func (b *Bed) breakSecurity(ctx context.Context, namespace string, broken bool) error {
	if err := b.ensureNamespace(ctx, namespace); err != nil {
		return err
	}
	return retryConflict(func() error {
		ns, err := b.client.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if ns.Labels == nil {
			ns.Labels = map[string]string{}
		}
		if delete(ns.Labels, enforce); broken {
			ns.Labels[enforce] = "restricted"
		}
		_, err = b.client.CoreV1().Namespaces().Update(ctx, ns, metav1.UpdateOptions{})
		return err
	})
}

const enforce = "pod-security.kubernetes.io/enforce"

// breakClaim adds a claim, bed-data, whose storage class is not there.
func (b *Bed) breakClaim(ctx context.Context, namespace string, broken bool) error {
	claims := b.client.CoreV1().PersistentVolumeClaims(namespace)
	if !broken {
		return ignoreNotFound(claims.Delete(ctx, "bed-data", metav1.DeleteOptions{}))
	}
	if err := b.ensureNamespace(ctx, namespace); err != nil {
		return err
	}
	class := "fast-ssd"
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: "bed-data"}, Spec: corev1.PersistentVolumeClaimSpec{
		AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, StorageClassName: &class,
		Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: *oneGiB()}},
	}}
	_, err := claims.Create(ctx, claim, metav1.CreateOptions{})
	return ignoreExists(err)
}

func retryConflict(do func() error) error {
	for {
		if err := do(); !apierrors.IsConflict(err) {
			return err
		}
	}
}
