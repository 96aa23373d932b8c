package agree

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

// Line is a line of Envoy's access log, as meshConfig asks for it; what Envoy writes as "-" is empty.
type Line struct {
	Peer, Route, Cluster, Flags, Details, Ended, Upstream, Chain, Local, SNI, Authority, Path, Failure string
	Code                                                                                               int

	Raw string
}

// readLog reads the access log lines in what Envoy printed, by peer.
func readLog(file string) (map[string][]Line, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	lines := map[string][]Line{}
	for s := bufio.NewScanner(bytes.NewReader(raw)); s.Scan(); {
		text := s.Bytes()
		if len(text) == 0 || text[0] != '{' {
			continue
		}
		var fields map[string]any
		if err := json.Unmarshal(text, &fields); err != nil {
			return nil, fmt.Errorf("reading access log line %s: %w", text, err)
		}
		l := Line{Raw: string(text)}
		for name, to := range map[string]*string{"peer": &l.Peer, "route": &l.Route, "cluster": &l.Cluster, "flags": &l.Flags, "details": &l.Details,
			"ended": &l.Ended, "upstream": &l.Upstream, "chain": &l.Chain, "local": &l.Local, "sni": &l.SNI, "authority": &l.Authority,
			"path": &l.Path, "failure": &l.Failure} {
			if *to, _ = fields[name].(string); *to == "-" {
				*to = ""
			}
		}
		if code, ok := fields["code"].(float64); ok {
			l.Code = int(code)
		}
		lines[l.Peer] = append(lines[l.Peer], l)
	}
	return lines, nil
}
