package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
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
	for last := int64(0); ; {
		size, err := b.saveDump(ctx, path)
		if err != nil {
			return fmt.Errorf("asking istiod for a dump: %w", err)
		}
		whole := exec.CommandContext(ctx, "grep", "-q", fmt.Sprintf("svc-%05d.", n-1), path).Run() == nil
		if size == last && whole {
			fmt.Fprintf(os.Stderr, "a dump of %d services has %.1f MB\n", n, float64(size)/1e6)
			return nil
		}
		last = size
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Second):
		}
	}
}

// saveDump streams a dump into a file: what this process once held would count
// as the memory of the programs that it starts.
func (b *proxyBed) saveDump(ctx context.Context, path string) (int64, error) {
	dump, err := b.debugPage(ctx, "/debug/config_dump", map[string]string{"proxyID": "sim-0.bed-proxies", "include_eds": "true"})
	if err != nil {
		return 0, err
	}
	defer dump.Close()
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	size, err := io.Copy(f, dump)
	return size, cmp.Or(err, f.Close())
}
