package proxyconfig

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/output"
)

// ProxyLogs is what one proxy logs.
type ProxyLogs struct {
	Proxy string `json:"proxy"`
	// StartedWith is the levels that the proxy was started with, as one would
	// set them; only read for a reset.
	StartedWith string   `json:"startedWith,omitempty"`
	Loggers     []Logger `json:"loggers"`
	// Error is why the levels could not be read or changed, Hint what to do.
	Error string `json:"error,omitempty"`
	Hint  string `json:"-"`

	started []LoggerLevel
}

// Logger is one of a proxy's loggers. Was and Now differ only where it was changed.
type Logger struct {
	Name string `json:"name"`
	Was  string `json:"was"`
	Now  string `json:"now"`
}

// LogReport is the result of proxy-config log.
type LogReport struct {
	// Changed says that levels were to be changed.
	Changed bool        `json:"changed"`
	Proxies []ProxyLogs `json:"proxies"`
}

// Failed is how many of the proxies did not answer or refused.
func (r *LogReport) Failed() int {
	n := 0
	for _, p := range r.Proxies {
		if p.Error != "" {
			n++
		}
	}
	return n
}

// DocumentKind is the kind of the JSON and YAML document.
func (*LogReport) DocumentKind() string { return "ProxyLogLevels" }

// Tables is one row per logger of a proxy. Of a change, and of several proxies,
// it is one row for all loggers with the same levels; wide is always one each.
func (r *LogReport) Tables(wide bool) []output.Table {
	t := output.Table{Columns: []string{"PROXY", "LOGGER", "LEVEL"}, Empty: "No log levels found."}
	if r.Changed {
		t.Columns = []string{"PROXY", "LOGGER", "WAS", "NOW"}
		t.Empty = "No log level has changed: all were as wanted."
		if r.Failed() > 0 {
			t.Empty = "No log level has changed."
		}
	}
	started := wide && slices.ContainsFunc(r.Proxies, func(p ProxyLogs) bool { return p.StartedWith != "" })
	if started {
		t.Columns = append(t.Columns, "STARTED WITH")
	}
	for i := range r.Proxies {
		p := &r.Proxies[i]
		groups := p.groups(r.Changed, wide || !r.Changed && len(r.Proxies) == 1)
		for _, g := range groups {
			row := []string{p.Proxy, g.Name, g.Now}
			if r.Changed {
				row = []string{p.Proxy, g.Name, g.Was, g.Now}
			}
			if started {
				row = append(row, orDash(p.StartedWith))
			}
			t.Rows = append(t.Rows, row)
		}
	}
	return []output.Table{t}
}

// groups are loggers that have the same levels; with each one by one. Of a
// change they are those that it changed.
func (p *ProxyLogs) groups(changed, each bool) []Logger {
	var groups []Logger
	var names [][]string
	for _, l := range p.Loggers {
		if changed && l.Was == l.Now {
			continue
		}
		i := slices.IndexFunc(groups, func(g Logger) bool { return g.Was == l.Was && g.Now == l.Now })
		if i < 0 || each {
			i = len(groups)
			groups, names = append(groups, l), append(names, nil)
		}
		names[i] = append(names[i], l.Name)
	}
	others := -1
	for i, group := range names {
		groups[i].Name = strings.Join(group, ", ")
		switch n := len(group); {
		case n > 5 && n == len(p.Loggers):
			groups[i].Name = fmt.Sprintf("all %d", n)
		case n > 5 && n > len(p.Loggers)/2:
			groups[i].Name, others = fmt.Sprintf("%d others", n), i
		}
	}
	if others >= 0 {
		groups = append(slices.Concat(groups[:others], groups[others+1:]), groups[others])
	}
	return groups
}
