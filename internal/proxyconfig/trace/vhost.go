package trace

import (
	"fmt"
	"slices"
	"strings"
)

// hostPick is which virtual host of a table a request gets.
type hostPick struct {
	host   *virtualHost // nil when none matches
	domain string       // the domain that matched
	asked  string       // the host name as it was looked up
}

// pickHost finds the virtual host as Envoy does: exactly, then by the longest
// "*.suffix", then by the longest "prefix.*", then "*".
func (t *routeTable) pickHost(authority string) hostPick {
	host := authority
	if t.IgnorePort {
		host = host[:portStart(host)]
	}
	host = asciiLower(host)
	p := hostPick{asked: host}
	best := -1
	for i := range t.Hosts {
		for _, domain := range t.Hosts[i].Domains {
			if n := domainRank(asciiLower(domain), host); n > best {
				best, p.host, p.domain = n, &t.Hosts[i], domain
			}
		}
	}
	return p
}

// The ranks of domains: any exact one beats any wildcard.
const (
	rankAny    = 0
	rankPrefix = 1 << 20
	rankSuffix = 2 << 20
	rankExact  = 3 << 20
)

// domainRank says how well a domain, in lower case, fits; below zero not at
// all. A wildcard stands for at least one character.
func domainRank(domain, host string) int {
	switch {
	case domain == "*":
		return rankAny
	case strings.HasPrefix(domain, "*"):
		if suffix := domain[1:]; len(host) > len(suffix) && strings.HasSuffix(host, suffix) {
			return rankSuffix + len(suffix)
		}
	case strings.HasSuffix(domain, "*"):
		if prefix := domain[:len(domain)-1]; len(host) > len(prefix) && strings.HasPrefix(host, prefix) {
			return rankPrefix + len(prefix)
		}
	case domain == host:
		return rankExact
	}
	return -1
}

// portStart is where the port of an authority begins, at its colon; the length without a port.
func portStart(authority string) int {
	colon := strings.LastIndexByte(authority, ':')
	if colon < 0 || strings.LastIndexByte(authority, ']') > colon {
		return len(authority)
	}
	return colon
}

// near are the virtual hosts whose domains look like the one asked for, for
// whoever wonders why none matched.
func (t *routeTable) near(asked string) []Candidate {
	found := []Candidate{}
	first, _, _ := strings.Cut(asked, ".")
	for i := range t.Hosts {
		h := &t.Hosts[i]
		j := slices.IndexFunc(h.Domains, func(d string) bool {
			name, _, _ := strings.Cut(d, ".")
			return name == first || asked[:portStart(asked)] == d[:portStart(d)]
		})
		if (j >= 0 || len(t.Hosts) <= 5) && len(found) < 5 {
			found = append(found, Candidate{Name: h.Name, Why: fmt.Sprintf("its domains are %s", listSome(h.Domains, 4)), Owner: h.Metadata.owner()})
		}
	}
	return found
}

// listSome is "a, b and 7 more".
func listSome(items []string, n int) string {
	if len(items) <= n {
		return strings.Join(items, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(items[:n], ", "), len(items)-n)
}
