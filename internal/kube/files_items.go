package kube

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// cutItems cuts a list into its items, so that these are parsed side by
// side, and one is looked into without the others. It is nil when the document
// is no list, or one whose items can't be told by the lines.
func (d *document) cutItems() []*document {
	if trimmed := bytes.TrimSpace(d.text); len(trimmed) > 0 && trimmed[0] == '{' {
		return d.cutJSON()
	}
	itemsAt := bytes.Index(d.text, []byte("\nitems:")) + 1
	if itemsAt == 0 {
		return nil
	}
	c := cutter{text: d.text, line: d.line + bytes.Count(d.text[:itemsAt], []byte("\n")), at: itemsAt}
	if first := c.next(); !bytes.Equal(bytes.TrimRight(first, " \r\n"), []byte("items:")) {
		return nil
	}
	end := len(d.text)
	var items []*document
	indent := -1
	for c.at < len(c.text) {
		start, line := c.at, c.line
		text := c.next()
		trimmed := bytes.TrimLeft(text, " ")
		width := len(text) - len(trimmed)
		switch {
		case len(bytes.TrimSpace(trimmed)) == 0 || trimmed[0] == '#':
			continue
		case indent < 0 && !isDash(trimmed):
			return nil
		case indent < 0:
			indent = width
		}
		if width > indent {
			continue
		}
		if width < indent || !isDash(trimmed) {
			end = start
			break // what follows the items
		}
		items = append(items, &document{path: d.path, line: line, text: c.text[start:], item: true})
	}
	for i, item := range items {
		until := end
		if i+1 < len(items) {
			until = len(d.text) - len(items[i+1].text)
		}
		item.text = item.text[:until-(len(d.text)-len(item.text))]
	}
	if len(items) < 2 || !d.isListAround(itemsAt, end) {
		return nil
	}
	return items
}

// cutJSON is cutItems for JSON.
func (d *document) cutJSON() []*document {
	if !bytes.Contains(d.text, []byte(`List"`)) || !json.Valid(d.text) {
		return nil
	}
	text := textOf(d.text)
	spots := jsonItems(text, spot{at: 0, line: d.line, column: d.column + 1})
	if len(spots) < 2 {
		return nil
	}
	j := &jsonText{text: text}
	var items []*document
	for _, s := range spots {
		j.at = s.at
		j.skip()
		items = append(items, &document{path: d.path, line: s.line, column: s.column - 1, text: d.text[s.at:j.at], item: true})
	}
	around := &document{text: slices.Concat(d.text[:spots[0].at], d.text[j.at:])}
	if !around.isList() {
		return nil
	}
	return items
}

// isDash says whether a line begins an item of a list.
func isDash(line []byte) bool {
	return len(line) > 1 && line[0] == '-' && (line[1] == ' ' || line[1] == '\n' || line[1] == '\r')
}

// isListAround says whether what is around the items makes the document a list.
func (d *document) isListAround(from, to int) bool {
	around := &document{text: slices.Concat(d.text[:from], []byte("items: []\n"), d.text[to:])}
	return around.isList()
}

// isList says whether the document is a list without items.
func (d *document) isList() bool {
	value, err := d.decode()
	m, _ := value.(map[string]any)
	kind, _ := m["kind"].(string)
	apiVersion, _ := m["apiVersion"].(string)
	items, isList := m["items"].([]any)
	return err == nil && isList && len(items) == 0 && apiVersion != "" && strings.HasSuffix(kind, "List")
}

// join makes the list's objects of those of its items; when one of these is not
// what it should be the document is read as a whole.
func (d *document) join(items []*document) {
	for _, item := range items {
		if len(item.broken) > 0 || item.skip != "" || len(item.objects) == 0 && !item.emptyList {
			d.parse()
			return
		}
	}
	d.emptyList = true
	for _, item := range items {
		d.objects = append(d.objects, item.objects...)
	}
}

// cutter goes through a text by lines.
type cutter struct {
	text []byte
	at   int
	line int
}

func (c *cutter) next() []byte {
	start := c.at
	if end := bytes.IndexByte(c.text[c.at:], '\n'); end >= 0 {
		c.at += end + 1
	} else {
		c.at = len(c.text)
	}
	c.line++
	return c.text[start:c.at]
}
