package proxyconfig

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Redact copies JSON, such as a dump, with private keys, passwords and tokens
// replaced; all else stays as it is, byte by byte. It holds no more than one
// string in memory. Text that ends too early is an error.
func Redact(to io.Writer, from io.Reader) error {
	r := &streamRedactor{in: bufio.NewReaderSize(from, 64<<10), out: bufio.NewWriterSize(to, 64<<10)}
	for {
		c, err := r.in.ReadByte()
		switch {
		case errors.Is(err, io.EOF) && len(r.levels) == 0:
			return r.out.Flush()
		case errors.Is(err, io.EOF):
			return fmt.Errorf("it ends in the middle: %w", io.ErrUnexpectedEOF)
		case err != nil:
			return err
		}
		if err := r.next(c); err != nil {
			return err
		}
	}
}

// streamRedactor knows where in the JSON it is.
type streamRedactor struct {
	in     *bufio.Reader
	out    *bufio.Writer
	levels []redactLevel
	text   []byte // the string being read, with its quotes
}

// redactLevel is an object or list that is open.
type redactLevel struct {
	object, secret, wantsKey bool
	// key is the last member's name, header the value of its member "key".
	key, header string
}

func (r *streamRedactor) next(c byte) error {
	switch c {
	case '{', '[':
		r.levels = append(r.levels, redactLevel{object: c == '{', wantsKey: c == '{', secret: r.secret()})
	case '}', ']':
		if len(r.levels) > 0 {
			r.levels = r.levels[:len(r.levels)-1]
		}
	case ',':
		if top := r.top(); top != nil {
			top.wantsKey = top.object
		}
	case ':':
		if top := r.top(); top != nil {
			top.wantsKey = false
		}
	case '"':
		return r.literal()
	}
	return r.out.WriteByte(c)
}

func (r *streamRedactor) top() *redactLevel {
	if len(r.levels) == 0 {
		return nil
	}
	return &r.levels[len(r.levels)-1]
}

// secret says whether all strings in the value that comes next are secret.
func (r *streamRedactor) secret() bool {
	top := r.top()
	if top == nil {
		return false
	}
	if !top.object {
		return top.secret
	}
	return (top.secret || SecretMember(top.key)) && top.key != "filename"
}

// literal copies a string, whose opening quote was read, or replaces it.
func (r *streamRedactor) literal() error {
	r.text = append(r.text[:0], '"')
	for escaped := false; ; {
		c, err := r.in.ReadByte()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("it ends in the middle: %w", io.ErrUnexpectedEOF)
		}
		if err != nil {
			return err
		}
		r.text = append(r.text, c)
		if c == '"' && !escaped {
			break
		}
		escaped = c == '\\' && !escaped
	}
	top := r.top()
	if top != nil && top.wantsKey {
		top.key = snakeName(literalText(r.text))
		_, err := r.out.Write(r.text)
		return err
	}
	if r.hides(top) {
		_, err := r.out.WriteString(`"` + redacted + `"`)
		return err
	}
	if top != nil && top.object && top.key == "key" {
		top.header = literalText(r.text)
	}
	_, err := r.out.Write(r.text)
	return err
}

func (r *streamRedactor) hides(top *redactLevel) bool {
	if len(r.text) > 2 && r.secret() {
		return true
	}
	header := top != nil && top.object && (top.key == "value" || top.key == "raw_value") && SecretHeader(top.header)
	return header || len(r.text) > 20 && SecretText(literalText(r.text))
}

// literalText is what a string literal says.
func literalText(literal []byte) string {
	for _, c := range literal {
		if c == '\\' {
			var s string
			if json.Unmarshal(literal, &s) != nil {
				return string(literal)
			}
			return s
		}
	}
	return string(literal[1 : len(literal)-1])
}
