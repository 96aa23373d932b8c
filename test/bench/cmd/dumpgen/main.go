// Command dumpgen writes a generated config dump, or /clusters, to stdout.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/meshctl/meshctl/test/bench/dumpgen"
)

func main() {
	services := flag.Int("services", 700, "services that the proxy knows: 700 make 6 MB, 7000 make 60 MB")
	clusters := flag.Bool("clusters", false, "write what Envoy answers to /clusters?format=json instead")
	flag.Parse()
	write := dumpgen.Dump
	if *clusters {
		write = dumpgen.Clusters
	}
	if err := write(os.Stdout, *services); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
