package kube

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"
	"unsafe"

	"go.yaml.in/yaml/v3"

	"github.com/meshctl/meshctl/internal/mesh"
)

// document is one YAML document of a file, or a whole JSON file.
type document struct {
	path string
	// line is the file's line, from 1, at which text begins, and column the
	// column less one, which only items of JSON have.
	line, column int
	text         []byte

	// item says that text is one item of a list, which splitItems cut out.
	item bool
	// isJSON says that the text is JSON, and valid.
	isJSON bool

	// What is found out when it is needed, see [locator].
	itemsOnce sync.Once
	items     []spot
	asked     atomic.Bool
	tried     atomic.Int64
	rootOnce  sync.Once
	root      *yaml.Node
	rootErr   error

	objects   []*mesh.Object
	broken    []BrokenDocument
	emptyList bool
	// skip is why the document was passed over; empty when it was not.
	skip string
	// isTemplate says that the reason is that something else makes an object of it.
	isTemplate bool
}

// textOf is a text without copying it. The texts of documents never change.
func textOf(text []byte) string { return unsafe.String(unsafe.SliceData(text), len(text)) }

// split cuts a file at the lines that begin a YAML document.
func split(path string, text []byte) []*document {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	var docs []*document
	start, startLine, line := 0, 1, 1
	cut := func(end int) {
		if part := text[start:end]; hasContent(part) {
			docs = append(docs, &document{path: path, line: startLine, text: part})
		}
	}
	for at := 0; at < len(text); line++ {
		end := bytes.IndexByte(text[at:], '\n') + 1
		if end == 0 {
			end = len(text) - at
		}
		switch one := text[at : at+end]; {
		case at > start && isSeparator(one):
			cut(at)
			start, startLine = at, line
		case isEnd(one):
			cut(at)
			start, startLine = at+end, line+1
		}
		at += end
	}
	cut(len(text))
	return docs
}

func isSeparator(line []byte) bool {
	rest, found := bytes.CutPrefix(line, []byte("---"))
	return found && (len(rest) == 0 || rest[0] == '\n' || rest[0] == '\r' || rest[0] == ' ' || rest[0] == '\t')
}

// isEnd says whether a line ends a document, so that another may follow without separator.
func isEnd(line []byte) bool {
	rest, found := bytes.CutPrefix(line, []byte("..."))
	return found && len(bytes.TrimSpace(rest)) == 0
}

// hasContent says whether a document has more than comments, blank lines and
// its separator.
func hasContent(text []byte) bool {
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if isSeparator(line) {
			line = bytes.TrimSpace(line[3:])
		}
		if len(line) > 0 && line[0] != '#' && line[0] != '%' && string(line) != "..." {
			return true
		}
	}
	return false
}

// parse reads the document's objects; it sets objects, broken or skip.
func (d *document) parse() {
	if line, reason := d.notText(); reason != "" {
		d.fail(line, reason)
		return
	}
	if parts := d.concatenated(); parts != nil {
		for _, part := range parts {
			part.parse()
			d.objects, d.broken = append(d.objects, part.objects...), append(d.broken, part.broken...)
			d.emptyList = d.emptyList || part.emptyList
			d.skip, d.isTemplate = cmp.Or(d.skip, part.skip), d.isTemplate || part.isTemplate
		}
		return
	}
	value, err := d.decode()
	if err != nil {
		if bytes.Contains(d.text, []byte("{{")) {
			d.skip = template
			return
		}
		line, reason := d.yamlError(err)
		d.fail(line, reason)
		return
	}
	var prefix mesh.Path
	if list, isList := value.([]any); d.item && isList && len(list) == 1 {
		value, prefix = list[0], mesh.Path{0}
	}
	d.take(value, prefix)
	if len(d.objects) == 1 && len(d.objects[0].Origin.Locator.(*locator).prefix) == len(prefix) {
		// What one document holds is quick to read again; an item of a long list is not.
		d.objects[0].Reread(d.reread)
	}
}

// notText says why the bytes are no text, and on which line of the document.
func (d *document) notText() (line int, reason string) {
	nul := bytes.IndexByte(d.text, 0) >= 0
	if !nul && utf8.Valid(d.text) {
		return 0, ""
	}
	for l := range bytes.Lines(d.text) {
		line++
		switch {
		case line == 1 && d.line == 1 && (bytes.HasPrefix(l, []byte("\xff\xfe")) || bytes.HasPrefix(l, []byte("\xfe\xff"))):
			return line, "it is UTF-16; save it as UTF-8"
		case !utf8.Valid(l):
			return line, "it is not valid UTF-8"
		case nul && bytes.IndexByte(l, 0) >= 0:
			return line, "it holds a NUL byte, which no text has"
		}
	}
	return line, "it is not valid UTF-8"
}

// fail notes that the document cannot be read, at a line counted from its first.
func (d *document) fail(line int, reason string) {
	p := mesh.Position{File: d.path, Line: d.line, Column: 1}
	if line > 0 {
		p.Line, p.Column = d.line+line-1, d.columnOf(line)
	}
	d.broken = append(d.broken, BrokenDocument{Position: p, Reason: reason, text: d.text})
}

// failAt is fail for a value of the document.
func (d *document) failAt(path mesh.Path, reason string) {
	p := mesh.Position{File: d.path}
	p.Line, p.Column = (&locator{document: d}).Locate(path, false)
	d.broken = append(d.broken, BrokenDocument{Position: p, Reason: reason, text: d.text})
}

// columnOf is where a line has its first text, counted from 1.
func (d *document) columnOf(line int) int {
	for l := range bytes.Lines(d.text) {
		if line--; line == 0 {
			if rest := bytes.TrimLeft(l, " "); len(bytes.TrimSpace(rest)) > 0 {
				return len(l) - len(rest) + 1
			}
			break
		}
	}
	return 1
}

// take makes objects of a decoded value; prefix is its path in the document.
func (d *document) take(value any, prefix mesh.Path) {
	m, ok := value.(map[string]any)
	if !ok {
		if prefix == nil {
			d.skip = noObject
		} else {
			d.failAt(prefix, prefix.String()+" is not an object")
		}
		return
	}
	apiVersion, _ := m["apiVersion"].(string)
	name, _ := m["kind"].(string)
	switch {
	case prefix == nil && (apiVersion == "" && name == "" || (apiVersion == "" || name == "") && m["metadata"] == nil):
		d.skip = noObject
		return
	case apiVersion == "" || name == "":
		missing := "apiVersion"
		if name == "" {
			missing = "kind"
		}
		d.failAt(prefix, "the object has no "+missing)
		return
	}
	if items, isList := m["items"].([]any); isList && strings.HasSuffix(name, "List") {
		d.emptyList = true
		for i, item := range items {
			d.take(item, prefix.Join("items").Join(i))
		}
		return
	}
	if reason := d.notWhole(m); reason != "" {
		d.skip = reason
		return
	}
	if reason := d.unfilled(m); reason != "" {
		d.skip, d.isTemplate = reason, true
		return
	}
	kind, known := mesh.KindOf(apiVersion, name)
	if !known {
		kind = mesh.ForeignKind(apiVersion, name)
	}
	o := mesh.NewObject(kind, m, mesh.Origin{File: d.path, Locator: &locator{d, prefix}})
	if o.Name == "" && prefix == nil && !d.item {
		if key := otherLetters(m, "metadata"); key != "" {
			d.failAt(mesh.Path{key}, fmt.Sprintf(`the object has %q instead of "metadata"`, key))
			return
		}
		d.skip = nameless
		return
	}
	d.objects = append(d.objects, o)
}

// reread is the document's one object as it was read the first time.
func (d *document) reread() map[string]any {
	value, _ := d.decode()
	if list, isList := value.([]any); isList && len(list) == 1 {
		value = list[0]
	}
	m, _ := value.(map[string]any)
	return m
}

// Why a document is passed over.
const (
	noObject  = "it holds no object with apiVersion and kind"
	template  = "it is a template; render it first and pipe the result in"
	patchOnly = "it is a patch, not a whole object"
	nameless  = "it has no metadata.name, as a patch or a tool's settings have none"
)

// leaveAside passes over what is broken and cannot have been meant for a
// cluster, such as JSON with comments for another program.
func (d *document) leaveAside() {
	if len(d.broken) != 1 || len(d.objects) > 0 || len(d.text) == 0 || bytes.HasPrefix(d.text, []byte("\xff\xfe")) || bytes.HasPrefix(d.text, []byte("\xfe\xff")) {
		return
	}
	if !bytes.Contains(d.text, []byte("apiVersion")) && !bytes.Contains(d.text, []byte("kind")) {
		d.skip, d.broken = d.broken[0].Reason+"; it names no apiVersion and kind either", nil
	}
}

// template is the document's text when it is a template, otherwise nil.
func (d *document) template() []byte {
	if d.skip == template || d.isTemplate {
		return d.text
	}
	return nil
}

// notWhole says why a document that looks like an object is none: it is a
// template that happens to be YAML, or a patch.
func (d *document) notWhole(m map[string]any) string {
	if bytes.Contains(d.text, []byte("$patch")) && hasField(m, "$patch") {
		return patchOnly
	}
	if !bytes.Contains(d.text, []byte("{{")) {
		return ""
	}
	metadata, _ := m["metadata"].(map[string]any)
	for _, value := range []any{m["apiVersion"], m["kind"], metadata["name"], metadata["namespace"]} {
		if s, ok := value.(string); ok && strings.Contains(s, "{{") {
			return template
		}
	}
	// ConfigMaps hold templates that are theirs, such as the injector's; foreign
	// kinds have templates of their own.
	kind, _ := mesh.KindOf(fmt.Sprint(m["apiVersion"]), fmt.Sprint(m["kind"]))
	if !kind.IsZero() && kind != mesh.ConfigMap && kind != mesh.Secret && helmTemplate.Match(d.text) {
		return template
	}
	return ""
}

// hasField says whether a value has a field somewhere.
func hasField(value any, name string) bool {
	switch v := value.(type) {
	case map[string]any:
		if _, has := v[name]; has {
			return true
		}
		for _, item := range v {
			if hasField(item, name) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, func(item any) bool { return hasField(item, name) })
	}
	return false
}

// helmTemplate is what Helm's templates have and other texts with braces have not.
var helmTemplate = regexp.MustCompile(`\{\{-?\s*(?:\.Values\.|\.Release\.|\.Chart\.|include |\$\.Values\.|tpl |toYaml )`)

// parseNodes parses the document into nodes; it is used to find positions, too.
func (d *document) parseNodes() (*yaml.Node, error) {
	text := d.text
	if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') {
		// Tabs indent JSON but not YAML; inside JSON's strings they can't be.
		text = bytes.ReplaceAll(text, []byte("\t"), []byte(" "))
	}
	var root, more yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(text))
	if err := dec.Decode(&root); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch err := dec.Decode(&more); {
	case errors.Is(err, io.EOF):
		return &root, nil
	case err == nil:
		return nil, &lineError{more.Line, "another document begins without --- in front of it"}
	default:
		return nil, err // such as a second {} without ---
	}
}
