package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/meshctl/meshctl/test/bench/measure"
	"github.com/meshctl/meshctl/test/bench/meshgen"
)

// dumpSizes are the meshes whose dumps have about so many megabytes.
func dumpSizes() []dumpSize { return []dumpSize{{"6 MB", 215, 0}, {"60 MB", 2150, slowRounds}} }

type dumpSize struct {
	name             string
	services, rounds int
}

// dumpWorks are the parts of a proxy's configuration that both programs show
// of a dump. istioctl has another command for the endpoints of a dump.
func dumpWorks(o options, size dumpSize, path string) []measure.Work {
	var works []measure.Work
	for _, part := range []string{"cluster", "listener", "route", "endpoint", "secret"} {
		theirs := part
		if part == "endpoint" {
			theirs = "eds"
		}
		works = append(works, measure.Work{
			Name: "proxy-config " + part + ", dump of " + size.name, Rounds: size.rounds,
			Ours: []string{o.meshctl, "proxy-config", part, "-f", path},
			Peer: []string{o.istioctl, "proxy-config", theirs, "-f", path},
		})
	}
	return works
}

// measureDumps shows the dumps that istiod makes for a proxy of generated meshes.
func measureDumps(ctx context.Context, o options) ([]measure.Pair, error) {
	dir, err := os.MkdirTemp("", "meshctl-bench-")
	if err != nil {
		return nil, fmt.Errorf("making a directory for the dumps: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	var pairs []measure.Pair
	for _, size := range dumpSizes() {
		path := filepath.Join(dir, fmt.Sprintf("dump-%d.json", size.services))
		made := false
		for _, w := range dumpWorks(o, size, path) {
			if !strings.Contains(w.Name, o.only) {
				continue
			}
			if !made {
				if err := makeDump(ctx, o, size.services, path); err != nil {
					return nil, err
				}
				made = true
				// What this process holds when it starts a program counts as the program's memory, too.
				debug.FreeOSMemory()
			}
			p, err := measure.Run(ctx, w, o.rounds)
			if err != nil {
				return nil, err
			}
			pairs = append(pairs, p)
			fmt.Fprintf(os.Stderr, "%s: %s and %d MiB, istioctl %s and %d MiB\n", w.Name,
				p.Ours.Wall.Round(time.Millisecond), p.Ours.RSS>>20, p.Peer.Wall.Round(time.Millisecond), p.Peer.RSS>>20)
		}
		_ = os.Remove(path)
	}
	return pairs, nil
}

// makeDump writes what istiod has for a proxy in a mesh of n services.
func makeDump(ctx context.Context, o options, n int, path string) error {
	b, down, err := upProxyBed(ctx, o, "bench-dump", 1)
	defer down()
	if err != nil {
		return err
	}
	var mesh bytes.Buffer
	if _, err := meshgen.Ports(&mesh, n); err != nil {
		return err
	}
	if _, err := load(ctx, b.config, mesh.Bytes()); err != nil {
		return err
	}
	if err := b.proxies(ctx, 1); err != nil {
		return err
	}
	// istiod takes in what it is told in its own time: the dump is whole when it no longer grows.
	var dump []byte
	for {
		next, err := b.debugPage(ctx, "/debug/config_dump", map[string]string{"proxyID": "sim-0.bed-proxies", "include_eds": "true"})
		if err != nil {
			return fmt.Errorf("asking istiod for a dump: %w", err)
		}
		if len(next) == len(dump) && bytes.Contains(next, fmt.Appendf(nil, "svc-%05d.", n-1)) {
			break
		}
		dump = next
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Second):
		}
	}
	fmt.Fprintf(os.Stderr, "a dump of %d services has %.1f MB\n", n, float64(len(dump))/1e6)
	return os.WriteFile(path, dump, 0o644)
}
