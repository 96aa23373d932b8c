package checks_test

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/mesh"
)

// How many copies of a check's bad cases are compared, and how many times
// longer four times the copies may take: 4 is linear, 16 the square.
const (
	copies  = 40
	allowed = 9
	// floor is what a run takes at least, so that noise is no ratio.
	floor = 300 * time.Microsecond
)

// notLinear are the checks that may take longer, and why.
var notLinear = map[string]string{
	"multiple-default-peer-authentications":       "it compares the policies without selector of one namespace; more than one is the defect itself",
	"conflicting-default-request-authentications": "it compares the policies without selector of one namespace; there are a handful",
	"plaintext-to-strict-workloads":               "it looks at each DestinationRule for each host it covers; many for the same wildcard are rare",
	"policy-unknown-host":                         "it compares each host that no Service has with the names of the Services of its namespace",
	"certificate-not-for-host":                    "it looks for each Secret in every namespace with pods of the Gateway; gateways run in a handful",
	"expired-certificate":                         "it looks for each Secret in every namespace with pods of the Gateway; gateways run in a handful",
	"expiring-certificate":                        "it looks for each Secret in every namespace with pods of the Gateway; gateways run in a handful",
	"invalid-credential":                          "it looks for each Secret in every namespace with pods of the Gateway; gateways run in a handful",
	"missing-credential":                          "it looks for each Secret in every namespace with pods of the Gateway; gateways run in a handful",
}

// TestChecksAreLinear runs each check over n and 4n copies of its bad cases:
// each copy in namespaces of its own, and all in the same namespaces under
// other names, where everything that can collide does.
func TestChecksAreLinear(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	for _, c := range checks.All() {
		files, err := filepath.Glob(filepath.Join("*", "testdata", c.Name, "bad*.txtar"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			for _, apart := range []bool{true, false} {
				where := "together"
				if apart {
					where = "apart"
				}
				t.Run(c.Name+"/"+strings.TrimSuffix(filepath.Base(file), ".txtar")+"/"+where, func(t *testing.T) {
					judgeGrowth(t, c, file, apart)
				})
			}
		}
	}
}

// judgeGrowth compares n and 4n copies and, where that says too much, 4n and
// 16n: what grows with the square grows so at every size, noise does not.
func judgeGrowth(t *testing.T, c *analyze.Check, file string, apart bool) {
	if reason := notLinear[c.Name]; reason != "" {
		t.Skip(reason)
	}
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	options := caseOptions(t, file, archive.Comment)
	for n := copies; n <= 4*copies; n *= 4 {
		all := copied(t, archive, 4*n, apart)
		small, large := shortest(t, c, mesh.New(all[:len(all)/4], options), mesh.New(all, options))
		if growth(small, large) < allowed {
			return
		}
		t.Logf("%d copies take %s, %d copies %s: %.1f times as long", n, small, 4*n, large, growth(small, large))
	}
	t.Error("grows more than linearly")
}

func growth(small, large time.Duration) float64 {
	return float64(max(large, floor)) / float64(max(small, floor))
}

// shortest are the shortest of many runs over each: other load can only make a
// run longer.
func shortest(t *testing.T, c *analyze.Check, small, large *mesh.Snapshot) (time.Duration, time.Duration) {
	best := [2]time.Duration{time.Hour, time.Hour}
	for range 25 {
		for i, s := range []*mesh.Snapshot{small, large} {
			best[i] = min(best[i], duration(t, c, s))
		}
		if growth(best[0], best[1]) < allowed {
			break
		}
	}
	return best[0], best[1]
}

func duration(t *testing.T, c *analyze.Check, s *mesh.Snapshot) time.Duration {
	start := time.Now()
	if _, err := analyze.Run(context.Background(), s, []*analyze.Check{c}, analyze.Options{}); err != nil {
		t.Fatal(err)
	}
	return time.Since(start)
}

// copied is n copies of a case's objects, under names or in namespaces of their own.
func copied(t *testing.T, archive *txtar.Archive, n int, apart bool) []*mesh.Object {
	var texts []kube.Text
	for _, f := range archive.Files {
		if f.Name != "want" {
			texts = append(texts, kube.Text{Path: f.Name, Text: f.Data})
		}
	}
	files, err := kube.ReadTexts(context.Background(), texts)
	if err != nil {
		t.Fatal(err)
	}
	rename := map[string]bool{}
	for _, o := range files.Objects {
		o.InNamespace("copy")
		switch {
		case o.Namespace == "istio-system" || o.Kind == mesh.Namespace && o.Name == "istio-system":
		case apart && o.Kind == mesh.Namespace:
			rename[o.Name] = true
		case apart && o.Namespace != "":
			rename[o.Namespace] = true
		case !apart && o.Kind.Namespaced:
			rename[o.Name] = true
			labelValues(o.Raw(), rename)
		}
	}
	delete(rename, "")
	if len(rename) == 0 {
		return files.Objects
	}
	var words []string
	for word := range rename {
		words = append(words, regexp.QuoteMeta(word))
	}
	slices.Sort(words)
	pattern := regexp.MustCompile(`(^|[^A-Za-z0-9-])(` + strings.Join(words, "|") + `)($|[^A-Za-z0-9-])`)
	var all []*mesh.Object
	for i := range n {
		replace := func(s string) string { return pattern.ReplaceAllString(s, fmt.Sprintf("${1}${2}-%d${3}", i)) }
		for _, o := range files.Objects {
			raw := renamed(o.Raw(), replace).(map[string]any)
			if meta, ok := raw["metadata"].(map[string]any); ok && o.Namespace != "" {
				meta["namespace"] = o.Namespace
				if apart {
					meta["namespace"] = replace(o.Namespace)
				}
			}
			all = append(all, mesh.NewObject(o.Kind, raw, mesh.Origin{File: o.Origin.File, Order: len(all)}))
		}
	}
	return all
}

// labelValues adds the values of labels and selectors: that thousands of
// policies select the same thousands of workloads is no mesh.
func labelValues(value any, to map[string]bool) {
	switch v := value.(type) {
	case map[string]any:
		for k, item := range v {
			if labels, ok := item.(map[string]any); ok && (k == "labels" || k == "matchLabels" || k == "selector" || k == "workloadSelector") {
				for _, label := range labels {
					if s, ok := label.(string); ok && s != "true" && s != "enabled" && s != "ambient" {
						to[s] = true
					}
				}
			}
			labelValues(item, to)
		}
	case []any:
		for _, item := range v {
			labelValues(item, to)
		}
	}
}

// renamed is a copy of a decoded value with other texts; names of fields stay.
func renamed(value any, replace func(string) string) any {
	switch v := value.(type) {
	case map[string]any:
		m := maps.Clone(v)
		for k := range m {
			if k != "apiVersion" && k != "kind" {
				m[k] = renamed(m[k], replace)
			}
		}
		return m
	case []any:
		list := slices.Clone(v)
		for i := range list {
			list[i] = renamed(list[i], replace)
		}
		return list
	case string:
		return replace(v)
	}
	return value
}
