package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"

	"github.com/meshctl/meshctl/test/bench/meshgen"
)

func main() {
	n, _ := strconv.Atoi(os.Args[2])
	manifest, err := exec.Command("/work/main/bin/meshctl", "manifest", "generate", "--profile", "minimal").Output()
	if err != nil {
		panic(err)
	}
	var mesh bytes.Buffer
	meshgen.Live(&mesh, n)
	c, err := load(context.Background(), os.Args[1], manifest, mesh.Bytes())
	fmt.Println(c, err)
}
