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
type Shared[T any] struct {
	prepare func(*Pass, mesh.Kind) func(*mesh.Object) T
}

// PerObject is something that compute works out of single objects. compute runs
// concurrently; what it returns is shared, and must not be changed.
func PerObject[T any](compute func(*mesh.Object) T) *Shared[T] {
	return PerKind(func(*Pass, mesh.Kind) func(*mesh.Object) T { return compute })
}

// PerKind is [PerObject] for what needs something of the whole kind: prepare
// is called once for each kind, and what it returns for each of its objects.
func PerKind[T any](prepare func(*Pass, mesh.Kind) func(*mesh.Object) T) *Shared[T] {
	return &Shared[T]{prepare}
}

// Of is what there is of each object of the kind, in the order of
// p.Objects(kind). The first who asks has it computed, on all processors.
func (s *Shared[T]) Of(p *Pass, kind mesh.Kind) []T {
	objects := p.Objects(kind)
	if len(objects) == 0 {
		return nil
	}
	value := p.memos.once(memoKey{s, kind}, func() any {
		all := make([]T, len(objects))
		compute := s.prepare(p, kind)
		mesh.Parallel(len(objects), func(i int) { all[i] = compute(objects[i]) })
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
	mu     sync.Mutex
	each   map[memoKey]func() any
	checks map[string]bool
}

func newMemos(checks []*Check) *memos {
	m := &memos{each: map[memoKey]func() any{}, checks: make(map[string]bool, len(checks))}
	for _, c := range checks {
		m.checks[c.Name] = true
	}
	return m
}

// Runs says whether another check is part of the same run, so that what it
// tells need not be told twice.
func (p *Pass) Runs(name string) bool { return p.memos.checks[name] }

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
