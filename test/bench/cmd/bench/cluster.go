package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"

	"github.com/meshctl/meshctl/test/bench/measure"
)

// twoBeds brings up a cluster for each program and returns their kubeconfigs.
// down ends both, whatever came of it.
func twoBeds(ctx context.Context, bed string) (ours, peer string, down func(), err error) {
	names := []string{"bench-ours", "bench-peer"}
	down = func() {
		for _, name := range names {
			_ = exec.Command(bed, "down", "--name", name).Run() // not up is down
		}
	}
	down()
	var configs []string
	for _, name := range names {
		out, err := exec.CommandContext(ctx, bed, "up", "--name", name, "--envoy", "off").Output()
		if err != nil {
			return "", "", down, fmt.Errorf("bringing up the test bed: %w", err)
		}
		_, config, found := strings.Cut(strings.TrimSpace(string(out)), "KUBECONFIG=")
		if !found {
			return "", "", down, fmt.Errorf("bringing up the test bed: it said %q", out)
		}
		configs = append(configs, config)
	}
	return configs[0], configs[1], down, nil
}

// wantsTwo says whether works in two clusters are asked for.
func wantsTwo(o options) bool {
	for _, w := range clusterWorks(o, "", "") {
		if strings.Contains(w.Name, o.only) {
			return true
		}
	}
	return false
}

// clusterWorks are what is measured in a cluster, each program in its own. The
// default profile has no add-ons, so that both install the same objects.
func clusterWorks(o options, ours, peer string) []measure.Work {
	mine := func(args ...string) []string { return append([]string{o.meshctl, "--kubeconfig", ours}, args...) }
	its := func(args ...string) []string { return append([]string{o.istioctl, "--kubeconfig", peer}, args...) }
	install := []string{"install", "--set", "profile=default", "-y"}
	purge := []string{"uninstall", "--purge", "-y"}
	return []measure.Work{
		{Name: "first install, empty cluster", Ours: mine(install...), Peer: its(install...), ResetOurs: mine(purge...), ResetPeer: its(purge...)},
		{Name: "install, nothing to change", Ours: mine(install...), Peer: its(install...)},
	}
}
