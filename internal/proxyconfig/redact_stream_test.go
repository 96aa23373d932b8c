package proxyconfig

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"slices"
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
		`{ "a" : [1, "x"] }`: `{"a":[1,"x"]}`,
		`{"configs":[{"@type":"x","a":[{"password":"p"},2],"b":{"token":"abc"}}],"secret":7}`: `{"configs":[{"@type":"x","a":[{"password":"[redacted]"},2],"b":{"token":"[redacted]"}}],"secret":"[redacted]"}`,
		`{"value":"v","name":"x"}`: `{"value":"[redacted]","name":"x"}`,
		"  ":                       "",

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

// FuzzRedactStream: what is hidden of text in memory is hidden of what is
// streamed, and the rest is the same.
func FuzzRedactStream(f *testing.F) {
	f.Add(`{"private_key":{"a":["b",{"c":"d"}]},"key":"cookie","value":"v"}`)
	f.Add(`[{"generic_secret":1,"x":"\u0022"},"Bearer 12345678901234567890"]`)
	f.Add(`{"configs":[{"value":"x","key":"cookie","a":[{"password":"p"}]}],"token":1}`)
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
		if !hidesAsMuch(a, b) {
			t.Fatalf("%s became %s, and in memory %s", text, got, redact([]byte(text)))
		}
	})
}

// hidesAsMuch says whether b is a, but for what b hides more.
func hidesAsMuch(a, b any) bool {
	if b == redacted {
		return true
	}
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for key := range a {
			if !hidesAsMuch(a[key], b[key]) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, hidesAsMuch)
	}
	return reflect.DeepEqual(a, b)
}
