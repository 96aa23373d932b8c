package status

import (
	"fmt"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/meshctl/meshctl/internal/mesh"
)

// proxyState is how the container of a pod's proxy does; nil when its cluster
// does not say.
type proxyState struct{ *core.ContainerStatus }

func stateOf(pod *mesh.Object) proxyState {
	for _, field := range []string{"containerStatuses", "initContainerStatuses"} {
		list, _ := pod.Field("status", field).([]any)
		for _, item := range list {
			raw, _ := item.(map[string]any)
			if raw["name"] != mesh.ProxyContainer {
				continue
			}
			state := &core.ContainerStatus{}
			if runtime.DefaultUnstructuredConverter.FromUnstructured(raw, state) == nil {
				return proxyState{state}
			}
		}
	}
	return proxyState{}
}

// started is when the container was started last; ok is false while it does not run.
func (s proxyState) started() (at time.Time, ok bool) {
	if s.ContainerStatus == nil || s.State.Running == nil {
		return time.Time{}, false
	}
	return s.State.Running.StartedAt.Time, !s.State.Running.StartedAt.IsZero()
}

// ended says that the proxy has done its work, as one of a job.
func (s proxyState) ended() bool {
	return s.ContainerStatus != nil && s.State.Terminated != nil && s.State.Terminated.ExitCode == 0
}

// mayBeConnected says whether the proxy is in a state in which it can be
// connected to an istiod that did not answer.
func (s proxyState) mayBeConnected() bool {
	return s.ContainerStatus == nil || s.Ready
}

// cause is why a proxy is not connected, and what to do.
func (s proxyState) cause(pod *mesh.Object) (cause, hint string) {
	logs := fmt.Sprintf("kubectl logs %s -n %s -c %s", pod.Name, pod.Namespace, mesh.ProxyContainer)
	if s.ContainerStatus == nil {
		return "no istiod knows its proxy", logs
	}
	last := ""
	if t := s.LastTerminationState.Terminated; t != nil {
		last = fmt.Sprintf(", after it ended with exit code %d", t.ExitCode)
		if t.Reason != "" && t.Reason != "Error" {
			last += " (" + t.Reason + ")"
		}
	}
	switch {
	case s.State.Waiting != nil:
		return "its container istio-proxy does not run: " + s.State.Waiting.Reason + last, logs + " --previous"
	case s.State.Terminated != nil:
		return fmt.Sprintf("its container istio-proxy has ended with exit code %d", s.State.Terminated.ExitCode), logs
	case !s.Ready:
		return "its proxy is not ready: it waits for its configuration" + last, logs
	}
	return "its proxy runs, but no istiod knows it: it has lost its connection, or is connected to another control plane", logs
}
