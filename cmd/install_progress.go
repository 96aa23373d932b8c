package cmd

import (
	"fmt"
	"sync"

	"github.com/meshctl/meshctl/internal/install"
	"github.com/meshctl/meshctl/internal/ui"
)

// installProgress shows the events of an install, a line per component.
type installProgress struct {
	ui    *ui.Progress
	total map[string]int // objects to write, by component

	mu      sync.Mutex
	applied map[string]int
}

func newInstallProgress(f *Factory, p *install.Plan) *installProgress {
	i := &installProgress{ui: f.IO.Progress(p.Components...), total: map[string]int{}, applied: map[string]int{}}
	for _, c := range p.Components {
		i.total[c] = p.Count(c, install.Create) + p.Count(c, install.Change)
	}
	return i
}

func (i *installProgress) see(e install.Event) {
	switch {
	case e.Component == "":
	case e.Phase == install.Applied:
		i.mu.Lock()
		i.applied[e.Component]++
		text := fmt.Sprintf("applied %d of %d objects", i.applied[e.Component], i.total[e.Component])
		all := i.applied[e.Component] == i.total[e.Component]
		i.mu.Unlock()
		i.ui.Set(e.Component, ui.Busy, text, all)
	case e.Phase == install.Applying && e.Text != "":
		i.ui.Set(e.Component, ui.Trouble, e.Object+": "+e.Text, true)
	case e.Phase == install.Waiting:
		i.ui.Set(e.Component, ui.Busy, "waiting for "+e.Object+": "+e.Text, true)
	case e.Phase == install.Ready && e.Object == "":
		i.ui.Set(e.Component, ui.Done, "ready ("+e.Text+")", true)
	}
}

func (i *installProgress) close() { i.ui.Close() }
