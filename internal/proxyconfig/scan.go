package proxyconfig

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// scanner walks JSON without decoding it. A dump has tens of megabytes, of
// which one command shows a few: what is not asked for is passed over by
// counting brackets, and only what is asked for is decoded and so checked.
type scanner struct {
	r        io.Reader
	buf      []byte
	pos, end int
	base     int64 // offset of buf[0] in the stream
	kept     []byte
}

// scanError is text that is not JSON, or not a dump; the first byte is 1.
type scanError struct {
	byte int64
	what string
}

// Error says what is wrong and where.
func (e *scanError) Error() string { return fmt.Sprintf("at byte %d: %s", e.byte, e.what) }

func newScanner(r io.Reader) *scanner { return &scanner{r: r, buf: make([]byte, 256<<10)} }

func (s *scanner) offset() int64 { return s.base + int64(s.pos) }

// fill reads more once all is consumed; the end of the stream is
// io.ErrUnexpectedEOF, because it is only called inside a value.
func (s *scanner) fill() error {
	s.base += int64(s.end)
	s.pos, s.end = 0, 0
	for {
		n, err := s.r.Read(s.buf)
		s.end = n
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
	s.kept = s.kept[:0]
	err := s.pass(true)
	return s.kept, err
}

// skip consumes one value.
func (s *scanner) skip() error {
	if _, err := s.peek(); err != nil {
		return err
	}
	return s.pass(false)
}

// pass consumes the value at pos, and appends it to kept when keep says so.
func (s *scanner) pass(keep bool) error {
	depth, inString, escaped := 0, false, false
	for {
		start := s.pos
		done := false
	chunk:
		for s.pos < s.end {
			c := s.buf[s.pos]
			switch {
			case escaped:
				escaped = false
			case inString:
				switch c {
				case '\\':
					escaped = true
				case '"':
					inString = false
					done = depth == 0
				}
			case c == '"':
				inString = true
			case c == '{' || c == '[':
				depth++
			case c == '}' || c == ']':
				if depth == 0 { // the end of a number or word, and of what holds it
					done = true
					break chunk
				}
				depth--
				done = depth == 0
			case depth == 0 && (c == ',' || c == ' ' || c == '\n' || c == '\r' || c == '\t'):
				done = true
				break chunk
			}
			s.pos++
			if done {
				break
			}
		}
		if keep {
			s.kept = append(s.kept, s.buf[start:s.pos]...)
		}
		if done {
			return nil
		}
		if err := s.fill(); err != nil {
			return err
		}
	}
}
