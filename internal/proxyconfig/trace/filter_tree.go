package trace

import "encoding/json"

// rbacTree judges RBAC's matcher: what matches nothing is denied.
func (in *filterInput) rbacTree(raw json.RawMessage) rbacResult {
	found := evalTree(raw, in.treeInput())
	switch {
	case found.unsure != "":
		return rbacResult{Allowed: Maybe, Why: "it depends on " + found.unsure}
	case found.action == nil:
		return rbacResult{Allowed: No}
	}
	action := textOf(member(found.action.Config, "action"))
	return rbacResult{Allowed: allowedIf(action != "DENY"), Key: textOf(member(found.action.Config, "name"))}
}

// treeInput reads what matchers ask of the request, or of the connection
// alone where there is none yet.
func (in *filterInput) treeInput() treeInput {
	if in.Call != nil {
		return in.Call.input
	}
	f := &chainFacts{conn: in.Conn, transport: "raw_buffer", sni: in.Conn.SNI, alpn: in.Conn.ALPN}
	if in.Conn.TLS {
		f.transport = "tls"
	}
	return f.connInput
}
