// Command meshgen writes a generated mesh to stdout.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/meshctl/meshctl/test/bench/meshgen"
)

func main() {
	services := flag.Int("services", 0, "services with their workloads, routes and policies")
	routes := flag.Int("routes", 0, "VirtualServices, each with its Gateway and Service")
	flag.Parse()
	generate, n := meshgen.Services, *services
	if *routes > 0 {
		generate, n = meshgen.Routes, *routes
	}
	counts, err := generate(os.Stdout, n)
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	fmt.Fprintf(os.Stderr, "%d objects, %d faults\n", counts.Objects, counts.Faults)
}
