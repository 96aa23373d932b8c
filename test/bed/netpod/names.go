package netpod

import (
	"net"
	"net/netip"

	"golang.org/x/net/dns/dnsmessage"
)

// EveryName is the address of every name.
const EveryName = "10.250.0.1"

// serveNames answers DNS queries over UDP: for IPv4 addresses with EveryName, for all else with nothing.
func serveNames(conn net.PacketConn) {
	buf := make([]byte, 4096)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if answer, err := answerName(buf[:n]); err == nil {
			_, _ = conn.WriteTo(answer, from)
		}
	}
}

func answerName(query []byte) ([]byte, error) {
	var p dnsmessage.Parser
	header, err := p.Start(query)
	if err != nil {
		return nil, err
	}
	questions, err := p.AllQuestions()
	if err != nil {
		return nil, err
	}
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: header.ID, Response: true, RecursionDesired: header.RecursionDesired, RecursionAvailable: true},
		Questions: questions}
	for _, q := range questions {
		if q.Type == dnsmessage.TypeA {
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 3600},
				Body: &dnsmessage.AResource{A: netip.MustParseAddr(EveryName).As4()}})
		}
	}
	return m.Pack()
}
