package trace

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/output"
)

// DocumentKind is the kind of the JSON and YAML document.
func (*RouteListing) DocumentKind() string { return "RouteListing" }

// Tables is one row per route, in the order in which Envoy tries them.
func (l *RouteListing) Tables(wide bool) []output.Table {
	t := output.Table{
		Columns: []string{"PORT", "TLS", "HOSTS", "#", "MATCH", "DESTINATION", "RESOURCE"},
		Empty:   "No routes found.",
	}
	if l.Host != "" {
		t.Empty = fmt.Sprintf("No route of %s is for %s.", l.Proxy, l.Host)
	}
	if wide {
		t.Columns = append(t.Columns, "REWRITE", "TIMEOUT", "RETRIES", "NAME", "TABLE", "LISTENER")
	}
	var never []string
	for i := range l.Served {
		table := &l.Served[i]
		for j := range table.Hosts {
			h := &table.Hosts[j]
			for k := range h.Routes {
				t.Rows = append(t.Rows, table.row(h, &h.Routes[k], l.Host, wide))
				if r := &h.Routes[k]; r.Unreachable != "" {
					never = append(never, fmt.Sprintf("  port %s, %s, route %d: %s%s", table.portText(), shortNames(h.Domains), r.Order, r.Unreachable, inOwner(r.Owner)))
				}
			}
			if len(h.Routes) == 0 {
				t.Rows = append(t.Rows, table.row(h, &ServedRoute{Match: "-", Destination: "no routes: 404"}, l.Host, wide))
			}
		}
		if len(table.Hosts) == 0 {
			t.Rows = append(t.Rows, table.row(&ServedHost{}, &ServedRoute{Match: "-", Destination: "no virtual hosts: 404"}, l.Host, wide))
		}
	}
	if len(never) > 0 {
		t.After = append([]string{"", "Never reached:"}, never...)
	}
	return []output.Table{t}
}

func inOwner(owner Resource) string {
	if owner.Name == "" {
		return ""
	}
	return " (" + owner.String() + ")"
}

func (t *ServedTable) portText() string {
	if t.Port == 0 {
		return "-"
	}
	return strconv.Itoa(t.Port)
}

func (t *ServedTable) row(h *ServedHost, r *ServedRoute, host string, wide bool) []string {
	order, names := "-", shortNames(h.Domains)
	if r.Order > 0 {
		order = strconv.Itoa(r.Order)
	}
	if wide {
		names = strings.Join(h.Domains, ",")
	}
	match := r.Match
	if r.Unreachable != "" {
		match += " (never reached)"
	}
	row := []string{t.portText(), t.TLS.String(), cmp.Or(names, "-"), order, match, r.Destination, cmp.Or(r.Owner.String(), "-")}
	if wide {
		for _, text := range []string{r.Rewrite, r.Timeout, r.Retries, r.Name, t.Name, t.Listener} {
			row = append(row, cmp.Or(text, "-"))
		}
	}
	return row
}

// String is the mode and the credential.
func (s *ServedTLS) String() string {
	if s == nil {
		return "-"
	}
	_, credential, found := strings.Cut(s.Credential, "://")
	if !found {
		credential = s.Credential
	}
	if credential == "" || s.Mode == "ISTIO_MUTUAL" {
		return s.Mode
	}
	return s.Mode + " " + credential
}

// shortNames leaves out what istiod adds to a name: ports, and shorter forms
// of a cluster's own names.
func shortNames(domains []string) string {
	var kept []string
	for _, d := range domains {
		implied := false
		for _, other := range domains {
			rest, ok := strings.CutPrefix(d, other)
			implied = implied || ok && rest != "" && (rest[0] == ':' || rest == ".svc" || strings.HasPrefix(rest, ".svc."))
		}
		if !implied {
			kept = append(kept, d)
		}
	}
	return listSome(kept, 2)
}
