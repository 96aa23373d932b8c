package diff

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// pair is an item of a list on both sides; nil where it is on one only.
type pair struct {
	a, b any
	// inA and inB say on which sides it is.
	inA, inB bool
	// label names the item for people.
	label string
	// moved says that it stands elsewhere in a list whose order counts.
	moved bool
}

// item is an item of a list with what it is recognised by.
type item struct {
	value      any
	key, label string
}

// pairs pairs the items of two lists: by key, then those left over by name,
// then in order where as many are left on both sides.
func pairs(parent, name string, a, b []any) []pair {
	as, bs := items(parent, name, a), items(parent, name, b)
	byKey := make(map[string]int, len(bs))
	for i, it := range bs {
		byKey[it.key] = i
	}
	partner := make([]int, len(as)) // index in bs, -1 for none
	taken := make([]bool, len(bs))
	for i, it := range as {
		partner[i] = -1
		if j, ok := byKey[it.key]; ok {
			partner[i], taken[j] = j, true
		}
	}
	pairLeft(as, bs, partner, taken)
	stays := map[int]bool{}
	if orderOf(parent, name) == ordered {
		stays = inOrder(partner)
	}
	var out []pair
	for i, it := range as {
		p := pair{a: it.value, inA: true, label: it.label}
		if j := partner[i]; j >= 0 {
			p.b, p.inB, p.label = bs[j].value, true, bs[j].label
			p.moved = orderOf(parent, name) == ordered && !stays[i]
		}
		out = append(out, p)
	}
	for j, it := range bs {
		if !taken[j] {
			out = append(out, pair{b: it.value, inB: true, label: it.label})
		}
	}
	return out
}

// pairLeft pairs items whose keys are on one side only: of one name, or when
// as many are left on both sides, in their order.
func pairLeft(as, bs []item, partner []int, taken []bool) {
	named := map[string]int{}
	for j, it := range bs {
		if n := nameOf(it.value); !taken[j] && n != "" {
			if _, twice := named[n]; twice {
				named[n] = -1
				continue
			}
			named[n] = j
		}
	}
	var leftA, leftB []int
	for i, it := range as {
		if partner[i] >= 0 {
			continue
		}
		if j, ok := named[nameOf(it.value)]; ok && j >= 0 && !taken[j] && nameOf(it.value) != "" {
			partner[i], taken[j] = j, true
			continue
		}
		leftA = append(leftA, i)
	}
	for j := range bs {
		if !taken[j] {
			leftB = append(leftB, j)
		}
	}
	if len(leftA) != len(leftB) || len(leftA) > 3 {
		return
	}
	for k, i := range leftA {
		if j := leftB[k]; similar(as[i].value, bs[j].value) {
			partner[i], taken[j] = j, true
		}
	}
}

// similar says whether two values without a name of their own are worth
// comparing member by member.
func similar(a, b any) bool {
	ma, okA := a.(map[string]any)
	mb, okB := b.(map[string]any)
	if !okA || !okB {
		return false
	}
	if nameOf(a) != "" || nameOf(b) != "" || addressOf(ma) != "" {
		return false
	}
	same := 0
	for k := range ma {
		if _, there := mb[k]; there {
			same++
		}
	}
	return same > 0
}

// inOrder is a longest run of indices whose partners go up: those stay, the
// others were moved.
func inOrder(partner []int) map[int]bool {
	var tails []int // indices of partner, by length of the run that ends there
	before := make([]int, len(partner))
	for i, p := range partner {
		if p < 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(tails, p, func(t, p int) int { return partner[t] - p })
		before[i] = -1
		if at > 0 {
			before[i] = tails[at-1]
		}
		if at == len(tails) {
			tails = append(tails, i)
		} else {
			tails[at] = i
		}
	}
	stays := map[int]bool{}
	if len(tails) > 0 {
		for i := tails[len(tails)-1]; i >= 0; i = before[i] {
			stays[i] = true
		}
	}
	return stays
}

// items are the items of a list, with keys that are there once.
func items(parent, name string, list []any) []item {
	out := make([]item, 0, len(list))
	times := map[string]int{}
	for _, v := range arranged(parent, name, list) {
		it := item{value: v}
		it.key, it.label = keyOf(name, v)
		times[it.key]++
		if n := times[it.key]; n > 1 {
			it.key += fmt.Sprintf("#%d", n)
			it.label += fmt.Sprintf("#%d", n)
		}
		out = append(out, it)
	}
	return out
}

// arranged is a list sorted when its order does not count. Filter chains with
// the same match stay in their order.
func arranged(parent, name string, list []any) []any {
	if orderOf(parent, name) == ordered || len(list) < 2 {
		return list
	}
	type keyed struct {
		key   string
		value any
	}
	all := make([]keyed, 0, len(list))
	for _, v := range list {
		k, _ := keyOf(name, v)
		if name != "filter_chains" {
			k += "\x00" + canonical(v)
		}
		all = append(all, keyed{k, v})
	}
	slices.SortStableFunc(all, func(a, b keyed) int { return strings.Compare(a.key, b.key) })
	out := make([]any, 0, len(all))
	for _, k := range all {
		out = append(out, k.value)
	}
	return out
}

// keyOf is what an item of a list is recognised by, and what it is called.
func keyOf(list string, v any) (key, label string) {
	m, ok := v.(map[string]any)
	if !ok {
		return canonical(v), plain(v)
	}
	switch list {
	case "routes":
		return canonical(m["match"]), routeLabel(m)
	case "filter_chains":
		return canonical(m["filter_chain_match"]), chainLabel(m)
	case "lb_endpoints":
		if a := addressOf(m); a != "" {
			return a, a
		}
	case "endpoints":
		l := localityLabel(m)
		return l, l
	case "stats_tags":
		if n, ok := m["tag_name"].(string); ok {
			return n, n
		}
	}
	if n := nameOf(v); n != "" {
		return n, n
	}
	for _, name := range []string{"header", "key", "tag", "upgrade_type"} {
		switch inner := m[name].(type) {
		case string:
			return inner, inner
		case map[string]any:
			if k, ok := inner["key"].(string); ok {
				return k, k
			}
		}
	}
	return canonical(v), ""
}

// nameOf is an item's name, "" when it has none.
func nameOf(v any) string {
	m, _ := v.(map[string]any)
	name, _ := m["name"].(string)
	return name
}

// addressOf is the address of an endpoint.
func addressOf(m map[string]any) string {
	endpoint, _ := m["endpoint"].(map[string]any)
	if endpoint == nil {
		return ""
	}
	return address(endpoint["address"])
}

// address is an address as HOST:PORT.
func address(v any) string {
	m, _ := v.(map[string]any)
	if s, ok := m["socket_address"].(map[string]any); ok {
		return fmt.Sprintf("%v:%v", s["address"], s["port_value"])
	}
	if s, ok := m["pipe"].(map[string]any); ok {
		return fmt.Sprintf("unix://%v", s["path"])
	}
	if s, ok := m["envoy_internal_address"].(map[string]any); ok {
		return strings.TrimSuffix(fmt.Sprintf("envoy://%v/%v", s["server_listener_name"], s["endpoint_id"]), "/<nil>")
	}
	return ""
}

// localityLabel is REGION/ZONE/SUBZONE and the priority, where they say something.
func localityLabel(m map[string]any) string {
	l, _ := m["locality"].(map[string]any)
	var parts []string
	for _, name := range []string{"region", "zone", "sub_zone"} {
		if s, ok := l[name].(string); ok && s != "" {
			parts = append(parts, s)
		}
	}
	label := strings.Join(parts, "/")
	if p, ok := m["priority"].(json.Number); ok && p != "0" {
		label = strings.TrimSpace(label + " priority " + p.String())
	}
	return label
}

// routeLabel is what a route matches, in short.
func routeLabel(m map[string]any) string {
	match, _ := m["match"].(map[string]any)
	label := ""
	for _, name := range []string{"prefix", "path", "path_separated_prefix", "safe_regex", "connect_matcher", "path_match_policy"} {
		switch v := match[name].(type) {
		case string:
			label = v
			if name == "prefix" || name == "path_separated_prefix" {
				label += "*"
			}
		case map[string]any:
			label = strings.TrimSpace(name + " " + stringOf(v["regex"]))
		}
	}
	for _, list := range []string{"headers", "query_parameters"} {
		conditions, _ := match[list].([]any)
		for _, c := range conditions {
			label += " " + strings.TrimSuffix(list, "s") + ":" + nameOf(c)
		}
	}
	return label
}

// chainLabel is what a filter chain matches, in short, or its name.
func chainLabel(m map[string]any) string {
	match, _ := m["filter_chain_match"].(map[string]any)
	var parts []string
	if name := nameOf(m); name != "" && name != "virtualInbound" && name != "virtualInbound-catchall-http" {
		parts = append(parts, name)
	}
	if p := stringOf(match["destination_port"]); p != "" {
		parts = append(parts, "port "+p)
	}
	for _, name := range []string{"server_names", "prefix_ranges", "application_protocols"} {
		list, _ := match[name].([]any)
		var texts []string
		for _, v := range list {
			if r, ok := v.(map[string]any); ok {
				texts = append(texts, stringOf(r["address_prefix"])+"/"+stringOf(r["prefix_len"]))
				continue
			}
			texts = append(texts, stringOf(v))
		}
		if len(texts) > 0 {
			parts = append(parts, strings.Join(texts, ","))
		}
	}
	if t := stringOf(match["transport_protocol"]); t != "" {
		parts = append(parts, t)
	}
	if len(parts) == 0 {
		return "any"
	}
	return strings.Join(parts, " ")
}

func stringOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}
