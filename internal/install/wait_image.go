package install

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// errImagePull is the reason right after an image could not be pulled.
const errImagePull = "ErrImagePull"

func isPullReason(reason string) bool {
	return slices.Contains([]string{errImagePull, "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable", "ImageInspectError", "SignatureValidationFailed"}, reason)
}

// pullTrouble is what a registry's answer comes down to.
type pullTrouble struct {
	// signs are in the answer, in lower case.
	signs    []string
	terminal bool
	next     string
}

// pullTroubles in the order in which they are looked for: what passes first,
// as its text may quote the rest.
func pullTroubles() []pullTrouble {
	return []pullTrouble{
		{[]string{"toomanyrequests", "too many requests", "rate limit", " 429"}, false,
			"the registry limits pulls: it goes on by itself in time; log in with --set values.global.imagePullSecrets[0]=SECRET, or pull from another registry with --set hub=HOST/PATH"},
		{[]string{"no such host", "server misbehaving", "i/o timeout", "deadline exceeded", "tls handshake timeout", "connection refused", "connection reset", "no route to host", "network is unreachable",
			"unexpected eof", " 500 ", " 502 ", " 503 ", " 504 ", "temporary failure"}, false,
			"the nodes do not reach the registry: see to DNS, firewall and proxy, or pull from another registry with --set hub=HOST/PATH"},
		{[]string{"x509", "certificate"}, false, "the nodes do not trust the registry's certificate: see to their CA bundle"},
		{[]string{"pull access denied", "unauthorized", "authentication required", "authorization failed", "access denied", "denied:", "403 forbidden", "401 unauthorized", "no basic auth"}, true,
			"the registry does not give it to the nodes: is the name right (--set hub=HOST/PATH, --set tag=TAG), and do they log in (--set values.global.imagePullSecrets[0]=SECRET)?"},
		{[]string{"not found", "notfound", "manifest unknown", "name unknown", "does not exist", "no match for platform"}, true,
			"the registry has no such image: check --set hub=HOST/PATH and --set tag=TAG, and that a mirror holds it for the nodes' platform"},
	}
}

// whyImage names the image that cannot be pulled, and the registry's answer.
func (b *board) whyImage(pod *corev1.Pod, c corev1.ContainerStatus) Reason {
	image := imageOf(pod, c)
	w := c.State.Waiting
	r := Reason{Object: podIdent(pod), Container: c.Name, Reason: w.Reason, Message: "image " + image + " cannot be pulled",
		Next: "check that the nodes can pull " + image + "; another registry or version goes with --set hub=...,tag=..."}
	event := b.lastEvent(pod.UID, func(e *corev1.Event) bool {
		return strings.Contains(e.Message, "Failed to pull image") && (e.InvolvedObject.FieldPath == "" || strings.Contains(e.InvolvedObject.FieldPath, "{"+c.Name+"}"))
	}, "Failed")
	told := b.pull(pod, c.Name)
	if told == "" && event != nil {
		told = event.Message
	}
	switch {
	case w.Reason == "InvalidImageName":
		r.Message, r.Terminal = image+" is no image name: "+oneLine(w.Message), true
		r.Next = "set hub, tag or image to what a registry can be asked for"
		return r
	case w.Reason == "ErrImageNeverPull":
		r.Message, r.Terminal = "image "+image+" is not on the node, and imagePullPolicy Never forbids to pull it", true
		return r
	case told == "":
		told = w.Message
	default:
		r.Reason = errImagePull
	}
	if answer := pullAnswer(told, image); answer != "" {
		r.Message += ": " + answer
	}
	lower := strings.ToLower(told)
	for _, t := range pullTroubles() {
		if slices.ContainsFunc(t.signs, func(s string) bool { return strings.Contains(lower, s) }) {
			r.Next, r.Terminal = t.next, t.terminal
			break
		}
	}
	if r.Evidence = proves(event); r.Evidence == nil && told != "" {
		r.Evidence = []Evidence{{Kind: evidenceStatus, Source: r.Reason, Text: oneLine(told)}}
	}
	return r
}

func imageOf(pod *corev1.Pod, c corev1.ContainerStatus) string {
	for _, spec := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		if spec.Name == c.Name && spec.Image != "" {
			return spec.Image
		}
	}
	return orElse(c.Image, "of container "+c.Name)
}

// pullAnswer is what the registry said, without the runtime's steps on the way there.
func pullAnswer(told, image string) string {
	told = oneLine(told)
	if i := strings.LastIndex(told, image); i >= 0 {
		if rest := strings.TrimLeft(told[i+len(image):], `"': `); rest != "" {
			told = rest
		}
	}
	if _, rest, found := strings.Cut(told, " desc = "); found {
		told = rest
	}
	if strings.HasPrefix(told, "Back-off pulling image") {
		return ""
	}
	return told
}
