package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/meshctl/meshctl/test/bench/measure"
	"github.com/meshctl/meshctl/test/bench/meshgen"
)

// liveMeshes are the sizes of the clusters that are analyzed live. The larger
// one holds a little over 50,000 objects.
func liveMeshes() []liveMesh {
	return []liveMesh{{"analyze 1,000 services, live", 1000, 0}, {"analyze 50,000 objects, live", 6000, slowRounds}}
}

type liveMesh struct {
	name     string
	services int
	rounds   int
}

// measureLive analyzes a cluster with each program, the same for both: neither
// changes anything.
func measureLive(ctx context.Context, o options) ([]measure.Pair, error) {
	var pairs []measure.Pair
	for _, m := range liveMeshes() {
		if !strings.Contains(m.name, o.only) {
			continue
		}
		p, err := measureMesh(ctx, o, m)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, p)
	}
	return pairs, nil
}

func measureMesh(ctx context.Context, o options, m liveMesh) (measure.Pair, error) {
	const name = "bench-live"
	down := func() { _ = exec.Command(o.bed, "down", "--name", name).Run() } // not up is down
	down()
	defer down()
	out, err := exec.CommandContext(ctx, o.bed, "up", "--name", name, "--envoy", "off").Output()
	if err != nil {
		return measure.Pair{}, fmt.Errorf("bringing up the test bed: %w", err)
	}
	_, config, _ := strings.Cut(strings.TrimSpace(string(out)), "KUBECONFIG=")
	// The control plane's configuration without its programs: nothing is injected into what follows.
	manifest, err := exec.CommandContext(ctx, o.meshctl, "manifest", "generate", "--profile", "minimal").Output()
	if err != nil {
		return measure.Pair{}, fmt.Errorf("rendering the control plane: %w", err)
	}
	var mesh bytes.Buffer
	if _, err := meshgen.Live(&mesh, m.services); err != nil {
		return measure.Pair{}, err
	}
	n, err := load(ctx, config, manifest, mesh.Bytes())
	if err != nil {
		return measure.Pair{}, err
	}
	fmt.Fprintf(os.Stderr, "%s: %d objects created\n", m.name, n)
	return measure.Run(ctx, measure.Work{
		Name: m.name, Exits: findings(), Rounds: m.rounds,
		Ours: []string{o.meshctl, "analyze", "-A", "--kubeconfig", config},
		Peer: []string{o.istioctl, "analyze", "-A", "--kubeconfig", config},
	}, o.rounds)
}
