package proxyconfig

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/hint"
)

// Source is a dump to read: Envoy's config_dump, whole or masked, or its
// /clusters, in Envoy's or istiod's spelling of the fields.
type Source struct {
	// Name is the pod or file it is from, for errors and for the result.
	Name string
	io.Reader
	// KeepConfig keeps Envoy's own JSON of everything read, redacted; it is
	// shown in the json and yaml formats only.
	KeepConfig bool
	// OnSection hears the @type of every section, such as ClustersConfigDump; may be nil.
	OnSection func(name string)
}

// Field reads the elements of one field of a dump, one call each.
type Field func(Element) error

// Element is one value of a dump, not decoded yet, in istiod's spelling if
// camel. Its text is good until the next element is read.
type Element struct {
	text   []byte
	camel  bool
	keep   bool
	reader *dumpReader
}

// Decode decodes the element into v. Where configs are kept it returns the
// element's member that names lead to, redacted.
func (e Element) Decode(v any, names ...string) (json.RawMessage, error) {
	if err := e.decode(v); err != nil {
		return nil, err
	}
	return e.config(names...)
}

// config is the element's member that names lead to, redacted; nil where
// configs are not kept.
func (e Element) config(names ...string) (json.RawMessage, error) {
	if !e.keep {
		return nil, nil
	}
	if !json.Valid(e.text) {
		var all any
		return nil, json.Unmarshal(e.text, &all)
	}
	return redact(pick(e.text, names...)), nil
}

func (e Element) decode(v any) error {
	return e.reader.decode(e.text, v, e.camel)
}

// JSON is the element's text in Envoy's spelling, not decoded, and good until
// the next element is read.
func (e Element) JSON() json.RawMessage {
	if e.camel {
		return appendSnakeKeys(nil, e.text)
	}
	return e.text
}

// Camel says whether the source spells fields as istiod does.
func (e Element) Camel() bool { return e.camel }

// decode decodes what of text v has fields for.
func (r *dumpReader) decode(text []byte, v any, camel bool) error {
	if len(text) == 0 {
		return &json.SyntaxError{}
	}
	r.part, _ = r.known.of(reflect.TypeOf(v)).only(r.part[:0], text, 0, camel)
	err := json.Unmarshal(r.part, v)
	if err != nil && !json.Valid(text) {
		// What is said should be about the text that the person has.
		var all any
		return json.Unmarshal(text, &all)
	}
	return err
}

// dumpReader walks the upper levels of a dump token by token, so that only
// one element is in memory at a time.
type dumpReader struct {
	source Source
	scan   *scanner
	fields map[string]Field
	// sections are the @types of the parts that are wanted, such as ClustersConfigDump.
	sections []string

	found bool     // a wanted section or field was there
	keys  []string // the members of the top object
	types []string // the @types of the sections
	envoy bool     // it is some dump of Envoy

	known shapes
	part  []byte // what is decoded of an element
}

// Each calls fields for the elements of the dump. It fails when the source is
// no dump, or has none of the sections or fields asked for.
func (s Source) Each(sections []string, fields map[string]Field) error {
	text, err := unzipped(bufio.NewReaderSize(s.Reader, 64<<10))
	if err != nil {
		return s.readError(err)
	}
	r := &dumpReader{source: s, fields: fields, sections: sections, known: shapes{}}
	form, err := s.sniff(text)
	if err == nil {
		err = r.read(form, text)
	}
	if err != nil {
		return s.readError(err)
	}
	switch {
	case r.found, r.whole():
		return nil
	case r.envoy:
		return hint.Unanswerablef("take the whole dump: `curl localhost:15000/config_dump?include_eds` in the pod", "%s does not have this part: it has %s", s.Name, list(r.types))
	case form == arrayForm || form == yamlForm && len(r.keys) == 0:
		return hint.Unanswerablef(takeDump, "%s is not an Envoy config dump: it is a list of other things", s.Name)
	}
	return hint.Unanswerablef(takeDump, "%s is not an Envoy config dump: it is %s", s.Name, whatObject(r.keys))
}

// read reads text of a form.
func (r *dumpReader) read(form form, text *bufio.Reader) error {
	switch form {
	case arrayForm:
		r.scan = newScanner(text)
		return r.array()
	case yamlForm:
		return r.yaml(text)
	case clustersForm:
		return r.clustersText(text)
	}
	r.scan = newScanner(text)
	return r.object(true)
}

// whole says whether the dump was taken without a mask: then a part that is
// not there is empty. Every Envoy has a bootstrap and clusters.
func (r *dumpReader) whole() bool {
	return slices.Contains(r.types, "BootstrapConfigDump") && slices.Contains(r.types, "ClustersConfigDump")
}

const takeDump = "a dump is what `curl localhost:15000/config_dump?include_eds` prints in the pod"

// readError says what is wrong with JSON that could not be read to its end.
func (s Source) readError(err error) error {
	var broken *scanError
	var known *hint.Error
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return hint.Unanswerablef("it was cut off when it was written: take it again", "reading %s: it ends in the middle", s.Name)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum):
		return hint.Unanswerablef("it was damaged on its way: take it again", "reading %s: it is damaged gzip", s.Name)
	case errors.As(err, &broken):
		return hint.Unanswerablef(takeDump, "reading %s: %w", s.Name, err)
	}
	return hint.Unanswerablef("check that the source is still there", "reading %s: %w", s.Name, err)
}

// object reads one object: the top one, or a section of a config dump.
func (r *dumpReader) object(top bool) error {
	return r.scan.each('{', func() error {
		key, err := r.scan.key()
		if err != nil {
			return err
		}
		return r.member(top, key)
	})
}

func (r *dumpReader) member(top bool, key string) error {
	name := snakeName(key)
	if top {
		r.keys = append(r.keys, key)
	}
	if read, ok := r.fields[name]; ok {
		r.found, r.envoy = true, true
		return r.elements(name, read, name != key)
	}
	switch {
	case name == "@type":
		return r.section()
	case top && name == "configs":
		r.envoy = true
		return r.scan.each('[', func() error { return r.object(false) })
	}
	return r.scan.skip()
}

func (r *dumpReader) section() error {
	var url string
	if err := r.decodeOne(func(e Element) error { _, err := e.Decode(&url); return err }, false); err != nil {
		return err
	}
	section := url[strings.LastIndexByte(url, '.')+1:]
	if strings.HasSuffix(section, "ConfigDump") {
		r.envoy = true
		r.types = append(r.types, section)
		if r.source.OnSection != nil {
			r.source.OnSection(section)
		}
	}
	r.found = r.found || slices.Contains(r.sections, section)
	return nil
}

// elements calls read for every element of an array; the bootstrap is the
// only part that is not one.
func (r *dumpReader) elements(name string, read Field, camel bool) error {
	if name == "bootstrap" {
		return r.decodeOne(read, camel)
	}
	return r.scan.each('[', func() error { return r.decodeOne(read, camel) })
}

func (r *dumpReader) decodeOne(read Field, camel bool) error {
	if _, err := r.scan.peek(); err != nil {
		return err
	}
	start := r.scan.offset()
	text, err := r.scan.value()
	if err != nil {
		return err
	}
	return r.element(start, text, read, camel)
}

// element hands one element to what reads it; start is where it stands.
func (r *dumpReader) element(start int64, text []byte, read Field, camel bool) error {
	err := read(Element{text: text, camel: camel, keep: r.source.KeepConfig, reader: r})
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return &scanError{start + syntax.Offset, syntax.Error()}
	case errors.As(err, &kind):
		return hint.Unanswerablef(takeDump, "%s is not an Envoy config dump: at byte %d it has a %s where %s belongs", r.source.Name, start+1, kind.Value, kind.Field)
	}
	return err
}

// whatObject guesses what a JSON object is by its members.
func whatObject(keys []string) string {
	has := func(key string) bool { return slices.Contains(keys, key) }
	switch {
	case has("cluster_statuses"):
		return "the output of Envoy's /clusters, which only `proxy-config endpoint` reads"
	case has("listener_statuses"):
		return "the output of Envoy's /listeners"
	case has("command_line_options"):
		return "the output of Envoy's /server_info"
	case has("certificates"):
		return "the output of Envoy's /certs"
	case has("stats"):
		return "the output of Envoy's /stats"
	case has("apiVersion"), has("kind"):
		return "a Kubernetes object or a document of this kind"
	case has("services") && has("workloads"):
		return "a dump of ztunnel"
	case len(keys) == 0:
		return "an empty JSON object"
	}
	return "a JSON object with " + list(keys)
}

func list(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	if len(names) > 6 {
		return strings.Join(names[:5], ", ") + fmt.Sprintf(" and %d more", len(names)-5)
	}
	return strings.Join(names, ", ")
}

func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "..."
	}
	return s
}
