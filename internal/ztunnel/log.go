package ztunnel

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/output"
)

// LogPath is where a ztunnel is asked, with POST, for its log levels.
const LogPath = "/logging"

// LogLevel is how much a part of ztunnel logs.
type LogLevel struct {
	// Scope is a part of ztunnel, such as access or ztunnel::proxy; "" is all others.
	Scope string
	Level string
}

// LogChange is what is to become of log levels; nothing changes when it is zero.
type LogChange struct {
	Levels []LogLevel
	// Reset puts the levels back that ztunnel was started with, before Levels.
	Reset bool
}

// ParseLogLevels reads "[scope:]level,...", with istioctl's names of levels,
// too. The scopes are names of ztunnel's own modules, which it cannot list.
func ParseLogLevels(s string) ([]LogLevel, error) {
	levels := []string{"trace", "debug", "info", "warning", "warn", "error", "critical", "off"}
	scope := regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(::[A-Za-z_][A-Za-z0-9_]*)*$`)
	var all []LogLevel
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		var l LogLevel
		l.Level = part
		if i := strings.LastIndexAny(part, ":="); i >= 0 {
			l.Scope, l.Level = part[:i], part[i+1:]
			if !scope.MatchString(l.Scope) {
				return nil, hint.Usagef("a scope is a module, such as access or ztunnel::proxy: --level access:debug,info", "%q names no part of ztunnel", l.Scope)
			}
		}
		l.Level = strings.ToLower(l.Level)
		if !slices.Contains(levels, l.Level) {
			return nil, hint.Usagef(cmp.Or(hint.DidYouMean(l.Level, levels), "one of trace, debug, info, warning, error, off"), "%q is not a log level", l.Level)
		}
		switch l.Level {
		case "warning":
			l.Level = "warn"
		case "critical":
			l.Level = "error"
		}
		all = append(all, l)
	}
	return all, nil
}

// Path is the request that makes the change.
func (c LogChange) Path() string {
	var levels []string
	for _, l := range c.Levels {
		if l.Scope != "" {
			l.Level = l.Scope + "=" + l.Level
		}
		levels = append(levels, l.Level)
	}
	query := url.Values{}
	if c.Reset {
		query.Set("reset", "")
	}
	if len(levels) > 0 {
		query.Set("level", strings.Join(levels, ","))
	}
	if len(query) == 0 {
		return LogPath
	}
	return LogPath + "?" + query.Encode()
}

// ReadLogLevels reads a ztunnel's answer: "current log level is x=off,info".
func ReadLogLevels(answer string) ([]LogLevel, error) {
	line, _, _ := strings.Cut(strings.TrimSpace(answer), "\n")
	_, list, found := strings.Cut(line, "log level is ")
	if !found {
		return nil, hint.Unanswerablef("is this port of this pod ztunnel's?", "it answers %q instead of its log levels", line)
	}
	var all []LogLevel
	for part := range strings.SplitSeq(list, ",") {
		l := LogLevel{Level: strings.TrimSpace(part)}
		if i := strings.LastIndexByte(l.Level, '='); i >= 0 {
			l.Scope, l.Level = l.Level[:i], l.Level[i+1:]
		}
		all = append(all, l)
	}
	slices.SortStableFunc(all, func(a, b LogLevel) int { return strings.Compare(a.Scope, b.Scope) })
	return all, nil
}

// PodLogs is what one ztunnel logs.
type PodLogs struct {
	Pod    string     `json:"pod"`
	Node   string     `json:"node"`
	Scopes []ScopeLog `json:"scopes"`
	// Error is why the levels are not known.
	Error string `json:"error,omitempty"`
}

// ScopeLog is the level of a scope; Was and Now differ only where it was changed.
type ScopeLog struct {
	Scope string `json:"scope"`
	Was   string `json:"was"`
	Now   string `json:"now"`
}

// Compare fills in the levels of a pod before and after a change. A scope
// without a level of its own has that of "all".
func (p *PodLogs) Compare(was, now []LogLevel) {
	level := func(all []LogLevel, scope string) string {
		general := "off"
		for _, l := range all {
			switch l.Scope {
			case scope:
				return l.Level
			case "":
				general = l.Level
			}
		}
		return general
	}
	var scopes []string
	for _, l := range slices.Concat(was, now) {
		scopes = append(scopes, l.Scope)
	}
	slices.Sort(scopes)
	p.Scopes = []ScopeLog{}
	for _, s := range slices.Compact(scopes) {
		p.Scopes = append(p.Scopes, ScopeLog{Scope: cmp.Or(s, "all"), Was: level(was, s), Now: level(now, s)})
	}
}

// LogReport is the result of ztunnel-config log.
type LogReport struct {
	// Changed says that levels were to be changed.
	Changed bool      `json:"changed"`
	Pods    []PodLogs `json:"pods"`
}

// DocumentKind is the kind of the JSON and YAML document.
func (*LogReport) DocumentKind() string { return "ZtunnelLogLevels" }

// Tables is one row per scope of each ztunnel.
func (r *LogReport) Tables(wide bool) []output.Table {
	t := output.Table{Columns: []string{"ZTUNNEL", "SCOPE", "LEVEL"}, Empty: "No log levels found."}
	if r.Changed {
		t.Columns = []string{"ZTUNNEL", "SCOPE", "WAS", "NOW"}
	}
	if wide {
		t.Columns = append(t.Columns, "NODE")
	}
	for _, p := range r.Pods {
		for _, s := range p.Scopes {
			row := []string{p.Pod, s.Scope, s.Now}
			if r.Changed {
				row = []string{p.Pod, s.Scope, s.Was, s.Now}
			}
			if wide {
				row = append(row, p.Node)
			}
			t.Rows = append(t.Rows, row)
		}
	}
	return []output.Table{t}
}
