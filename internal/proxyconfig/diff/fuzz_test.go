package diff

import (
	"encoding/json"
	"hash/maphash"
	"testing"
)

// FuzzCompare: nothing panics, a dump equals itself, and two dumps of one
// cluster are the same if and only if their normalised forms are.
func FuzzCompare(f *testing.F) {
	f.Add(`{"name":"a","x":[1,2.0,"3s"]}`, `{"x":[1,2,"3.0s"],"name":"a"}`)
	f.Add(`{"virtual_hosts":[{"name":"b"},{"name":"a","routes":[{"match":{"prefix":"/"}}]}]}`, `{"virtual_hosts":[{"name":"a"}]}`)
	f.Add(`{"filter_chains":[{"filter_chain_match":{"destination_port":1}},{"filter_chain_match":{"destination_port":1},"name":"x"}]}`, `{"filter_chains":[]}`)
	f.Add(`{"password":"a","domains":["b","a"],"metadata":{"filter_metadata":{"istio":{"config":"/apis/a/b/namespaces/c/d/e"}}}}`, `{"password":"b"}`)
	f.Add(`{"routes":[{"match":1},{"match":2},{"match":1}]}`, `{"routes":[{"match":2},{"match":1},{"match":3}]}`)
	f.Add(`{"version_info":"","name":"\u0061"}`, `[`)
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, text := range []string{a, b} {
			_, _ = Compare(side("A", text), side("B", text), Options{})
		}
		if !json.Valid([]byte(a)) || !json.Valid([]byte(b)) {
			return
		}
		n := &normaliser{}
		ta, errA := n.tree([]byte(a))
		tb, errB := n.tree([]byte(b))
		if errA != nil || errB != nil {
			return
		}
		c := &comparer{section: "clusters"}
		if c.values(place{}, ta, ta); len(c.changes) > 0 {
			t.Fatalf("it differs from itself: %s", c.changes[0].Text)
		}
		c.values(place{}, ta, tb)
		if same := canonical(ta) == canonical(tb); same != (len(c.changes) == 0) {
			t.Fatalf("normalised forms are the same: %v, %d differences\n%s\n%s", same, len(c.changes), canonical(ta), canonical(tb))
		}
		// The hash is the fast way to the same answer: equal hashes, equal forms.
		x := hash(fuzzSeed, []byte(a)) == hash(fuzzSeed, []byte(b))
		if x && canonical(ta) != canonical(tb) {
			t.Fatalf("equal hashes of\n%s\n%s", canonical(ta), canonical(tb))
		}
		wrapped := []string{dumpOf(`dynamic_active_clusters {"name":"a","x":` + a + `}`), dumpOf(`dynamic_active_clusters {"name":"a","x":` + b + `}`)}
		if r, err := Compare(side("A", wrapped[0]), side("B", wrapped[0]), Options{Texts: true}); err != nil || !r.Same {
			t.Fatalf("a dump differs from itself: %v", err)
		}
		r, err := Compare(side("A", wrapped[0]), side("B", wrapped[1]), Options{Texts: true})
		if err != nil {
			t.Fatal(err)
		}
		if r.Same != (len(r.Owners) == 0) || r.Same != (len(r.texts) == 0) {
			t.Fatalf("same %v with %d owners, %d texts", r.Same, len(r.Owners), len(r.texts))
		}
	})
}

var fuzzSeed = maphash.MakeSeed()
