package install

import (
	"context"
	"regexp"
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
	Inputs *Asked `json:"inputs,omitempty"`
}

// Asked are the inputs of an entry as they are shown: the values of passwords,
// tokens and keys are masked.
type Asked struct {
	Profile   string      `json:"profile,omitempty"`
	Files     []AskedFile `json:"files"`
	Set       []string    `json:"set"`
	Revision  string      `json:"revision,omitempty"`
	Manifests string      `json:"manifests,omitempty"`
	Registry  string      `json:"registry,omitempty"`

	line string
}

// AskedFile is a file as it was when it was installed.
type AskedFile struct {
	Name    string `json:"name"`
	Content string `json:"content"`
}

// secretLine is a line of YAML, or a setting, whose value nobody should see.
var secretLine = regexp.MustCompile(`(?im)^(.*(?:password|token|secret|privatekey|secretkey|accesskey|apikey)["']?[ \t]*[:=][ \t]*)[^\s|>{\[].*$`)

// asked are the inputs as they are shown.
func asked(in *Inputs) *Asked {
	a := &Asked{line: in.String(), Profile: in.Profile, Files: []AskedFile{}, Set: []string{}, Revision: in.Revision, Manifests: in.ManifestsDir, Registry: in.Registry}
	for _, f := range in.Files {
		a.Files = append(a.Files, AskedFile{f.Name, hide(string(f.Data))})
	}
	for _, s := range in.Set {
		a.Set = append(a.Set, hide(s))
	}
	return a
}

func hide(text string) string { return secretLine.ReplaceAllString(text, "${1}"+masked) }

// String is the inputs as one would give them on a command line.
func (a *Asked) String() string {
	if a == nil {
		return "(gone)"
	}
	return a.line
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
					entry.Inputs = asked(&in)
				}
				return ctx.Err()
			})
		}
	}
	return h, g.Wait()
}

// String is the inputs as one would give them on a command line, secrets masked.
func (in *Inputs) String() string {
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
		add("--set", hide(s))
	}
	add("--revision", in.Revision)
	add("--manifests", in.ManifestsDir)
	add("--registry", in.Registry)
	return strings.Join(parts, " ")
}
