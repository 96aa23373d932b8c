package ui

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
)

func buffers(in string) (*IO, *bytes.Buffer, *bytes.Buffer) {
	var out, err bytes.Buffer
	return &IO{In: strings.NewReader(in), Out: &out, Err: &err}, &out, &err
}

func TestErrorIsTwoLinesOnStderr(t *testing.T) {
	t.Parallel()
	s, out, errs := buffers("")
	s.Error(errors.New("reading profile \"dmo\": unknown profile"), "did you mean \"demo\"?")
	if got, want := errs.String(), "error: reading profile \"dmo\": unknown profile\nhint: did you mean \"demo\"?\n"; got != want {
		t.Errorf("stderr %q, want %q", got, want)
	}
	if out.Len() > 0 {
		t.Errorf("stdout %q", out.String())
	}
}

func TestConfirm(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{"y\n": true, "YES\n": true, "n\n": false, "\n": false, "": false} {
		s, _, _ := buffers(in)
		s.InTTY = true
		got, err := s.Confirm(context.Background(), "go on?")
		if got != want || err != nil {
			t.Errorf("answer %q: %v, %v; want %v", in, got, err, want)
		}
	}
	s, _, errs := buffers("y\n")
	if ok, err := s.Confirm(context.Background(), "go on?"); ok || !errors.Is(err, ErrNoTerminal) || errs.Len() > 0 {
		t.Errorf("without a terminal: %v, %v, asked %q", ok, err, errs.String())
	}
}
