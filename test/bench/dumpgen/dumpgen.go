// Package dumpgen writes config dumps of any size as an Envoy prints them, for
// measuring what reading them costs: of a sidecar that knows n HTTP services
// with two endpoints each; every tenth has a DestinationRule with two subsets
// and a VirtualService, every twentieth a TCP listener. A service takes about
// 8 kB: 700 make 6 MB, 7,000 make 60 MB.
package dumpgen

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
)

const (
	subsetsEvery  = 10
	listenerEvery = 20
	adminType     = "type.googleapis.com/envoy.admin.v3."
	configType    = "type.googleapis.com/envoy.config."
)

type object = map[string]any

// Dump writes /config_dump?include_eds of a proxy with n services. Equal n give
// equal text.
func Dump(w io.Writer, n int) error {
	d := &dumper{w: bufio.NewWriterSize(w, 1<<20)}
	d.text("{\n \"configs\": [\n")
	d.section("BootstrapConfigDump", func() { d.member("bootstrap", bootstrap()) })
	d.next()
	d.section("ClustersConfigDump", func() { d.list("dynamic_active_clusters", n, clusters) })
	d.next()
	d.section("EndpointsConfigDump", func() { d.list("dynamic_endpoint_configs", n, endpoints) })
	d.next()
	d.section("ListenersConfigDump", func() { d.list("dynamic_listeners", n, listeners) })
	d.next()
	d.section("RoutesConfigDump", func() {
		d.list("dynamic_route_configs", 1, func(int) []any { return []any{routes(n)} })
	})
	d.next()
	d.section("SecretsConfigDump", func() {
		d.list("dynamic_active_secrets", 1, func(int) []any { return []any{object{"name": "ROOTCA", "secret": secret()}} })
	})
	d.text("\n ]\n}\n")
	if d.err == nil {
		d.err = d.w.Flush()
	}
	if d.err != nil {
		return fmt.Errorf("writing a generated dump: %w", d.err)
	}
	return nil
}

// Clusters writes /clusters?format=json of the same proxy.
func Clusters(w io.Writer, n int) error {
	d := &dumper{w: bufio.NewWriterSize(w, 1<<20)}
	d.text("{")
	d.list("cluster_statuses", n, statuses)
	d.text("\n}\n")
	if d.err == nil {
		d.err = d.w.Flush()
	}
	return d.err
}

type dumper struct {
	w   *bufio.Writer
	err error
}

func (d *dumper) text(s string) {
	if d.err == nil {
		_, d.err = d.w.WriteString(s)
	}
}

func (d *dumper) next() { d.text(",\n") }

func (d *dumper) section(kind string, body func()) {
	d.text("  {\n   \"@type\": \"" + adminType + kind + "\",\n")
	body()
	d.text("\n  }")
}

func (d *dumper) value(indent string, v any) {
	text, err := json.MarshalIndent(v, indent, " ")
	if d.err == nil {
		d.err = err
	}
	d.text(indent + string(text))
}

func (d *dumper) member(name string, v any) {
	d.text("   \"" + name + "\":")
	d.value("   ", v)
}

// list writes what make gives for each of n services.
func (d *dumper) list(name string, n int, items func(i int) []any) {
	d.text("   \"" + name + "\": [\n")
	first := true
	for i := range n {
		for _, item := range items(i) {
			if !first {
				d.next()
			}
			first = false
			d.value("    ", item)
		}
	}
	d.text("\n   ]")
}
