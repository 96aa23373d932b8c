package diff

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// Action is what happened to a part on the way from A to B.
type Action string

// The actions.
const (
	Added   Action = "added"
	Removed Action = "removed"
	Changed Action = "changed"
	// Moved is an item of a list whose order counts that stands elsewhere.
	Moved Action = "moved"
)

// Change is one difference.
type Change struct {
	// Section is clusters, listeners, routes, endpoints, secrets, extensions or bootstrap.
	Section string `json:"section"`
	// Object is the name of the cluster, listener ... that differs.
	Object string `json:"object"`
	Action Action `json:"action"`
	// What is added, removed or moved, such as route or endpoint; field of others.
	What string `json:"what"`
	// Path is the field in the object, in Envoy's spelling; "" is the object itself.
	Path string `json:"path"`
	// Before and After are the values in A and B, without secrets; left out
	// where the object itself is added or removed.
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
	// Text is the change in words.
	Text string `json:"text"`

	owner Owner
}

// comparer compares the two trees of one element.
type comparer struct {
	section, object string
	changes         []Change
}

// place is where in an element two values stand.
type place struct {
	path         string
	parent, name string
	owner        Owner
}

func (p place) member(name string) place {
	path := name
	if p.path != "" {
		path = p.path + "." + name
	}
	return place{path: path, parent: p.name, name: name, owner: p.owner}
}

func (p place) item(label string) place {
	p.path += "[" + label + "]"
	return p
}

func (c *comparer) values(at place, a, b any) {
	ma, okA := a.(map[string]any)
	mb, okB := b.(map[string]any)
	if okA && okB {
		c.objects(at, ma, mb)
		return
	}
	la, okA := a.([]any)
	lb, okB := b.([]any)
	if okA && okB {
		c.lists(at, la, lb)
		return
	}
	if canonical(a) != canonical(b) {
		c.add(at, Changed, "field", a, b)
	}
}

func (c *comparer) objects(at place, a, b map[string]any) {
	at.owner = ownerOf(at.owner, b, a)
	keys := slices.Sorted(maps.Keys(b))
	for k := range a {
		if _, both := b[k]; !both {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		va, inA := a[k]
		vb, inB := b[k]
		field, what := at.member(k), "field"
		if at.name == "policies" {
			what = "policy"
			if o, ok := ownerOfPolicy(k); ok {
				field.owner = o
			}
		}
		switch {
		case !inA:
			c.add(field, Added, what, nil, vb)
		case !inB:
			c.add(field, Removed, what, va, nil)
		default:
			c.values(field, va, vb)
		}
	}
}

func (c *comparer) lists(at place, a, b []any) {
	what := whatOf(at.name)
	for i, p := range pairs(at.parent, at.name, a, b) {
		if p.label == "" {
			p.label = strconv.Itoa(i)
		}
		item := at.item(p.label)
		switch {
		case !p.inA:
			item.owner = ownerOf(at.owner, p.b)
			c.add(item, Added, what, nil, p.b)
		case !p.inB:
			item.owner = ownerOf(at.owner, p.a)
			c.add(item, Removed, what, p.a, nil)
		default:
			if p.moved {
				moved := item
				moved.owner = ownerOf(at.owner, p.b)
				c.add(moved, Moved, what, nil, nil)
			}
			// What stands in a list has the list's name: a member's parent is that.
			c.values(item, p.a, p.b)
		}
	}
}

// ownerOf is the owner of the first of the values that names one.
func ownerOf(fallback Owner, values ...any) Owner {
	for _, v := range values {
		if o, ok := ownerIn(v); ok {
			return o
		}
	}
	return fallback
}

func (c *comparer) add(at place, action Action, what string, before, after any) {
	change := Change{Section: c.section, Object: c.object, Action: action, What: what, Path: at.path, owner: at.owner}
	switch action {
	case Added:
		change.After = raw(after)
	case Removed:
		change.Before = raw(before)
	case Changed:
		change.Before, change.After = raw(before), raw(after)
	}
	change.Text = words(change, at, before, after)
	c.changes = append(c.changes, change)
}

// raw is a value as JSON, without its secrets.
func raw(v any) json.RawMessage {
	text, err := marshal(v, "")
	if err != nil {
		return nil
	}
	return text
}
