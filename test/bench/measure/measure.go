// Package measure runs two programs side by side and compares what they cost.
package measure

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Cost is what one run of a program took.
type Cost struct {
	Wall, CPU time.Duration
	RSS       int64 // peak resident memory in bytes
}

// Work is one thing that both programs do.
type Work struct {
	Name       string
	Ours, Peer []string // the command lines
	// ResetOurs and ResetPeer, where there are any, run before every run and do not count.
	ResetOurs, ResetPeer []string
	// Exits are the exit codes besides 0 that are no failure, such as that for
	// findings.
	Exits []int
	// OursExits are further ones of ours.
	OursExits []int
	// PeerFails says that the peer is known to fail at it. It must: what fails is no cost to compare.
	PeerFails bool
	// Rounds are fewer counted runs than asked for, of work that takes minutes.
	Rounds int
}

// Pair is the medians of both programs for one work.
type Pair struct {
	Name       string
	Rounds     int
	Ours, Peer Cost
	// PeerFails says that the peer's cost is that of failing.
	PeerFails bool
}

// Run does the work with both programs in turn, one run not counted and then
// rounds counted ones, so that what else the machine does hits both alike.
func Run(ctx context.Context, w Work, rounds int) (Pair, error) {
	if w.Rounds > 0 {
		rounds = w.Rounds
	}
	var ours, peer []Cost
	for i := range rounds + 1 {
		a, err := afresh(ctx, w.ResetOurs, w.Ours, slices.Concat(w.Exits, w.OursExits))
		if err != nil {
			return Pair{}, err
		}
		b, err := afresh(ctx, w.ResetPeer, w.Peer, w.Exits)
		if ctx.Err() != nil {
			return Pair{}, ctx.Err()
		}
		if failed := err != nil; failed != w.PeerFails {
			return Pair{}, cmp.Or(err, fmt.Errorf("%s: the peer does not fail at it any more", w.Name))
		}
		if i > 0 {
			ours, peer = append(ours, a), append(peer, b)
		}
	}
	return Pair{Name: w.Name, Rounds: rounds, PeerFails: w.PeerFails, Ours: median(ours), Peer: median(peer)}, nil
}

func afresh(ctx context.Context, reset, argv []string, exits []int) (Cost, error) {
	if len(reset) > 0 {
		if _, err := once(ctx, reset, nil); err != nil {
			return Cost{}, err
		}
	}
	return once(ctx, argv, exits)
}

func once(ctx context.Context, argv []string, exits []int) (Cost, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr // stdout goes to the null device
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	if cmd.ProcessState == nil {
		return Cost{}, fmt.Errorf("running %s: %w", strings.Join(argv, " "), err)
	}
	c := Cost{Wall: wall, CPU: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if ru, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		c.RSS = ru.Maxrss << 10 // Linux counts KiB
	}
	if err != nil && !slices.Contains(exits, cmd.ProcessState.ExitCode()) {
		return c, fmt.Errorf("running %s: %w: %s", strings.Join(argv, " "), err, strings.TrimSpace(stderr.String()))
	}
	return c, nil
}

// median is the median of each cost by itself.
func median(costs []Cost) Cost {
	return Cost{
		Wall: middle(costs, func(c Cost) time.Duration { return c.Wall }),
		CPU:  middle(costs, func(c Cost) time.Duration { return c.CPU }),
		RSS:  middle(costs, func(c Cost) int64 { return c.RSS }),
	}
}

func middle[T ~int64](costs []Cost, of func(Cost) T) T {
	all := make([]T, len(costs))
	for i, c := range costs {
		all[i] = of(c)
	}
	slices.Sort(all)
	if n := len(all); n%2 == 0 && n > 0 {
		return (all[n/2-1] + all[n/2]) / 2
	}
	return all[len(all)/2]
}
