package proxyconfig

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Redact copies JSON, such as a dump, in compact form with private keys,
// passwords and tokens replaced. Of a dump it holds no more than one element in
// memory. Text that ends too early is an error.
func Redact(to io.Writer, from io.Reader) error {
	r := &streamRedactor{scan: newScanner(from), out: bufio.NewWriterSize(to, 64<<10), names: map[string]nameClass{}}
	c, err := r.scan.peek()
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil // nothing at all
	case err != nil:
		return err
	case c == '{':
		err = r.object(true)
	default:
		err = r.value(secrecy{})
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("it ends in the middle: %w", err)
	}
	if err != nil {
		return err
	}
	return r.out.Flush()
}

type streamRedactor struct {
	scan  *scanner
	out   *bufio.Writer
	names map[string]nameClass
}

// object copies the top object, or one of the sections of a dump; lists in it
// are copied item by item.
func (r *streamRedactor) object(top bool) error {
	comma := r.open('{')
	var label string
	labelled := false
	err := r.scan.each('{', func() error {
		comma()
		name, err := r.scan.key()
		if err != nil {
			return err
		}
		quoted, _ := json.Marshal(name) // a string can always be encoded
		_, _ = r.out.Write(append(quoted, ':'))
		class := classOf(name)
		c, err := r.scan.peek()
		if err != nil {
			return err
		}
		s := secrecy{all: class == deepName, own: class == secretName, rows: class == rowsName}
		switch {
		case c == '[' && class == plainName:
			return r.list(top && name == "configs")
		case class == labelName:
			text, err := r.scan.value()
			label, labelled = string(bytes.Trim(text, `"`)), true
			return r.write(text, s, err)
		case class == valueName: // whose it is may be said behind
			s.all = s.all || !labelled || secretLabel(label)
		}
		return r.value(s)
	})
	return errors.Join(err, r.out.WriteByte('}'))
}

func (r *streamRedactor) list(sections bool) error {
	comma := r.open('[')
	err := r.scan.each('[', func() error {
		comma()
		if c, err := r.scan.peek(); err != nil {
			return err
		} else if sections && c == '{' {
			return r.object(false)
		}
		return r.value(secrecy{})
	})
	return errors.Join(err, r.out.WriteByte(']'))
}

// open begins an object or a list, and returns what writes the commas in it.
func (r *streamRedactor) open(bracket byte) (comma func()) {
	_ = r.out.WriteByte(bracket) // the writer remembers its error
	first := true
	return func() {
		if !first {
			_ = r.out.WriteByte(',')
		}
		first = false
	}
}

// value copies one value through memory.
func (r *streamRedactor) value(s secrecy) error {
	text, err := r.scan.value()
	return r.write(text, s, err)
}

func (r *streamRedactor) write(text []byte, s secrecy, err error) error {
	if err != nil && (!errors.Is(err, io.ErrUnexpectedEOF) || !json.Valid(text)) { // a number ends with the text
		return err
	}
	if !json.Valid(text) {
		var all any
		return json.Unmarshal(text, &all)
	}
	in := redactor{text: text, out: make([]byte, 0, len(text)), names: r.names}
	in.value(0, s, 0)
	_, err = r.out.Write(in.out)
	return err
}
