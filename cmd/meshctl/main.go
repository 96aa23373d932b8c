// Command meshctl is the command line of an Istio mesh.
package main

import (
	"os"

	"github.com/meshctl/meshctl/cmd"
)

func main() { os.Exit(cmd.Main(os.Args[1:])) }
