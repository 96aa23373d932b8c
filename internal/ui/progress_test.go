package ui

import (
	"bytes"
	"strings"
	"testing"
)

func TestProgressInLines(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	p := (&IO{Out: &out, Err: &errs}).Progress("istiod", "cni")
	p.Set("istiod", Busy, "applied 1 of 2", false)
	p.Set("istiod", Busy, "waiting for it", true)
	p.Set("istiod", Busy, "waiting for it", true)
	p.Set("cni", Trouble, "no node", true)
	p.Set("istiod", Done, "ready", true)
	p.Close()
	if got, want := errs.String(), "· istiod  waiting for it\n! cni     no node\n✓ istiod  ready\n"; got != want {
		t.Errorf("stderr %q, want %q", got, want)
	}
	if out.Len() > 0 {
		t.Errorf("stdout %q", out.String())
	}
}

func TestProgressLive(t *testing.T) {
	t.Parallel()
	var errs bytes.Buffer
	p := (&IO{Out: &bytes.Buffer{}, Err: &errs, ErrTTY: true}).Progress("istiod", "cni")
	p.Set("istiod", Busy, "applied 1 of 2", false)
	p.Set("istiod", Done, "ready", false)
	p.Set("cni", Trouble, "no node", false)
	p.Close()
	last := errs.String()
	for _, want := range []string{"✓ istiod  ready", "! cni     no node"} {
		if !strings.Contains(last, want) {
			t.Errorf("%q is not on the screen: %q", want, last)
		}
	}
}

func TestProgressQuiet(t *testing.T) {
	t.Parallel()
	var errs bytes.Buffer
	p := (&IO{Err: &errs, ErrTTY: true, Quiet: true}).Progress("istiod")
	p.Set("istiod", Done, "ready", true)
	p.Close()
	if errs.Len() > 0 {
		t.Errorf("stderr %q", errs.String())
	}
}

func TestProgressTells(t *testing.T) {
	t.Parallel()
	for _, live := range []bool{false, true} {
		var errs bytes.Buffer
		p := (&IO{Out: &bytes.Buffer{}, Err: &errs, ErrTTY: live}).Progress("istiod", "istio-cni")
		p.Tell("istiod", Trouble, "it crashes", []string{"log:", "  | panic"})
		p.Tell("", Busy, "the API server answers again", nil)
		p.Close()
		want := "! istiod     it crashes\n             log:\n               | panic\n"
		if got := errs.String(); !strings.Contains(got, want) || !strings.Contains(got, "·            the API server answers again\n") {
			t.Errorf("live %t: %q lacks %q", live, got, want)
		}
	}
	var errs bytes.Buffer
	p := (&IO{Err: &errs, Quiet: true}).Progress("istiod")
	p.Tell("istiod", Trouble, "it crashes", nil)
	if p.Close(); errs.Len() > 0 {
		t.Errorf("quiet: %q", errs.String())
	}
}
