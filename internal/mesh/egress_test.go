package mesh

import "testing"

// TestEgressPorts: a listener with a port lets in that port of hosts alone, one
// of a proxy for HTTP all.
func TestEgressPorts(t *testing.T) {
	t.Parallel()
	entry := func(name string) *Object {
		return written(t, `{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: `+name+`, namespace: shop}, spec: {
  hosts: [`+name+`.example.com], ports: [{number: 80, name: http, protocol: HTTP}, {number: 3306, name: tcp, protocol: TCP}]}}`)
	}
	for _, tt := range []struct {
		egress string
		port   uint32
		want   bool
	}{
		{`[{hosts: ["*/*"]}]`, 3306, true},
		{`[{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*/*"]}]`, 80, true},
		{`[{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*/*"]}]`, 0, true},
		{`[{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*/*"]}]`, 3306, false},
		{`[{port: {number: 80, name: http, protocol: HTTP_PROXY}, hosts: ["*/*"]}]`, 3306, true},
		{`[{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*/a.example.com"]}, {hosts: ["*/b.example.com"]}]`, 3306, false},
		{`[{port: {number: 3306, name: tcp, protocol: TCP}, hosts: ["*/a.example.com"]}, {hosts: ["*/b.example.com"]}]`, 3306, true},
	} {
		s := New([]*Object{entry("a"), entry("b"), written(t, `{apiVersion: networking.istio.io/v1, kind: Sidecar, metadata: {name: default, namespace: istio-system}, spec: {egress: `+tt.egress+`}}`)}, Options{})
		entries := s.ServiceEntries()
		a, b := s.ExportedEntry(entries[0]), s.ExportedEntry(entries[1])
		if got := s.SeenTogether(a.On("a.example.com", tt.port), b.On("b.example.com", tt.port)); got != tt.want {
			t.Errorf("port %d through %s: seen together is %t, want %t", tt.port, tt.egress, got, tt.want)
		}
	}
}
