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
	waited  map[string]bool
}

func newInstallProgress(f *Factory, p *install.Plan) *installProgress {
	i := &installProgress{ui: f.IO.Progress(p.Components...), total: map[string]int{}, applied: map[string]int{}, waited: map[string]bool{}}
	for _, c := range p.Components {
		i.total[c] = p.Count(c, install.Create) + p.Count(c, install.Change)
	}
	return i
}

func (i *installProgress) see(e install.Event) {
	switch {
	case e.Component == "" && e.Phase == install.Waiting && e.Text != "":
		mark := ui.Busy
		if e.Cause {
			mark = ui.Trouble
		}
		i.ui.Tell("", mark, e.Text, nil)
	case e.Component == "":
	case e.Phase == install.Applied:
		i.mu.Lock()
		i.applied[e.Component]++
		text := fmt.Sprintf("applied %d of %d objects", i.applied[e.Component], i.total[e.Component])
		i.mu.Unlock()
		i.ui.Set(e.Component, ui.Busy, text, false)
	case e.Phase == install.Applying && e.Text != "":
		i.ui.Set(e.Component, ui.Trouble, e.Object+": "+e.Text, true)
	case e.Phase == install.GivingUp:
		i.ui.Tell(e.Component, ui.Trouble, e.Text, nil)
	case e.Phase == install.Waiting:
		i.wait(e)
	case e.Phase == install.Ready && e.Object == "":
		i.ui.Set(e.Component, ui.Done, "ready ("+e.Text+")", true)
	}
}

// wait shows what a component waits for. A cause is told in full, once. Where
// lines are printed, the first word of what is only slow is worth one too.
func (i *installProgress) wait(e install.Event) {
	mark, text := ui.Busy, "waiting for "+e.Object
	switch {
	case e.Cause: // first what is wrong: a terminal may cut the rest
		mark, text = ui.Trouble, e.Text+" ("+e.Object+")"
	case e.Text != "":
		text += ": " + e.Text
	}
	if e.Cause && !e.Standing {
		i.ui.Tell(e.Component, mark, text, e.Detail)
		return
	}
	i.mu.Lock()
	steady := !e.Cause && !i.waited[e.Component]
	i.waited[e.Component] = true
	i.mu.Unlock()
	i.ui.Set(e.Component, mark, text, steady)
}

func (i *installProgress) close() { i.ui.Close() }
