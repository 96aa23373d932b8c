package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/meshctl/meshctl/test/bench/measure"
)

// spared is how long before the cap the peer gives up by itself.
const spared = 10 * time.Second

// showCauses installs with each program on each broken cluster, and measures
// how long it takes until the cause is named.
func showCauses(ctx context.Context, w io.Writer, o options) error {
	ours, peer, down, err := twoBeds(ctx, o.bed)
	defer down()
	if err != nil {
		return err
	}
	var all []measure.Named
	for _, b := range measure.BrokenBeds() {
		n := measure.Named{Name: b.Name}
		err := broken(ctx, o, "bench-ours", b, []string{o.meshctl, "uninstall", "--purge", "-y", "--kubeconfig", ours}, func() error {
			n.Ours, err = measure.TimeToSay(ctx, []string{o.meshctl, "install", "--profile", "minimal", "-y", "--kubeconfig", ours}, b.Cause, o.causesCap)
			return err
		})
		if err != nil {
			return err
		}
		err = broken(ctx, o, "bench-peer", b, []string{o.istioctl, "uninstall", "--purge", "-y", "--kubeconfig", peer}, func() error {
			// Its own deadline comes first, so that what it says at the end counts too.
			own := "--readiness-timeout=" + (o.causesCap - spared).String()
			n.Peer, err = measure.TimeToSay(ctx, []string{o.istioctl, "install", "--set", "profile=minimal", "-y", own, "--kubeconfig", peer}, b.Cause, o.causesCap)
			return err
		})
		if err != nil {
			return err
		}
		all = append(all, n)
	}
	fmt.Fprintf(w, "Time from the start of an install to the cause, at most %s. istioctl, which waits 5m by default, is told to give up %s before that: what it names only then is seen.\n",
		o.causesCap, spared)
	return measure.WriteCauses(w, all)
}

// broken does something on a broken bed, and then makes the bed whole and empty again.
func broken(ctx context.Context, o options, bed string, b measure.Broken, clean []string, do func() error) error {
	if err := must(ctx, o.bed, "break", b.Mode, "--name", bed); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	if err := must(ctx, o.bed, "mend", b.Mode, "--name", bed); err != nil {
		return err
	}
	return must(ctx, clean...)
}

func must(ctx context.Context, argv ...string) error {
	if out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("running %s: %w: %s", strings.Join(argv, " "), err, out)
	}
	return nil
}
