package ztunnel

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/hint"
)

// DumpPath is the admin request for what [Read] reads.
const DumpPath = "/config_dump"

// Source is a ztunnel's dump.
type Source struct {
	// Name is the pod or file that it is from.
	Name string
	io.Reader
}

// Part is a part of a dump, by the name that it has there.
type Part string

// The parts of a dump.
const (
	Workloads    Part = "workloads"
	Services     Part = "services"
	Policies     Part = "policies"
	Certificates Part = "certificates"
	States       Part = "workloadState"
)

// Dump is what a ztunnel knows. Parts that were not asked for are empty.
type Dump struct {
	// Ztunnel is the pod or file that it is from.
	Ztunnel      string
	Workloads    []*Workload
	Services     []*Service
	Policies     []*Policy
	Certificates []*Identity
	States       []*State
}

const takeDump = "a dump is what `curl localhost:15000/config_dump` prints in a ztunnel pod"

// Read reads the parts of a dump, or without any all that it has. It fails when
// the source is no dump of a ztunnel, or lacks a part: an older ztunnel does
// not tell of its connections.
func Read(s Source, parts ...Part) (*Dump, error) {
	d := &Dump{Ztunnel: s.Name}
	buffered := bufio.NewReaderSize(s.Reader, 64<<10)
	if err := s.sniff(buffered); err != nil {
		return nil, err
	}
	wanted := parts
	if len(parts) == 0 {
		parts = []Part{Workloads, Services}
		wanted = append(parts, Policies, Certificates, States)
	}
	dec := json.NewDecoder(buffered)
	keys, err := d.read(dec, wanted)
	if err != nil {
		return nil, s.readError(err, dec.InputOffset())
	}
	for _, p := range parts {
		if slices.Contains(keys, string(p)) {
			continue
		}
		if slices.Contains(keys, string(Workloads)) && slices.Contains(keys, string(Services)) {
			return nil, hint.Unanswerablef("it is of a ztunnel that is too old to tell", "%s has no %s: it has %s", s.Name, p, strings.Join(keys, ", "))
		}
		return nil, hint.Unanswerablef(takeDump, "%s is not a dump of a ztunnel: it is %s", s.Name, whatObject(keys))
	}
	d.settle()
	return d, nil
}

// read decodes the members of the dump that are wanted and returns the names of all.
func (d *Dump) read(dec *json.Decoder, parts []Part) ([]string, error) {
	if _, err := dec.Token(); err != nil { // the opening brace
		return nil, err
	}
	var keys []string
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name := key.(string)
		keys = append(keys, name)
		if err := d.part(dec, name, slices.Contains(parts, Part(name))); err != nil {
			return nil, err
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	return keys, nil
}

func (d *Dump) part(dec *json.Decoder, name string, wanted bool) error {
	if !wanted {
		return passOver(dec)
	}
	switch Part(name) {
	case Workloads:
		return items(dec, func(_ string, w *Workload) { d.Workloads = append(d.Workloads, w) })
	case Services:
		return items(dec, func(_ string, s *Service) { d.Services = append(d.Services, s) })
	case Policies:
		return items(dec, func(_ string, p *Policy) { d.Policies = append(d.Policies, p) })
	case Certificates:
		return items(dec, func(_ string, c *Identity) { d.Certificates = append(d.Certificates, c) })
	case States:
		return items(dec, func(uid string, s *State) { s.UID = uid; d.States = append(d.States, s) })
	}
	return passOver(dec)
}

// items calls add for each item of a list, or of a map with its key; null is empty.
func items[T any](dec *json.Decoder, add func(key string, item *T)) error {
	open, err := dec.Token()
	if err != nil || open == nil {
		return err
	}
	if open != json.Delim('[') && open != json.Delim('{') {
		return fmt.Errorf("%v where a list belongs", open)
	}
	for dec.More() {
		key := ""
		if open == json.Delim('{') {
			token, err := dec.Token()
			if err != nil {
				return err
			}
			key = token.(string)
		}
		item := new(T)
		if err := dec.Decode(item); err != nil {
			return err
		}
		add(key, item)
	}
	_, err = dec.Token()
	return err
}

// nothing is decoded from anything.
type nothing struct{}

// UnmarshalJSON keeps nothing.
func (*nothing) UnmarshalJSON([]byte) error { return nil }

// passOver consumes one value item by item, so that it is never in memory whole.
func passOver(dec *json.Decoder) error {
	token, err := dec.Token()
	if err != nil {
		return err
	}
	if token != json.Delim('[') && token != json.Delim('{') {
		return nil
	}
	for dec.More() {
		if token == json.Delim('{') {
			if _, err := dec.Token(); err != nil {
				return err
			}
		}
		if err := dec.Decode(&nothing{}); err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return err
}

// sniff refuses what is not a JSON object.
func (s Source) sniff(b *bufio.Reader) error {
	head, err := b.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) && len(head) == 0 {
		return s.readError(err, 0)
	}
	text := bytes.TrimLeft(head, " \t\r\n")
	fail := func(what string) error {
		return hint.Unanswerablef(takeDump, "%s is not a dump of a ztunnel: it is %s", s.Name, what)
	}
	switch {
	case len(text) == 0:
		return fail("empty")
	case text[0] == '{':
		return nil
	case text[0] == '[':
		return fail("a JSON array, such as `istioctl ztunnel-config -o json` prints")
	case bytes.HasPrefix(text, []byte("\x1f\x8b")):
		return hint.Unanswerablef("unpack it first", "%s is not a dump of a ztunnel: it is compressed with gzip", s.Name)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if r := []rune(line); len(r) > 60 {
		line = string(r[:60]) + "..."
	}
	return fail(fmt.Sprintf("text that begins with %q", line))
}

// readError says what is wrong after the byte to which the dump was read.
func (s Source) readError(err error, read int64) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return hint.Unanswerablef("it was cut off when it was written: take it again", "reading %s: it ends in the middle", s.Name)
	case errors.As(err, &syntax):
		return hint.Unanswerablef(takeDump, "reading %s: after byte %d: %w", s.Name, read, err)
	case errors.As(err, &kind):
		return hint.Unanswerablef(takeDump, "%s is not a dump of a ztunnel: it has a %s where %s belongs", s.Name, kind.Value, kind.Field)
	}
	return hint.Unanswerablef("check that the source is still there", "reading %s: %w", s.Name, err)
}

// whatObject guesses what a JSON object is by its members.
func whatObject(keys []string) string {
	has := func(key string) bool { return slices.Contains(keys, key) }
	switch {
	case has("configs"):
		return "a dump of Envoy, which `proxy-config` reads"
	case has("apiVersion"), has("kind"):
		return "a Kubernetes object or a document of this kind"
	case len(keys) == 0:
		return "an empty JSON object"
	}
	return "a JSON object with " + strings.Join(keys[:min(len(keys), 6)], ", ")
}
