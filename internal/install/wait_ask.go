package install

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// LogReader is a cluster that can show what containers wrote. An install whose
// cluster cannot explains crashes without it.
type LogReader interface {
	// Logs are the last lines of a container; previous means of its run before this one.
	Logs(ctx context.Context, namespace, pod, container string, previous bool, lines int) (string, error)
}

// question is something about the cluster that is only asked when a reason
// needs it. Its fields beyond about depend on about.
type question struct {
	about                      string
	namespace, name, container string
	// previous is for logs: of the run before the present one.
	previous bool
	// running is for logs that grow.
	running bool
	// turn makes a new question of the same one: a container's restarts.
	turn int32
}

const (
	aboutNodes   = "nodes"
	aboutLog     = "log"     // of the last run of a container
	aboutHook    = "webhook" // by its name within a configuration
	aboutClaims  = "claims"  // PersistentVolumeClaims of a namespace
	aboutClasses = "storage classes"
)

// answer is what was found out; exactly one field besides err and at is set.
type answer struct {
	err     error
	nodes   []*corev1.Node
	log     string
	hook    *hookFacts
	claims  []*corev1.PersistentVolumeClaim
	classes []*storagev1.StorageClass

	known bool
	asked bool // again, and not yet answered
	at    time.Time
	took  time.Duration
}

// Bounds of what is asked beside the watches.
const (
	questionsAtOnce = 32
	askers          = 3
	answerTimeout   = 5 * time.Second
	answerKeeps     = 5 * time.Second // an answer is asked for again when it is older
	logRead         = 30              // lines
	logLines        = 8               // shown
	logLineWidth    = 300
)

// ask returns what is known; when nothing is, or it is old, it is asked for,
// and the board changes when the answer is there.
func (b *board) ask(q question) (answer, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.answers[q]
	if a == nil {
		a = &answer{}
		b.answers[q] = a
	}
	// What a run of a container wrote does not change; the list of a large cluster is not asked for all the time.
	old := (q.about != aboutLog || q.running) && b.now().Sub(a.at) > max(answerKeeps, 10*a.took)
	if (!a.known || old) && !a.asked {
		select {
		case b.questions <- q:
			a.asked = true
		default: // the next look asks again
		}
	}
	return *a, a.known
}

// answering says whether an answer that was never given is on its way.
func (b *board) answering() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.answers {
		if a.asked && !a.known {
			return true
		}
	}
	return false
}

// answerAll answers questions until ctx ends.
func (b *board) answerAll(ctx context.Context, c Reader) {
	var group sync.WaitGroup
	for range askers {
		group.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case q := <-b.questions:
					b.answer(ctx, c, q)
				}
			}
		})
	}
	group.Wait()
}

func (b *board) answer(ctx context.Context, c Reader, q question) {
	ctx, stop := context.WithTimeout(ctx, answerTimeout)
	defer stop()
	start := time.Now()
	a := findOut(ctx, c, q)
	a.took = time.Since(start)
	b.mu.Lock()
	old := b.answers[q]
	if a.err != nil && old.known && old.err == nil { // better old than nothing
		fresh := *old
		a = &fresh
	}
	a.known, a.at = true, b.now()
	b.answers[q] = a
	b.mu.Unlock()
	b.wake()
}

func findOut(ctx context.Context, c Reader, q question) *answer {
	a := &answer{}
	switch q.about {
	case aboutNodes:
		a.nodes, a.err = listOf[corev1.Node](ctx, c, schema.GroupVersionKind{Version: "v1", Kind: "Node"}, "", "")
	case aboutLog:
		a.log, a.err = lastLog(ctx, c, q)
	case aboutHook:
		a.hook, a.err = findHook(ctx, c, q.name)
	case aboutClaims:
		a.claims, a.err = listOf[corev1.PersistentVolumeClaim](ctx, c, schema.GroupVersionKind{Version: "v1", Kind: "PersistentVolumeClaim"}, q.namespace, "")
	case aboutClasses:
		a.classes, a.err = listOf[storagev1.StorageClass](ctx, c, schema.GroupVersionKind{Group: "storage.k8s.io", Version: "v1", Kind: "StorageClass"}, "", "")
	}
	return a
}

// listOf lists one kind as its Go type.
func listOf[T any](ctx context.Context, c Reader, kind schema.GroupVersionKind, namespace, selector string) ([]*T, error) {
	list, err := c.List(ctx, kind, namespace, selector)
	if err != nil {
		return nil, err
	}
	out := make([]*T, 0, len(list))
	for _, obj := range list {
		unstructured.RemoveNestedField(obj.Object, "metadata", "managedFields")
		unstructured.RemoveNestedField(obj.Object, "status", "images") // a node's, long
		v, err := typed[T](obj)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

var errNoLogs = errors.New("this cluster shows no logs")

// lastLog is what the run of a container that ended last wrote.
func lastLog(ctx context.Context, c Reader, q question) (string, error) {
	logs, ok := c.(LogReader)
	if !ok {
		return "", errNoLogs
	}
	text, err := logs.Logs(ctx, q.namespace, q.name, q.container, q.previous, logRead)
	if q.previous && (apierrors.IsBadRequest(err) || apierrors.IsNotFound(err) || err == nil && strings.TrimSpace(text) == "") {
		text, err = logs.Logs(ctx, q.namespace, q.name, q.container, false, logRead) // the node keeps one run
	}
	return text, err
}
