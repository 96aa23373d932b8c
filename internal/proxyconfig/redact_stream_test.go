package proxyconfig

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func streamed(text string) (string, error) {
	var out bytes.Buffer
	err := Redact(&out, strings.NewReader(text))
	return out.String(), err
}

func TestRedactStream(t *testing.T) {
	t.Parallel()
	token := "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln"
	for in, want := range map[string]string{
		`{ "a" : [1, "x"] }`: `{ "a" : [1, "x"] }`,
		`{"private_key":{"inline_bytes":"abc","filename":"/k"}}`:   `{"private_key":{"inline_bytes":"[redacted]","filename":"/k"}}`,
		`{"privateKey":{"inlineBytes":"abc"},"name":"n"}`:          `{"privateKey":{"inlineBytes":"[redacted]"},"name":"n"}`,
		`[{"header":{"key":"Authorization","value":"x"}}]`:         `[{"header":{"key":"Authorization","value":"[redacted]"}}]`,
		`[{"key":"x-ok","value":"x"},{"value":"y"}]`:               `[{"key":"x-ok","value":"x"},{"value":"y"}]`,
		`{"session_ticket_keys":{"keys":[{"inline_string":"a"}]}}`: `{"session_ticket_keys":{"keys":[{"inline_string":"[redacted]"}]}}`,
		`{"text":"` + token + `"}`:                                 `{"text":"[redacted]"}`,
		`{"a":"\"}","password":"\\"}`:                              `{"a":"\"}","password":"[redacted]"}`,
	} {
		if got, err := streamed(in); got != want || err != nil {
			t.Errorf("%s: %v\n got %s\nwant %s", in, err, got, want)
		}
	}
	for _, cut := range []string{`{"a":`, `[1`, `{"a`, `"x`} {
		if _, err := streamed(cut); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", cut, err)
		}
	}
}

// FuzzRedactStream: what is streamed hides what is hidden of text in memory,
// and nothing else.
func FuzzRedactStream(f *testing.F) {
	f.Add(`{"private_key":{"a":["b",{"c":"d"}]},"key":"cookie","value":"v"}`)
	f.Add(`[{"generic_secret":1,"x":"\u0022"},"Bearer 12345678901234567890"]`)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := streamed(text)
		if !json.Valid([]byte(text)) || !utf8.ValidString(text) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		var a, b any
		if json.Unmarshal(redact([]byte(text)), &a) != nil {
			return
		}
		if err := json.Unmarshal([]byte(got), &b); err != nil {
			t.Fatalf("%s became %s: %v", text, got, err)
		}
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("%s became %s, and in memory %s", text, got, redact([]byte(text)))
		}
	})
}
