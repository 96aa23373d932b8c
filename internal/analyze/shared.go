package analyze

import (
	"sync"

	"github.com/meshctl/meshctl/internal/mesh"
)

// Shared is something that is worked out once per run, however many checks
// ask for it. It is declared once, beside the checks that need it:
//
//	var verdicts = analyze.PerObject(func(o *mesh.Object) verdict { ... })
//
// and asked in Run: verdicts.Of(p, kind).
type Shared[T any] struct{ compute func(*mesh.Object) T }

// PerObject is something that compute works out of single objects. compute runs
// concurrently; what it returns is shared, and must not be changed.
func PerObject[T any](compute func(*mesh.Object) T) *Shared[T] { return &Shared[T]{compute} }

// Of is what there is of each object of the kind, in the order of
// p.Objects(kind). The first who asks has it computed, on all processors.
func (s *Shared[T]) Of(p *Pass, kind mesh.Kind) []T {
	objects := p.Objects(kind)
	if len(objects) == 0 {
		return nil
	}
	value := p.memos.once(memoKey{s, kind}, func() any {
		all := make([]T, len(objects))
		mesh.Parallel(len(objects), func(i int) { all[i] = s.compute(objects[i]) })
		return all
	})
	all, _ := value.([]T)
	return all
}

// memoKey is what is remembered, and of which kind.
type memoKey struct {
	shared any
	kind   mesh.Kind
}

// memos are what the checks of one run share.
type memos struct {
	mu   sync.Mutex
	each map[memoKey]func() any
}

func newMemos() *memos { return &memos{each: map[memoKey]func() any{}} }

// once is what compute returned the first time; who asks meanwhile waits.
func (m *memos) once(key memoKey, compute func() any) any {
	m.mu.Lock()
	value := m.each[key]
	if value == nil {
		value = sync.OnceValue(compute)
		m.each[key] = value
	}
	m.mu.Unlock()
	return value()
}
