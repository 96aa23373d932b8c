package agree

import (
	"fmt"
	"strings"
)

// Table is the page of the documentation about a run.
func Table(results []*Result, seed uint64) string {
	var b strings.Builder
	b.WriteString("# How often `trace` agrees with Envoy\n\n")
	fmt.Fprintf(&b, "Written by `go test ./agree -update` in test/bed (seed %d). \n\n", seed)
	b.WriteString("| configuration | what it has | requests | agreed | undecidable | disagreed |\n|---|---|--:|--:|--:|--:|\n")
	var requests, agreed, undecided, disagreed int
	for _, r := range results {
		fmt.Fprintf(&b, "| [%s](../test/bed/agree/testdata/sets/%s.yaml) | %s | %d | %d | %d | %d |\n",
			r.Set.Name, r.Set.Name, r.Set.About, len(r.Requests), r.Agreed, r.Undecided, r.Disagreed)
		requests, agreed, undecided, disagreed = requests+len(r.Requests), agreed+r.Agreed, undecided+r.Undecided, disagreed+r.Disagreed
	}
	fmt.Fprintf(&b, "| **%d configurations** | | **%d** | **%d** | **%d** | **%d** |\n", len(results), requests, agreed, undecided, disagreed)
	return b.String()
}
