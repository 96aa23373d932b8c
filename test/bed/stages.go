package bed

import (
	"fmt"
	"strconv"
	"strings"

	nodefast "sigs.k8s.io/kwok/kustomize/stage/node/fast"
	nodelease "sigs.k8s.io/kwok/kustomize/stage/node/heartbeat-with-lease"
	podfast "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
	"sigs.k8s.io/yaml"
)

// startedAnnotation is set on a pod by the runtime once its program answers; until then kwok leaves the pod Pending.
const startedAnnotation = "bed.meshctl.io/started"

// unpullable is a jq test of an image. Names under .invalid never resolve, so such an image is never there (RFC 2606).
func unpullable(pattern string) string {
	expr := `(test("^[^/]*[.]invalid(:[0-9]+)?/"))`
	if pattern != "" {
		expr = fmt.Sprintf(`(%s or test(%s))`, expr, strconv.Quote(pattern))
	}
	return expr
}

// unpullableGo is the same test as a regular expression for kwok's templates.
func unpullableGo(pattern string) string {
	re := `^[^/]*[.]invalid(:[0-9]+)?/`
	if pattern != "" {
		re += "|" + pattern
	}
	return re
}

// expression is one requirement of a stage's selector: a jq query whose results must, or must not, be among values.
type expression struct {
	Key      string   `json:"key"`
	Operator string   `json:"operator"`
	Values   []string `json:"values,omitempty"`
}

// stageConfig is kwok's configuration: its own fast stages, with pods of programs held back until these run, plus what
// the bed breaks.
func stageConfig(nodesNotReady bool, pattern, heldBack string, faults map[Mode]string) (string, error) {
	faulty := faultyPods(faults)
	badImage := fmt.Sprintf(`(%s | not) and ([.spec.containers[].image, (.spec.initContainers // [])[].image] | any(%s))`, faulty, unpullable(pattern))
	docs := []string{podfast.DefaultPodComplete, podfast.DefaultPodDelete}
	held := fmt.Sprintf(`(%s | not) and (%s) and (.metadata.annotations[%q] == null)`, faulty, heldBack, startedAnnotation)
	podReady, err := keepAddress(podfast.DefaultPodReady)
	if err != nil {
		return "", err
	}
	ready, err := withExpressions(podReady,
		expression{Key: held, Operator: "NotIn", Values: []string{"true"}},
		expression{Key: faulty, Operator: "NotIn", Values: []string{"true"}},
		expression{Key: badImage, Operator: "NotIn", Values: []string{"true"}})
	if err != nil {
		return "", err
	}
	docs = append(docs, ready, fmt.Sprintf(podStartingStage, held, badImage), imagePullStage(badImage, pattern, "ErrImagePull"), imagePullStage(badImage, pattern, "ImagePullBackOff"))
	docs = append(docs, probingStage())
	docs = append(docs, podFaultStages(faults)...)
	if nodesNotReady {
		docs = append(docs, nodeNotReadyStage)
	} else {
		docs = append(docs, nodefast.DefaultNodeInit, nodelease.DefaultNodeHeartbeatWithLease)
	}
	return strings.Join(docs, "\n---\n"), nil
}

// keepAddress makes the stage take a new address only for a pod that has none: kwok would give it a second one.
func keepAddress(stage string) (string, error) {
	const take = "{{ $podIPs := PodIPsWith "
	before, rest, ok := strings.Cut(stage, take)
	call, after, closed := strings.Cut(rest, "}}")
	if !ok || !closed {
		return "", fmt.Errorf("kwok's pod-ready stage no longer takes an address by %q", take)
	}
	return before + "{{ $podIPs := list }}{{ if not .status.podIP }}{{ $podIPs = PodIPsWith " + call + "}}{{ end }}" + after, nil
}

// withExpressions adds requirements to the selector of a stage.
func withExpressions(stage string, more ...expression) (string, error) {
	var doc map[string]any
	if err := yaml.Unmarshal([]byte(stage), &doc); err != nil {
		return "", err
	}
	spec, _ := doc["spec"].(map[string]any)
	selector, _ := spec["selector"].(map[string]any)
	list, ok := selector["matchExpressions"].([]any)
	if !ok {
		return "", fmt.Errorf("stage has no spec.selector.matchExpressions: %s", stage)
	}
	for _, e := range more {
		list = append(list, e)
	}
	selector["matchExpressions"] = list
	out, err := yaml.Marshal(doc)
	return string(out), err
}

// waitingContainers begins the status of a pod on a node whose containers have not started; what follows is their state,
// and the end of the range over them.
const waitingContainers = `      {{ $now := Now }}
      conditions:
      - {lastTransitionTime: {{ $now | Quote }}, status: "True", type: PodScheduled}
      - {lastTransitionTime: {{ $now | Quote }}, status: "True", type: Initialized}
      - {lastTransitionTime: {{ $now | Quote }}, status: "False", type: Ready, reason: ContainersNotReady}
      - {lastTransitionTime: {{ $now | Quote }}, status: "False", type: ContainersReady, reason: ContainersNotReady}
      containerStatuses:
      {{ range .spec.containers }}
      - image: {{ .image | Quote }}
        imageID: ""
        name: {{ .name | Quote }}
        ready: false
        started: false
        restartCount: 0
`

// podStartingStage gives a pod that waits for its program an address, as it has before its containers run.
const podStartingStage = `apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: pod-starting}
spec:
  resourceRef: {apiGroup: v1, kind: Pod}
  selector:
    matchExpressions:
    - {key: .metadata.deletionTimestamp, operator: DoesNotExist}
    - {key: .status.phase, operator: In, values: [Pending]}
    - {key: .status.podIP, operator: DoesNotExist}
    - {key: '%s', operator: In, values: ['true']}
    - {key: '%s', operator: NotIn, values: ['true']}
  next:
    statusTemplate: |
` + waitingContainers + `        state: {waiting: {reason: ContainerCreating}}
      {{ end }}
      {{ $hostIPs := NodeIPsWith .spec.nodeName }}
      {{ with $hostIPs }}
      hostIP: {{ index . 0 | Quote }}
      hostIPs:
      {{ range . }}
      - ip: {{ . | Quote }}
      {{ end }}
      {{ end }}
      {{ $podIPs := PodIPsWith .spec.nodeName ( or .spec.hostNetwork false ) ( or .metadata.uid "" ) ( or .metadata.name "" ) ( or .metadata.namespace "" ) }}
      {{ with $podIPs }}
      podIP: {{ index . 0 | Quote }}
      podIPs:
      {{ range . }}
      - ip: {{ . | Quote }}
      {{ end }}
      {{ end }}
      phase: Pending
      startTime: {{ $now | Quote }}
`

// imagePullStage leaves a pod waiting with reason; the second reason follows the first, as a kubelet alternates them.
func imagePullStage(badImage, pattern, reason string) string {
	waiting := `.status | [.containerStatuses[]?, .initContainerStatuses[]?] | .[].state.waiting.reason`
	before := "- {key: '" + waiting + "', operator: NotIn, values: [ErrImagePull, ImagePullBackOff]}"
	message := `failed to pull and unpack image \"{{ .image }}\": failed to resolve reference \"{{ .image }}\": {{ .image }}: not found`
	event := `Failed to pull image: rpc error: code = NotFound desc = failed to resolve reference: not found`
	if reason == "ImagePullBackOff" {
		before, message = "- {key: '"+waiting+"', operator: In, values: [ErrImagePull]}", `Back-off pulling image \"{{ .image }}\"`
		event = "Error: ImagePullBackOff"
	}
	return fmt.Sprintf(`apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: pod-%s}
spec:
  resourceRef: {apiGroup: v1, kind: Pod}
  selector:
    matchExpressions:
    - {key: .metadata.deletionTimestamp, operator: DoesNotExist}
    - {key: .status.phase, operator: In, values: [Pending]}
    - {key: '%s', operator: In, values: ['true']}
    %s
  delay: {durationMilliseconds: 300}
  next:
    event: {type: Warning, reason: Failed, message: %q}
    statusTemplate: |
`+waitingContainers+`        state:
          waiting:
      {{ if regexMatch %q .image }}
            reason: %s
            message: "%s"
      {{ else }}
            reason: ContainerCreating
      {{ end }}
      {{ end }}
      phase: Pending
      startTime: {{ $now | Quote }}
`, strings.ToLower(reason), badImage, before, event, unpullableGo(pattern), reason, message)
}

// nodeNotReadyStage is a node whose network plugin never comes up: registered, leased, never Ready.
const nodeNotReadyStage = `apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: node-not-ready}
spec:
  resourceRef: {apiGroup: v1, kind: Node}
  selector:
    matchExpressions:
    - {key: '.status.conditions.[] | select( .type == "Ready" ) | .status', operator: NotIn, values: ['False']}
  next:
    statusTemplate: |
      {{ $now := Now }}
      conditions:
      - type: Ready
        status: "False"
        reason: KubeletNotReady
        message: "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized"
        lastHeartbeatTime: {{ $now | Quote }}
        lastTransitionTime: {{ $now | Quote }}
      {{ range NodeConditions }}
      {{ if ne .type "Ready" }}
      - lastHeartbeatTime: {{ $now | Quote }}
        lastTransitionTime: {{ $now | Quote }}
        message: {{ .message | Quote }}
        reason: {{ .reason | Quote }}
        status: {{ .status | Quote }}
        type: {{ .type | Quote }}
      {{ end }}
      {{ end }}
      addresses:
      - {address: {{ NodeIP | Quote }}, type: InternalIP}
      - {address: {{ NodeName | Quote }}, type: Hostname}
      daemonEndpoints:
        kubeletEndpoint: {Port: {{ NodePort }}}
      allocatable: {cpu: 1k, memory: 1Ti, pods: 1M}
      capacity: {cpu: 1k, memory: 1Ti, pods: 1M}
      phase: Running
`
