package install

import (
	"context"
	"strings"

	"golang.org/x/sync/errgroup"
)

// History is what was installed, by revision and number.
type History struct {
	Entries []HistoryEntry `json:"entries"`
}

// HistoryEntry is one entry with the revision it belongs to and what was asked for.
type HistoryEntry struct {
	Revision string `json:"revision"`
	Entry
	// Inputs are nil when the Secret that holds them is gone or may not be read.
	Inputs *Inputs `json:"inputs,omitempty"`
}

// DocumentKind names the JSON and YAML form.
func (h *History) DocumentKind() string { return "InstallHistory" }

// NewHistory reads the inputs of all entries, each Secret by its name.
func NewHistory(ctx context.Context, c Reader, all []*Inventory) (*History, error) {
	h := &History{Entries: []HistoryEntry{}}
	var g errgroup.Group
	g.SetLimit(requests)
	for _, inv := range all {
		for _, e := range inv.History {
			h.Entries = append(h.Entries, HistoryEntry{Revision: inv.Revision, Entry: e})
		}
	}
	at := 0
	for _, inv := range all {
		for _, e := range inv.History {
			entry := &h.Entries[at]
			at++
			g.Go(func() error {
				if _, in, err := inv.Recall(ctx, c, e.Number); err == nil {
					entry.Inputs = &in
				}
				return ctx.Err()
			})
		}
	}
	return h, g.Wait()
}

// String is the inputs as one would give them on a command line.
func (in *Inputs) String() string {
	if in == nil {
		return "(gone)"
	}
	var parts []string
	add := func(flag, v string) {
		if v != "" {
			parts = append(parts, flag+" "+v)
		}
	}
	add("--profile", in.Profile)
	for _, f := range in.Files {
		add("-f", f.Name)
	}
	for _, s := range in.Set {
		add("--set", s)
	}
	add("--revision", in.Revision)
	add("--manifests", in.ManifestsDir)
	add("--registry", in.Registry)
	return strings.Join(parts, " ")
}
