package netpod

import (
	"bytes"
	"net/netip"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

func TestProxyHeader(t *testing.T) {
	t.Parallel()
	got := proxyHeader(netip.MustParseAddrPort("10.1.2.3:4660"), netip.MustParseAddrPort("10.9.8.7:80"))
	want := []byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x0a\x01\x02\x03\x0a\x09\x08\x07\x12\x34\x00\x50")
	if !bytes.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestEveryNameHasAnAddress(t *testing.T) {
	t.Parallel()
	for kind, want := range map[dnsmessage.Type]int{dnsmessage.TypeA: 1, dnsmessage.TypeAAAA: 0} {
		query := dnsmessage.Message{Header: dnsmessage.Header{ID: 7, RecursionDesired: true},
			Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("any.example.com."), Type: kind, Class: dnsmessage.ClassINET}}}
		raw, err := query.Pack()
		if err != nil {
			t.Fatal(err)
		}
		raw, err = answerName(raw)
		if err != nil {
			t.Fatal(err)
		}
		var answer dnsmessage.Message
		if err := answer.Unpack(raw); err != nil || answer.ID != 7 || !answer.Response || len(answer.Answers) != want {
			t.Errorf("%s: %v, %+v", kind, err, answer)
		}
	}
}

func TestSpeaksHTTP(t *testing.T) {
	t.Parallel()
	for begin, want := range map[string]bool{"GET ": true, "PRI ": true, "OPTI": true, "hell": false, "\x16\x03\x01\x00": false, "GE": false} {
		if speaksHTTP([]byte(begin)) != want {
			t.Errorf("%q", begin)
		}
	}
}
