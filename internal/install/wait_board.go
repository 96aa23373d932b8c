package install

import (
	"fmt"
	"sort"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// board is the latest of every object that is followed. It is safe for use
// from several goroutines.
type board struct {
	// changed has a value when something is new; several changes may share it.
	changed chan struct{}
	now     func() time.Time

	mu      sync.Mutex
	objects map[string]*unstructured.Unstructured
	blinded map[string]error
	pulls   map[string]string // why an image could not be pulled, by pod and container
}

func newBoard() *board {
	return &board{changed: make(chan struct{}, 1), now: time.Now, objects: map[string]*unstructured.Unstructured{}, blinded: map[string]error{}, pulls: map[string]string{}}
}

func boardKey(kind, namespace, name string) string { return kind + "\x00" + namespace + "\x00" + name }

func (b *board) see(obj *unstructured.Unstructured, gone bool) {
	key := boardKey(obj.GetKind(), obj.GetNamespace(), obj.GetName())
	b.mu.Lock()
	b.notePulls(obj)
	if gone {
		delete(b.objects, key)
	} else {
		b.objects[key] = obj
	}
	b.mu.Unlock()
	b.wake()
}

// notePulls remembers why an image could not be pulled: the pod's status says
// so only for a moment, then only that the node will try again.
func (b *board) notePulls(obj *unstructured.Unstructured) {
	if obj.GetKind() != "Pod" {
		return
	}
	for _, list := range []string{"initContainerStatuses", "containerStatuses"} {
		for _, c := range containers(obj, list) {
			why := textAt(c, "state", "waiting", "message")
			if why != "" && textAt(c, "state", "waiting", "reason") == errImagePull {
				b.pulls[string(obj.GetUID())+textAt(c, "name")] = why
			}
		}
	}
}

// pull is why a container's image could not be pulled, or "".
func (b *board) pull(pod *unstructured.Unstructured, container string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pulls[string(pod.GetUID())+container]
}

// blind notes a kind that could not be followed.
func (b *board) blind(kind string, err error) {
	b.mu.Lock()
	b.blinded[kind] = err
	b.mu.Unlock()
	b.wake()
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

// blindness says which kinds could not be followed, a line each.
func (b *board) blindness() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var lines []string
	for kind, err := range b.blinded {
		lines = append(lines, fmt.Sprintf("  (%ss could not be read, so the reasons may be incomplete: %s)", kind, message(err)))
	}
	sort.Strings(lines)
	return lines
}
