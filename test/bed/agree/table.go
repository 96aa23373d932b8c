package agree

import (
	"fmt"
	"strings"
)

// intro says what the numbers mean; docs/trace-agreement.md begins with it.
const intro = "# How far `trace` and Envoy agree\n" + `
Real Envoys get configuration that a real istiod made of the manifests below, and random requests: method, path, host, headers, port,
SNI, tokens, identities; some as a rule asks for, some that miss one by little (another case, a port, a slash, an escape, a letter).
Where Envoy sent each is in its access log. ` + "`meshctl trace`" + ` is asked the same from that Envoy's config dump, and has to say the same.

**Agreed** means that all of this is the same:

* The request goes on: Envoy's route name; its upstream cluster, one of those that trace gives a share of the weight; no response flag but
  those trace names; the response came from upstream, from an endpoint that trace says may be chosen; the upstream got the path and
  the authority that trace says it gets.
* Envoy answers itself: route name, status, response flags, response code details (which name the AuthorizationPolicy and its rule), a
  redirect's Location; nothing reached the upstream.
* The connection is closed: response flag or the reason Envoy gives for ending it, nothing reached the upstream; where TLS is refused,
  the client has Envoy's alert.

**Undecidable** is what trace says it cannot tell from the configuration: a Lua script, an external server that decides. It must be under 1 %.
**Disagreed** must be none: one is enough, and the test fails and prints request, log line and trace's steps.

Two things are not as in a pod. Connections do not come from iptables: the listeners of the sidecars find the original destination by a PROXY
protocol header instead (filter proxy_protocol in place of original_dst), in the Envoys as in the dumps that trace reads. And Envoy is the
upstream one, so Istio's own filters (metadata exchange, peer metadata, ALPN) are left out of what istiod sends; none of them decides where a request goes.

`

// Table is the page of the documentation about a run.
func Table(results []*Result, seed uint64) string {
	var b strings.Builder
	b.WriteString(intro)
	fmt.Fprintf(&b, "`make test` does this run (seed %d); `cd test/bed && go test ./agree -seed 7 -scale 5` does another, `-update` writes this page.\n\n", seed)
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
