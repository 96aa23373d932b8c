package kube

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzPlain: what decodePlain reads, the library reads alike.
func FuzzPlain(f *testing.F) {
	for _, text := range []string{
		"a: 1\nb:\n- x\n- y: 2\n  z: [1, 'q', {k: v}]\n", "---\na:\n  b: c # d\n\n# e\n  f: \"g\"\n", "a:\nb: ~\nc: 0x1F\nd: 1e3\ne: 010\nf: 1_000\n",
		"a:\n  - - 1\n    - 2\n  -\n    b: 1\n  - # c\n    d: e\n", "a: yes\nb: On\nc: null\nd: .inf\ne: 2026-01-01\nf: -1\ng: - 1\n", "a: b: c\n", "a:\n   b: 1\n  c: 2\n",
		"a: {}\nb: []\nc: [a, , b]\nd: {a: }\n", "a: b\n  c\n", "a: 'it''s'\n", "a:\n- b\n c: d\n", "\"a b\": 1\n'c': 2\n", "a: http://x:80/y#z\nb: x #y\nc: [a#b]\n", "<<: {a: 1}\n", "a: -\n", "-a: 1\n", "a: [-1, -x, - 2]\n",
		"a: -0\nb: 00\nc: +1\nd: 1.\ne: .5\nf: 0.0\ng: 1e400\n", "a: 9223372036854775808\n", "a: --- b\n---\nc: d\n", "a: ...\n...\n", "a:\r\n  b: c\r\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { agrees(t, text) })
}

// agrees fails the test when decodePlain reads a text otherwise than the
// library does; it says whether decodePlain reads it at all.
func agrees(t *testing.T, text string) bool {
	t.Helper()
	got, ok := decodePlain(text)
	if !ok {
		return false
	}
	d := &document{text: []byte(text)}
	root, err := d.parseNodes()
	if err != nil {
		t.Fatalf("%q: the library refuses it: %v; here it is %#v", text, err, got)
	}
	c := converter{}
	want, err := c.value(root)
	if err != nil {
		t.Fatalf("%q: the library refuses it: %v; here it is %#v", text, err, got)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%q: (-library +here):\n%s", text, diff)
	}
	return true
}

// TestPlainReadsSamples: Istio's samples are read as the library reads them,
// and most of them without it.
func TestPlainReadsSamples(t *testing.T) {
	t.Parallel()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "istio.io/istio").Output()
	if err != nil {
		t.Fatalf("finding istio.io/istio: %v", err)
	}
	read, all := 0, 0
	err = filepath.WalkDir(filepath.Join(strings.TrimSpace(string(dir)), "samples"), func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".yaml") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, d := range split(path, text) {
			root, err := d.parseNodes()
			if err != nil {
				continue
			}
			all++
			got, ok := decodePlain(string(d.text))
			if !ok {
				continue
			}
			read++
			c := converter{}
			want, err := c.value(root)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%s:%d: %v (-library +here):\n%s", path, d.line, err, diff)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if all < 300 || read < all*8/10 {
		t.Errorf("read %d of %d documents", read, all)
	}
	t.Logf("read %d of %d documents", read, all)
}

// TestPlainAgreesOnRandomText puts lines together at random from what YAML
// makes something of, mostly with the indentation of a manifest.
func TestPlainAgreesOnRandomText(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(words []string) string { return words[random.IntN(len(words))] }
	keys := []string{"a", "b-c", "d.e/f", `"q"`, "'r'", "1", "-x", "<<", "", "? k", "a b", "true", "~"}
	values := []string{
		"", "x", "1", "-1", "010", "0x1f", "1.5", "1e3", "yes", "No", "null", "~", "x y", "x: y", "x:y", "x #c", "x#c", "#c", `"s"`, `"s\n"`, "'it''s'", `"s" x`, "[a, b]", "[a,b]", "[]", "{}", "{a: 1, b: [x]}", "{a: }",
		"{a:1}", "[a: b]", "[,]", "[a,]", "[- a]", "[-1]", "[[a], {b: c}]", "*x", "&x y", "!!str 1", "|", ">-", "- x", "-", "--", "---", "...", "@x", "`x", "%x", "?x", "? x", ":x", ": x", ",x", "x,", "]", "2026-01-01", "12:30", "1_0", "+1", ".5", ".inf", "=", "x\\", "http://h:80/p?q#r", "[http://h]", "[a?b]", "[a#b, c]", "(x)", "<", "$x", "/p", "*", "x*",
	}
	taken, all := 0, 100_000
	for range all {
		var b strings.Builder
		indent := 0
		for range 1 + random.IntN(6) {
			b.WriteString(strings.Repeat(" ", indent))
			for random.IntN(3) == 0 {
				b.WriteString("- ")
			}
			if random.IntN(5) > 0 {
				b.WriteString(pick(keys[:1+random.IntN(len(keys))]) + ":")
				b.WriteString(strings.Repeat(" ", random.IntN(3)))
			}
			b.WriteString(pick(values[:1+random.IntN(len(values))]))
			b.WriteString(strings.Repeat(" ", random.IntN(2)) + "\n")
			indent = max(0, indent+2*(random.IntN(4)-1)+random.IntN(12)/11)
		}
		if agrees(t, b.String()) {
			taken++
		}
	}
	t.Logf("%d of %d were read", taken, all)
	if taken < all/40 {
		t.Errorf("only %d of %d were read at all", taken, all)
	}
}
