package bed

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// podEnv resolves a container's environment as a kubelet would, without resource fields and references to Secrets and
// ConfigMaps.
func podEnv(pod *corev1.Pod, c *corev1.Container) map[string]string {
	env := map[string]string{}
	for _, e := range c.Env {
		switch {
		case e.ValueFrom == nil:
			env[e.Name] = expand(e.Value, env)
		case e.ValueFrom.FieldRef != nil:
			env[e.Name] = podField(pod, e.ValueFrom.FieldRef.FieldPath)
		}
	}
	return env
}

// expand replaces $(NAME) by earlier variables.
func expand(s string, env map[string]string) string {
	for name, value := range env {
		s = strings.ReplaceAll(s, "$("+name+")", value)
	}
	return s
}

func podField(pod *corev1.Pod, path string) string {
	if key, ok := inBrackets(path, "metadata.labels"); ok {
		return pod.Labels[key]
	}
	if key, ok := inBrackets(path, "metadata.annotations"); ok {
		return pod.Annotations[key]
	}
	switch path {
	case "metadata.name":
		return pod.Name
	case "metadata.namespace":
		return pod.Namespace
	case "metadata.uid":
		return string(pod.UID)
	case "spec.nodeName":
		return pod.Spec.NodeName
	case "spec.serviceAccountName":
		return pod.Spec.ServiceAccountName
	case "status.podIP":
		return pod.Status.PodIP
	case "status.hostIP":
		return "127.0.0.1"
	}
	return ""
}

func inBrackets(path, field string) (string, bool) {
	rest, ok := strings.CutPrefix(path, field+"['")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, "']")
}
