package diff

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// longest is how many characters of a value are shown in words.
const longest = 120

// whatOf is what an item of a list is called.
func whatOf(list string) string {
	switch list {
	case "routes":
		return "route"
	case "virtual_hosts":
		return "virtual host"
	case "domains":
		return "domain"
	case "lb_endpoints":
		return "endpoint"
	case "endpoints":
		return "locality"
	case "filter_chains":
		return "filter chain"
	case "filters", "http_filters", "listener_filters":
		return "filter"
	case "clusters":
		return "cluster"
	}
	return "item"
}

// words is a change as a person would say it.
func words(c Change, at place, before, after any) string {
	path := strings.ReplaceAll(at.path, "typed_config.", "")
	switch c.Action {
	case Changed:
		if before, after := apart(before, after); before != after {
			return fmt.Sprintf("%s: %s -> %s", path, before, after)
		}
		return path + ": another value, not shown"
	case Moved:
		return path + ": at another place in the order"
	}
	v := after
	if c.Action == Removed {
		v = before
	}
	if c.What == "field" || c.What == "item" {
		return fmt.Sprintf("%s: %s", path, plain(v))
	}
	where := path
	if i := strings.LastIndexByte(strings.TrimSuffix(path, "]"), '['); strings.HasSuffix(path, "]") && i > 0 {
		where = path[:i]
	}
	if i := strings.LastIndexByte(where, '.'); i > 0 && !strings.Contains(where[i:], "]") {
		where = where[:i]
	} else {
		where = ""
	}
	text := c.What + " " + describe(at, v)
	if where != "" {
		text += " in " + where
	}
	return text
}

// describe is an item in a few words.
func describe(at place, v any) string {
	m, ok := v.(map[string]any)
	if !ok {
		return plain(v)
	}
	switch at.name {
	case "routes":
		label := routeLabel(m)
		if name := nameOf(m); name != "" {
			label += " (" + name + ")"
		}
		return label + " -> " + target(m)
	case "virtual_hosts":
		domains, _ := m["domains"].([]any)
		routes, _ := m["routes"].([]any)
		return fmt.Sprintf("%s (%d domains, %d routes)", nameOf(m), len(domains), len(routes))
	case "lb_endpoints":
		text := addressOf(m)
		if h := stringOf(m["health_status"]); h != "" && h != "HEALTHY" {
			text += " " + h
		}
		return text
	case "endpoints":
		list, _ := m["lb_endpoints"].([]any)
		var addresses []string
		for _, e := range list {
			endpoint, _ := e.(map[string]any)
			addresses = append(addresses, addressOf(endpoint))
		}
		return cut(strings.TrimSpace(localityLabel(m) + " with " + strings.Join(addresses, ", ")))
	case "filter_chains":
		return chainLabel(m)
	}
	if name := nameOf(m); name != "" {
		return name
	}
	if i := strings.LastIndexByte(at.path, '.'); at.parent == "policies" || i > 0 && strings.HasSuffix(at.path[:i], "policies") {
		return strings.TrimPrefix(at.path[i:], ".")
	}
	return plain(v)
}

// target is where a route leads.
func target(m map[string]any) string {
	route, _ := m["route"].(map[string]any)
	switch {
	case route == nil && m["redirect"] != nil:
		return "redirect"
	case route == nil && m["direct_response"] != nil:
		return "status " + stringOf(inner(m, "direct_response")["status"])
	case stringOf(route["cluster"]) != "":
		return stringOf(route["cluster"])
	}
	var names []string
	weighted, _ := inner(route, "weighted_clusters")["clusters"].([]any)
	for _, w := range weighted {
		c, _ := w.(map[string]any)
		names = append(names, nameOf(c)+" ("+stringOf(c["weight"])+")")
	}
	if len(names) == 0 {
		return "a cluster chosen at run time"
	}
	return cut(strings.Join(names, ", "))
}

// plain is a value on one line, cut when it is long.
func plain(v any) string {
	switch v := v.(type) {
	case string:
		if v == "" {
			return `""`
		}
		return cut(v)
	case secret:
		return redacted
	case nil:
		return "none"
	}
	text, err := marshal(v, "")
	if err != nil {
		return "?"
	}
	return cut(string(text))
}

// apart is two values on one line each, cut so that their difference is seen.
func apart(a, b any) (string, string) {
	ta, oka := a.(string)
	tb, okb := b.(string)
	if !oka || !okb || cut(ta) != cut(tb) {
		return plain(a), plain(b)
	}
	same := 0
	for same < min(len(ta), len(tb)) && ta[same] == tb[same] {
		same++
	}
	from := max(same-20, 0)
	return "..." + cut(strings.ToValidUTF8(ta[from:], "")), "..." + cut(strings.ToValidUTF8(tb[from:], ""))
}

// marshal is a value as JSON, members sorted, without a newline at the end.
func marshal(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

func cut(s string) string {
	if r := []rune(s); len(r) > longest {
		return string(r[:longest]) + "..."
	}
	return s
}
