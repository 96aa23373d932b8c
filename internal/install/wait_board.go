package install

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// board is the latest of every object that is followed, and the answers to
// what was asked besides. It is safe for use from several goroutines.
type board struct {
	// changed has a value when something is new; several changes may share it.
	changed   chan struct{}
	now       func() time.Time
	questions chan question

	mu      sync.Mutex
	objects map[string]*unstructured.Unstructured
	pods    map[string]*corev1.Pod
	events  map[types.UID]map[string]*corev1.Event // of an object, by name
	blinded map[string]error
	pulls   map[string]string // why an image could not be pulled, by pod and container
	answers map[question]*answer
	outage  error // why the API server does not answer; nil while it does
	since   time.Time
}

func newBoard() *board {
	return &board{
		changed: make(chan struct{}, 1), now: time.Now, questions: make(chan question, questionsAtOnce),
		objects: map[string]*unstructured.Unstructured{}, pods: map[string]*corev1.Pod{}, events: map[types.UID]map[string]*corev1.Event{},
		blinded: map[string]error{}, pulls: map[string]string{}, answers: map[question]*answer{},
	}
}

func boardKey(kind, namespace, name string) string { return kind + "\x00" + namespace + "\x00" + name }

func (b *board) see(obj *unstructured.Unstructured, gone bool) {
	b.mu.Lock()
	switch obj.GetKind() {
	case "Pod":
		b.seePod(obj, gone)
	case "Event":
		b.seeEvent(obj, gone)
	default:
		key := boardKey(obj.GetKind(), obj.GetNamespace(), obj.GetName())
		if b.objects[key] = obj; gone {
			delete(b.objects, key)
		}
	}
	b.mu.Unlock()
	b.wake()
}

func (b *board) seePod(obj *unstructured.Unstructured, gone bool) {
	key := boardKey("Pod", obj.GetNamespace(), obj.GetName())
	pod, err := typed[corev1.Pod](obj)
	if gone || err != nil {
		delete(b.pods, key)
		return
	}
	b.pods[key] = pod
	// The status says why an image could not be pulled only for a moment, then that the node will try again.
	for _, c := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if w := c.State.Waiting; w != nil && w.Reason == errImagePull && w.Message != "" {
			b.pulls[string(pod.UID)+c.Name] = w.Message
		}
	}
}

func (b *board) seeEvent(obj *unstructured.Unstructured, gone bool) {
	e, err := typed[corev1.Event](obj)
	if err != nil {
		return
	}
	about := e.InvolvedObject.UID
	if gone {
		delete(b.events[about], e.Name)
		return
	}
	if b.events[about] == nil {
		b.events[about] = map[string]*corev1.Event{}
	}
	b.events[about][e.Name] = e
}

func typed[T any](obj *unstructured.Unstructured) (*T, error) {
	var v T
	return &v, runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, &v)
}

// pull is why a container's image could not be pulled, or "".
func (b *board) pull(pod *corev1.Pod, container string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pulls[string(pod.UID)+container]
}

// blind notes a kind that could not be followed.
func (b *board) blind(kind string, err error) {
	b.mu.Lock()
	b.blinded[kind] = err
	b.mu.Unlock()
	b.wake()
}

// link notes that the API server does not answer, or with nil that it does again.
func (b *board) link(err error) {
	b.mu.Lock()
	if b.outage == nil || err == nil {
		b.since = b.now()
	}
	b.outage = err
	b.mu.Unlock()
	b.wake()
}

// unreachable is why the API server does not answer and since when, or nil.
func (b *board) unreachable() (error, time.Time) { //nolint:staticcheck // the error is what is asked for
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.outage, b.since
}

func (b *board) wake() {
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

// get is the latest of an object, or nil.
func (b *board) get(obj *unstructured.Unstructured) *unstructured.Unstructured {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.objects[boardKey(obj.GetKind(), obj.GetNamespace(), obj.GetName())]
}

// all are the objects of a kind in a namespace, by name.
func (b *board) all(kind, namespace string) []*unstructured.Unstructured {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []*unstructured.Unstructured
	for _, obj := range b.objects {
		if obj.GetKind() == kind && obj.GetNamespace() == namespace {
			list = append(list, obj)
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].GetName() < list[j].GetName() })
	return list
}

// podsOf are the pods that one of the owners made, by name.
func (b *board) podsOf(owners []*unstructured.Unstructured) []*corev1.Pod {
	b.mu.Lock()
	defer b.mu.Unlock()
	var pods []*corev1.Pod
	for _, pod := range b.pods {
		for _, ref := range pod.OwnerReferences {
			if slices.ContainsFunc(owners, func(o *unstructured.Unstructured) bool { return o.GetUID() == ref.UID }) {
				pods = append(pods, pod)
				break
			}
		}
	}
	sort.Slice(pods, func(i, j int) bool { return pods[i].Name < pods[j].Name })
	return pods
}

// lastEvent is the latest event about an object with one of these reasons that fits, or nil.
func (b *board) lastEvent(about types.UID, fits func(*corev1.Event) bool, reasons ...string) *corev1.Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	var last *corev1.Event
	for _, e := range b.events[about] {
		if !slices.Contains(reasons, e.Reason) || fits != nil && !fits(e) {
			continue
		}
		if last == nil || eventTime(last).Before(eventTime(e)) || eventTime(last).Equal(eventTime(e)) && last.Name < e.Name {
			last = e
		}
	}
	return last
}

// eventTime is when an event was last seen.
func eventTime(e *corev1.Event) time.Time {
	last := e.LastTimestamp.Time
	for _, t := range []time.Time{e.EventTime.Time, e.FirstTimestamp.Time, e.CreationTimestamp.Time} {
		if last.IsZero() {
			last = t
		}
	}
	if e.Series != nil && e.Series.LastObservedTime.After(last) {
		last = e.Series.LastObservedTime.Time
	}
	return last
}

// eventSince is when an event was first seen.
func eventSince(e *corev1.Event) time.Time {
	for _, t := range []time.Time{e.FirstTimestamp.Time, e.EventTime.Time, e.CreationTimestamp.Time} {
		if !t.IsZero() {
			return t
		}
	}
	return eventTime(e)
}

// proves is an event as evidence; none for nil.
func proves(events ...*corev1.Event) []Evidence {
	var all []Evidence
	for _, e := range events {
		if e == nil {
			continue
		}
		n := e.Count
		if e.Series != nil {
			n = max(n, e.Series.Count)
		}
		all = append(all, Evidence{Kind: evidenceEvent, Source: e.Reason, Text: strings.TrimPrefix(e.Message, "(combined from similar events): "), At: timeOf(eventTime(e)), Count: n})
	}
	return all
}

func timeOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// blindness says which kinds could not be followed, a line each.
func (b *board) blindness() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var lines []string
	for kind, err := range b.blinded {
		lines = append(lines, fmt.Sprintf("(%ss could not be read, so the reasons may be incomplete: %s)", kind, oneLine(message(err))))
	}
	sort.Strings(lines)
	return lines
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
