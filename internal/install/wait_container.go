package install

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const (
	crashLoop = "CrashLoopBackOff"
	oomKilled = "OOMKilled"
	// crashesForGood is after how many restarts a crash is no passing trouble.
	crashesForGood = 3
	// stays is how long a restarted container must run before its crashes are over.
	stays = 10 * time.Second
	// probesMayFail is how long a container may start before failing probes are worth a word.
	probesMayFail = 5 * time.Second
)

// whyContainer is for containers that cannot start, do not stay or do not
// become ready. passing says that the container is to end by itself.
func (b *board) whyContainer(pod *corev1.Pod, c corev1.ContainerStatus, passing bool) (Reason, bool) {
	waiting := c.State.Waiting
	switch {
	case waiting != nil && isPullReason(waiting.Reason):
		return b.whyImage(pod, c), true
	case waiting != nil && slices.Contains([]string{"CreateContainerConfigError", "CreateContainerError"}, waiting.Reason):
		return b.whyNotCreated(pod, c), true
	case waiting != nil && waiting.Reason == crashLoop, b.crashed(c):
		return b.whyCrash(pod, c, passing), true
	case waiting != nil && !slices.Contains([]string{"", "PodInitializing", "ContainerCreating"}, waiting.Reason):
		return Reason{Object: podIdent(pod), Container: c.Name, Reason: waiting.Reason, Message: orElse(oneLine(waiting.Message), "the container cannot start"),
			Evidence: proves(b.eventOf(pod, c.Name, "Failed", "FailedPostStartHook")), Next: "see `kubectl describe " + podTarget(pod) + "`"}, true
	case c.State.Running != nil && !c.Ready && !passing:
		return b.whyUnhealthy(pod, c)
	}
	return Reason{}, false
}

// crashed says whether a container has just ended badly, or was started again
// so lately that it may do the same.
func (b *board) crashed(c corev1.ContainerStatus) bool {
	if t := c.State.Terminated; t != nil {
		return t.ExitCode != 0
	}
	last := c.LastTerminationState.Terminated
	return c.State.Running != nil && !c.Ready && last != nil && last.ExitCode != 0 &&
		b.now().Sub(c.State.Running.StartedAt.Time) < stays
}

// whyCrash names how a container ended, with the last it wrote.
func (b *board) whyCrash(pod *corev1.Pod, c corev1.ContainerStatus, passing bool) Reason {
	ended := c.State.Terminated
	q := question{about: aboutLog, namespace: pod.Namespace, name: pod.Name, container: c.Name, turn: c.RestartCount}
	if ended == nil {
		ended, q.previous = c.LastTerminationState.Terminated, true
	}
	logs := fmt.Sprintf("kubectl logs %s -n %s -c %s", pod.Name, pod.Namespace, c.Name)
	if q.previous {
		logs += " --previous"
	}
	r := Reason{Object: podIdent(pod), Container: c.Name, Reason: crashLoop, Terminal: c.RestartCount >= crashesForGood,
		Message: lastExit(c, ended), Next: "read what it wrote before it ended: `" + logs + "`"}
	if passing {
		r.Message = "init container " + c.Name + ": " + r.Message
	}
	if ended != nil {
		r.Evidence = append(r.Evidence, exitEvidence(ended))
	}
	if ended != nil && ended.Reason == oomKilled {
		r.Reason = oomKilled
		limit := "its node could give"
		if m := memoryLimit(pod, c.Name); m != "" {
			limit = "its limit of " + m
		}
		r.Message = "killed for using more memory than " + limit + restartedText(c)
		r.Next = "raise resources.limits.memory of container " + c.Name + " (components.NAME.k8s.resources, or the values of its chart)"
	}
	r.Evidence = append(r.Evidence, proves(b.eventOf(pod, c.Name, "Unhealthy", "Killing"), b.eventOf(pod, c.Name, "BackOff"))...)
	a, known := b.ask(q)
	r.pending = !known
	if strings.TrimSpace(a.log) != "" {
		r.Evidence = append(r.Evidence, Evidence{Kind: evidenceLog, Source: "log of container " + c.Name + ", last lines", Text: clip(a.log)})
	} else if a.err != nil {
		r.Evidence = append(r.Evidence, Evidence{Kind: evidenceLog, Source: "log of container " + c.Name, Text: "(not readable: " + oneLine(message(a.err)) + ")"})
	}
	return r
}

func exitEvidence(t *corev1.ContainerStateTerminated) Evidence {
	text := fmt.Sprintf("exit code %d", t.ExitCode)
	if t.Reason != "" {
		text += ", reason " + t.Reason
	}
	return Evidence{Kind: evidenceStatus, Source: "terminated", Text: text, At: timeOf(t.FinishedAt.Time)}
}

// lastExit says how a container ended.
func lastExit(c corev1.ContainerStatus, t *corev1.ContainerStateTerminated) string {
	if t == nil {
		if w := c.State.Waiting; w != nil && w.Message != "" {
			return oneLine(w.Message)
		}
		return "the container ends again and again"
	}
	s := fmt.Sprintf("exited with code %d", t.ExitCode)
	if t.ExitCode == 0 {
		s = "ended by itself (exit code 0), though it should stay"
	}
	if t.Reason != "" && t.Reason != "Error" && t.Reason != "Completed" {
		s += " (" + t.Reason + ")"
	}
	if t.Message != "" {
		s += ": " + oneLine(t.Message)
	}
	return s + restartedText(c)
}

func restartedText(c corev1.ContainerStatus) string {
	if c.RestartCount == 0 {
		return ""
	}
	return fmt.Sprintf("; restarts: %d", c.RestartCount)
}

func memoryLimit(pod *corev1.Pod, container string) string {
	for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		if m, ok := c.Resources.Limits[corev1.ResourceMemory]; ok && c.Name == container {
			return m.String()
		}
	}
	return ""
}

// whyUnhealthy is for containers that run and whose probes fail, for longer
// than any start takes.
func (b *board) whyUnhealthy(pod *corev1.Pod, c corev1.ContainerStatus) (Reason, bool) {
	e := b.eventOf(pod, c.Name, "Unhealthy", "ProbeWarning")
	if e == nil || b.now().Sub(eventSince(e)) < probesMayFail {
		return Reason{}, false
	}
	logs := fmt.Sprintf("see what it says: `kubectl logs %s -n %s -c %s`", pod.Name, pod.Namespace, c.Name)
	r := Reason{Object: podIdent(pod), Container: c.Name, Reason: e.Reason, Message: oneLine(e.Message) + restartedText(c), Evidence: proves(e), Next: logs}
	if c.Name == "istio-proxy" {
		r.Next += "; a proxy is ready once it has its configuration from istiod: does that answer? `meshctl proxy-status`"
	}
	a, known := b.ask(question{about: aboutLog, namespace: pod.Namespace, name: pod.Name, container: c.Name, turn: c.RestartCount, running: true})
	r.pending = !known
	if strings.TrimSpace(a.log) != "" {
		r.Evidence = append(r.Evidence, Evidence{Kind: evidenceLog, Source: "log of container " + c.Name + ", last lines", Text: clip(a.log)})
	}
	return r, true
}

// eventOf is the latest event about a container of a pod, or one that names no container.
func (b *board) eventOf(pod *corev1.Pod, container string, reasons ...string) *corev1.Event {
	return b.lastEvent(pod.UID, func(e *corev1.Event) bool {
		path := e.InvolvedObject.FieldPath
		return path == "" || strings.HasSuffix(path, "{"+container+"}")
	}, reasons...)
}

// whyNotCreated is for containers whose configuration does not hold together.
func (b *board) whyNotCreated(pod *corev1.Pod, c corev1.ContainerStatus) Reason {
	w := c.State.Waiting
	r := Reason{Object: podIdent(pod), Container: c.Name, Reason: w.Reason, Message: orElse(oneLine(w.Message), "the container cannot be created"),
		Evidence: proves(b.eventOf(pod, c.Name, "Failed")), Next: "see `kubectl describe " + podTarget(pod) + "`",
		Terminal: w.Reason == "CreateContainerConfigError"}
	if kind, name := missing(w.Message); kind != "" {
		r.Message = fmt.Sprintf("it needs %s %s/%s, which is not there", kind, pod.Namespace, name)
		r.Next = nextForMissing(kind, name, pod)
		if r.Evidence == nil {
			r.Evidence = []Evidence{{Kind: evidenceStatus, Source: w.Reason, Text: oneLine(w.Message)}}
		}
	}
	return r
}

var missingObject = regexp.MustCompile(`(?i)\b(secret|configmap) "([^"]+)" not found`)

// missing is the Secret or ConfigMap that a message misses, or "".
func missing(message string) (kind, name string) {
	m := missingObject.FindStringSubmatch(message)
	if m == nil {
		return "", ""
	}
	if kind = "ConfigMap"; strings.EqualFold(m[1], "secret") {
		kind = "Secret"
	}
	return kind, m[2][strings.LastIndex(m[2], "/")+1:]
}

func nextForMissing(kind, name string, pod *corev1.Pod) string {
	create := "kubectl create configmap " + name
	if kind == "Secret" {
		create = "kubectl create secret generic " + name
	}
	return fmt.Sprintf("create it (`%s -n %s ...`), or take it out of the values that name it; then the pod starts by itself", create, pod.Namespace)
}

// clip keeps the last lines of a log, each within bounds; of lines that only
// differ in numbers, such as their time, the last.
func clip(log string) string {
	var lines []string
	last, again := "", 0
	for l := range strings.Lines(log) {
		l = strings.TrimSpace(strings.Map(printable, l))
		if l == "" {
			continue
		}
		same := counts.ReplaceAllString(l, "")
		if r := []rune(l); len(r) > logLineWidth {
			l = string(r[:logLineWidth]) + "..."
		}
		if again++; same != last || len(lines) == 0 {
			lines, last, again = append(lines, l), same, 1
		} else {
			lines[len(lines)-1] = fmt.Sprintf("%s (%d lines like this)", l, again)
		}
	}
	return strings.Join(lines[max(0, len(lines)-logLines):], "\n")
}

// printable leaves out what would steer a terminal.
func printable(r rune) rune {
	if r < ' ' && r != '\t' || r == 0x7f {
		return -1
	}
	return r
}
