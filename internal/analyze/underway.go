package analyze

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/meshctl/meshctl/internal/hint"
)

// underway is what a run is just doing, for the error of one that takes too long.
type underway struct {
	mu sync.Mutex
	// running are the checks that run, several times when over several clusters.
	running []string
	// placed says that the checks are done, and their findings are being placed.
	placed bool
}

// begin notes that a check runs, until done is called.
func (u *underway) begin(check string) (done func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.running = append(u.running, check)
	return func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		at := slices.Index(u.running, check)
		u.running = slices.Delete(u.running, at, at+1)
	}
}

// placing notes that all checks are done.
func (u *underway) placing() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.placed = true
}

// late is the error of a run that ctx ended.
func (u *underway) late(cause error) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	running := slices.Clone(u.running)
	slices.Sort(running)
	running = slices.Compact(running)
	switch {
	case u.placed:
		return hint.Unanswerablef("give it longer with --timeout, or ask for less with -n or --only",
			"analyzing: %w, while the findings were being placed", cause)
	case len(running) == 0:
		return hint.Unanswerablef("give it longer with --timeout", "analyzing: %w", cause)
	}
	return hint.Unanswerablef(fmt.Sprintf("give it longer with --timeout, leave out what takes long with --skip %s, or ask for less with -n", strings.Join(running, ",")),
		"analyzing: %w, while %s ran", cause, strings.Join(running, ", "))
}
