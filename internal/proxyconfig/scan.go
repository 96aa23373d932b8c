package proxyconfig

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxElement bounds one element of a dump, in bytes: whatever is longer is no
// dump, and must not fill the memory.
const maxElement = 1 << 30

// scanner walks JSON without decoding it. A dump has tens of megabytes, of
// which one command shows a few: what is not asked for is passed over by
// counting brackets, and only what is asked for is decoded and so checked.
type scanner struct {
	r        io.Reader
	buf      []byte
	pos, end int
	base     int64 // offset of buf[0] in the stream
	keep     int   // where the value begins that is being kept; -1 is none
}

// scanError is text that is not JSON, or not a dump; the first byte is 1.
type scanError struct {
	byte int64
	what string
}

// Error says what is wrong and where.
func (e *scanError) Error() string { return fmt.Sprintf("at byte %d: %s", e.byte, e.what) }

func newScanner(r io.Reader) *scanner { return &scanner{r: r, buf: make([]byte, 256<<10), keep: -1} }

func (s *scanner) offset() int64 { return s.base + int64(s.pos) }

// fill reads more once all is consumed, and holds on to what is kept. The end
// of the stream is io.ErrUnexpectedEOF: it is only called inside a value.
func (s *scanner) fill() error {
	if err := s.room(); err != nil {
		return err
	}
	for {
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		switch {
		case n > 0:
			return nil
		case errors.Is(err, io.EOF):
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		}
	}
}

// room makes room behind what is kept.
func (s *scanner) room() error {
	held := s.buf[s.end:s.end]
	if s.keep >= 0 {
		held = s.buf[s.keep:s.end]
	}
	if len(held) > len(s.buf)/2 {
		if len(s.buf) >= maxElement {
			return &scanError{s.base + int64(s.keep) + 1, "an element longer than a gigabyte"}
		}
		s.buf = append(make([]byte, 0, 2*len(s.buf)), held...)
		s.buf = s.buf[:cap(s.buf)]
	} else {
		copy(s.buf, held)
	}
	s.base += int64(s.end - len(held))
	s.pos -= s.end - len(held)
	s.end = len(held)
	if s.keep >= 0 {
		s.keep = 0
	}
	return nil
}

// peek is the next byte that is not white space.
func (s *scanner) peek() (byte, error) {
	for {
		for ; s.pos < s.end; s.pos++ {
			switch c := s.buf[s.pos]; c {
			case ' ', '\t', '\r', '\n':
			default:
				return c, nil
			}
		}
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
}

// expect consumes the byte want.
func (s *scanner) expect(want byte) error {
	c, err := s.peek()
	if err != nil {
		return err
	}
	if c != want {
		return &scanError{s.offset() + 1, fmt.Sprintf("%q where %q belongs", c, want)}
	}
	s.pos++
	return nil
}

// each consumes an object or array, from open to its end, and calls read at
// the start of every member or item.
func (s *scanner) each(open byte, read func() error) error {
	if err := s.expect(open); err != nil {
		return err
	}
	closing := open + 2 // in ASCII, for both brackets
	for first := true; ; first = false {
		c, err := s.peek()
		if err != nil {
			return err
		}
		if c == closing {
			s.pos++
			return nil
		}
		if !first {
			if err := s.expect(','); err != nil {
				return err
			}
		}
		if err := read(); err != nil {
			return err
		}
	}
}

// key consumes a member's name and the colon after it.
func (s *scanner) key() (string, error) {
	if c, err := s.peek(); err != nil {
		return "", err
	} else if c != '"' {
		return "", &scanError{s.offset() + 1, fmt.Sprintf("%q where a name belongs", c)}
	}
	raw, err := s.value()
	if err != nil {
		return "", err
	}
	var key string
	if err := json.Unmarshal(raw, &key); err != nil {
		return "", &scanError{s.offset() + 1, err.Error()}
	}
	return key, s.expect(':')
}

// value consumes one value and returns its text, until the next call.
func (s *scanner) value() ([]byte, error) {
	if _, err := s.peek(); err != nil {
		return nil, err
	}
	s.keep = s.pos
	err := s.pass()
	text := s.buf[s.keep:s.pos]
	s.keep = -1
	return text, err
}

// skip consumes one value.
func (s *scanner) skip() error {
	if _, err := s.peek(); err != nil {
		return err
	}
	return s.pass()
}

// pass consumes the value at pos.
func (s *scanner) pass() error {
	var p passer
	for {
		n, done := p.pass(s.buf[s.pos:s.end])
		s.pos += n
		if done {
			return nil
		}
		if err := s.fill(); err != nil {
			return err
		}
	}
}

// passer finds the end of one value in text that may come in pieces.
type passer struct {
	depth             int
	inString, escaped bool
}

// pass consumes what of b belongs to the value, and says whether it ended.
func (p *passer) pass(b []byte) (n int, done bool) {
	for i := 0; i < len(b); {
		if p.inString {
			if p.escaped {
				p.escaped = false
				i++
				continue
			}
			i += p.inText(b[i:])
			if !p.inString && p.depth == 0 {
				return i, true
			}
			continue
		}
		switch kinds[b[i]] {
		case quote:
			p.inString = true
		case opening:
			p.depth++
		case closing:
			if p.depth == 0 { // the end of a number or word, and of what holds it
				return i, true
			}
			if p.depth--; p.depth == 0 {
				return i + 1, true
			}
		case separator:
			if p.depth == 0 {
				return i, true
			}
		}
		i++
	}
	return len(b), false
}

// inText consumes the rest of a string literal, or of b.
func (p *passer) inText(b []byte) int {
	end := bytes.IndexByte(b, '"')
	if end < 0 {
		end = len(b)
	}
	if back := bytes.IndexByte(b[:end], '\\'); back >= 0 {
		p.escaped = true
		return back + 1
	}
	if end == len(b) {
		return end
	}
	p.inString = false
	return end + 1
}

// What a byte outside of strings means to a passer.
const (
	other = iota
	quote
	opening
	closing
	separator
)

var kinds = [256]byte{ //nolint:gochecknoglobals // a constant table
	'"': quote, '{': opening, '[': opening, '}': closing, ']': closing,
	',': separator, ' ': separator, '\t': separator, '\r': separator, '\n': separator,
}
