package ui

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// Mark is how a part of the work stands.
type Mark int

// The marks of a part.
const (
	Busy Mark = iota
	Done
	Trouble
)

// Progress shows how the parts of some work stand, on stderr: on a terminal
// one live line per part, elsewhere a line whenever a part says something new.
// It is safe for use from several goroutines. A quiet IO shows nothing.
type Progress struct {
	io    *IO
	bars  *mpb.Progress // nil where lines are printed
	width int           // of the longest name

	mu    sync.Mutex
	parts map[string]*part
}

type part struct {
	bar  *mpb.Bar
	mark Mark
	text string
}

// refresh is how often the live lines are drawn anew.
const refresh = 100 * time.Millisecond

// Progress starts to show the parts with these names, in their order. Close
// it before anything else is written.
func (s *IO) Progress(names ...string) *Progress {
	p := &Progress{io: s, parts: map[string]*part{}}
	for _, n := range names {
		p.width = max(p.width, len(n))
	}
	if s.ErrTTY && !s.Quiet {
		p.bars = mpb.New(mpb.WithOutput(s.Err), mpb.WithRefreshRate(refresh), mpb.WithAutoRefresh())
	}
	for _, n := range names {
		p.part(n)
	}
	return p
}

// Set says how a part stands. steady says whether the text is worth a line of
// its own where lines are printed; live lines show every text.
func (p *Progress) Set(name string, mark Mark, text string, steady bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x := p.part(name)
	if x.mark == mark && x.text == text {
		return
	}
	x.mark, x.text = mark, text
	switch {
	case p.bars != nil && mark == Done:
		x.bar.SetTotal(1, true)
	case p.bars == nil && steady && !p.io.Quiet:
		p.io.Errf("%s %-*s  %s", p.sign(mark, 0), p.width, name, text)
	}
}

// Tell says how a part stands, on a line of its own that stays, with more
// lines below it; live lines go on underneath.
func (p *Progress) Tell(name string, mark Mark, text string, below []string) {
	p.mu.Lock()
	if name != "" {
		x := p.part(name)
		x.mark, x.text = mark, text
	}
	p.mu.Unlock()
	if p.io.Quiet {
		return
	}
	indent := strings.Repeat(" ", p.width+4)
	var b strings.Builder
	fmt.Fprintf(&b, "%s %-*s  %s\n", p.still(mark), p.width, name, text)
	for _, line := range below {
		b.WriteString(indent + line + "\n")
	}
	if p.bars != nil {
		_, _ = p.bars.Write([]byte(b.String()))
		return
	}
	fmt.Fprint(p.io.Err, b.String())
}

// Close leaves the last state of every part on the screen.
func (p *Progress) Close() {
	if p.bars == nil {
		return
	}
	p.mu.Lock()
	for _, x := range p.parts {
		x.bar.Abort(false)
	}
	p.mu.Unlock()
	p.bars.Wait()
}

// part is called with the lock held, but for the first calls.
func (p *Progress) part(name string) *part {
	x := p.parts[name]
	if x != nil {
		return x
	}
	x = &part{}
	p.parts[name] = x
	if p.bars != nil {
		turn := 0
		x.bar = p.bars.New(1, mpb.NopStyle(), mpb.PrependDecorators(decor.Any(func(decor.Statistics) string {
			p.mu.Lock()
			defer p.mu.Unlock()
			turn++
			return fmt.Sprintf("%s %-*s  %s", p.sign(x.mark, turn), p.width, name, strings.ReplaceAll(x.text, "\n", " "))
		})))
	}
	return x
}

// still is the first character of a line that stays.
func (p *Progress) still(m Mark) string {
	style := p.io.Style()
	switch m {
	case Done:
		return style.Good("✓")
	case Trouble:
		return style.Warn("!")
	}
	return "·"
}

// sign is the first character of a line.
func (p *Progress) sign(m Mark, turn int) string {
	if m != Busy || p.bars == nil {
		return p.still(m)
	}
	const frames = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
	return string([]rune(frames)[turn%10])
}
