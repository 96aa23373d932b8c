package proxyconfig

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/meshctl/meshctl/internal/hint"
)

// Admin is a proxy's admin interface.
type Admin interface {
	// Get reads an admin path, such as /server_info.
	Get(ctx context.Context, path string) (io.ReadCloser, error)
	// Post sends an empty POST request, which Envoy wants for all that could change something.
	Post(ctx context.Context, path string) (io.ReadCloser, error)
}

// AdminProxy is a proxy with its admin interface.
type AdminProxy struct {
	// Name is POD.NAMESPACE.
	Name string
	Admin
}

// LoggerLevel is the level of one of Envoy's loggers.
type LoggerLevel struct {
	// Logger is "" for all loggers.
	Logger string
	Level  string
}

// LogChange is what is to become of the log levels of proxies.
type LogChange struct {
	// Reset puts the levels back that each proxy was started with, before Levels.
	Reset  bool
	Levels []LoggerLevel
}

// Nothing says that only the present levels are asked for.
func (c LogChange) Nothing() bool { return !c.Reset && len(c.Levels) == 0 }

// ParseLogLevels reads "[logger:]level,...". A level without a logger is for
// all; it is set first, wherever it stands.
func ParseLogLevels(s string) ([]LoggerLevel, error) {
	known := []string{"trace", "debug", "info", "warning", "error", "critical", "off"}
	var all []LoggerLevel
	general := 0
	for part := range strings.SplitSeq(s, ",") {
		logger, level, named := strings.Cut(strings.TrimSpace(part), ":")
		if !named {
			logger, level = "", logger
		} else if logger == "" {
			return nil, hint.Usagef("it is LEVEL for all loggers, or LOGGER:LEVEL", "%q names no logger", part)
		}
		if level = strings.ToLower(level); level == "warn" {
			level = "warning"
		}
		if !slices.Contains(known, level) {
			return nil, hint.Usagef(cmp.Or(hint.DidYouMean(level, known), "one of "+strings.Join(known, ", ")), "%q is not a log level", level)
		}
		l := LoggerLevel{Logger: logger, Level: level}
		if !named {
			all, general = slices.Insert(all, general, l), general+1
		} else {
			all = append(all, l)
		}
	}
	return all, nil
}

// check says which logger a proxy does not have.
func (c LogChange) check(p *ProxyLogs) error {
	known := make([]string, 0, len(p.Loggers))
	for _, l := range p.Loggers {
		known = append(known, l.Name)
	}
	for _, l := range c.Levels {
		if l.Logger != "" && !slices.Contains(known, l.Logger) {
			return hint.Usagef(cmp.Or(hint.DidYouMean(l.Logger, known), "without --level its loggers are shown"), "proxy %s has no logger %q; no level was changed", p.Proxy, l.Logger)
		}
	}
	return nil
}

// requests are the admin requests that make the change, in their order.
func (c LogChange) requests(p *ProxyLogs) []string {
	var all []string
	add := func(levels []LoggerLevel) {
		var named []string
		for _, l := range levels {
			if l.Logger == "" {
				all = append(all, "/logging?level="+l.Level)
			} else {
				named = append(named, l.Logger+":"+l.Level)
			}
		}
		if len(named) > 0 {
			all = append(all, "/logging?paths="+strings.Join(named, ","))
		}
	}
	if c.Reset {
		add(p.started)
	}
	add(c.Levels)
	return all
}

// Logs reads the log levels of all proxies at once, and then, unless the
// change names a logger that one of them lacks, makes the change. A proxy that
// fails is reported with its error. timeout bounds each proxy's answers. When
// ctx ends while levels are changed, the report says how far that went.
func Logs(ctx context.Context, proxies []AdminProxy, change LogChange, timeout time.Duration) (*LogReport, error) {
	r := &LogReport{Changed: !change.Nothing(), Proxies: make([]ProxyLogs, len(proxies))}
	each := func(do func(context.Context, *ProxyLogs, Admin) error) {
		var group errgroup.Group
		group.SetLimit(atOnce)
		for i := range proxies {
			p := &r.Proxies[i]
			if p.Error != "" {
				continue
			}
			group.Go(func() error {
				ctx, cancel := context.WithTimeout(ctx, timeout)
				defer cancel()
				if err := do(ctx, p, proxies[i]); err != nil {
					p.Error, p.Hint = err.Error(), hint.Of(err)
				}
				return nil
			})
		}
		_ = group.Wait()
	}
	for i := range r.Proxies {
		r.Proxies[i].Proxy, r.Proxies[i].Loggers = proxies[i].Name, []Logger{}
	}
	each(func(ctx context.Context, p *ProxyLogs, a Admin) error { return p.read(ctx, a, change.Reset) })
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if r.Changed {
		for i := range r.Proxies {
			if p := &r.Proxies[i]; p.Error == "" {
				if err := change.check(p); err != nil {
					return nil, err
				}
			}
		}
		each(func(ctx context.Context, p *ProxyLogs, a Admin) error { return p.change(ctx, a, change) })
	}
	return r, ctx.Err()
}

// atOnce bounds how many proxies are talked to at the same time.
const atOnce = 16

// read fills in the present levels, and with started those that the proxy was started with.
func (p *ProxyLogs) read(ctx context.Context, a Admin, started bool) error {
	loggers, err := postLogging(ctx, a, p.Proxy, "/logging")
	if err != nil {
		return err
	}
	for _, l := range loggers {
		p.Loggers = append(p.Loggers, Logger{Name: l.Logger, Was: l.Level, Now: l.Level})
	}
	if !started {
		return nil
	}
	body, err := a.Get(ctx, "/server_info")
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	var info struct {
		Options struct {
			Level      string `json:"log_level"`
			Components string `json:"component_log_level"`
		} `json:"command_line_options"`
	}
	if err := json.NewDecoder(body).Decode(&info); err != nil || info.Options.Level == "" {
		return hint.Unanswerablef("set them with --level instead", "the proxy %s does not say with which log levels it was started", p.Proxy)
	}
	p.StartedWith = info.Options.Level
	p.started = []LoggerLevel{{Level: info.Options.Level}}
	for part := range strings.SplitSeq(info.Options.Components, ",") {
		if logger, level, ok := strings.Cut(part, ":"); ok {
			p.started = append(p.started, LoggerLevel{Logger: logger, Level: level})
			p.StartedWith += "," + part
		}
	}
	return nil
}

// change makes the change; what went through before it failed is known.
func (p *ProxyLogs) change(ctx context.Context, a Admin, c LogChange) error {
	for _, path := range c.requests(p) {
		loggers, err := postLogging(ctx, a, p.Proxy, path)
		if err != nil {
			return err
		}
		now := map[string]string{}
		for _, l := range loggers {
			now[l.Logger] = l.Level
		}
		for i := range p.Loggers {
			p.Loggers[i].Now = now[p.Loggers[i].Name]
		}
	}
	return nil
}

// postLogging sends a request about log levels; Envoy answers each with all levels.
func postLogging(ctx context.Context, a Admin, proxy, path string) ([]LoggerLevel, error) {
	body, err := a.Post(ctx, path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }()
	return parseLoggers(proxy, io.LimitReader(body, 4<<20))
}

// parseLoggers reads the lines "name: level" below the line "active loggers:".
func parseLoggers(proxy string, r io.Reader) ([]LoggerLevel, error) {
	lines := bufio.NewScanner(r)
	lines.Scan()
	first := strings.TrimSpace(lines.Text())
	var all []LoggerLevel
	for lines.Scan() {
		name, level, ok := cutLast(strings.TrimSpace(lines.Text()), ": ")
		if ok {
			all = append(all, LoggerLevel{Logger: name, Level: strings.TrimSpace(level)})
		}
	}
	switch err := lines.Err(); {
	case err != nil:
		return nil, fmt.Errorf("reading the log levels of %s: %w", proxy, err)
	case strings.HasPrefix(first, "current log level is"):
		return nil, hint.Unanswerablef("`meshctl ztunnel-config log` is for those", "%s is a ztunnel, not an Envoy", proxy)
	case len(all) == 0:
		return nil, hint.Unanswerablef("is --proxy-admin-port the port of Envoy's admin interface?", "%s answers %q instead of its log levels", proxy, cut(first, 60))
	}
	return all, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
