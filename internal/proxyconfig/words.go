package proxyconfig

import (
	"fmt"
	"strings"
	"time"
)

// namedFew is how many things a sentence names before it only counts.
const namedFew = 3

// someOf names all of a few things, and some of many.
func someOf(names []string, things string) string {
	if len(names) <= namedFew+1 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more %s", strings.Join(names[:namedFew], ", "), len(names)-namedFew, things)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// age is a duration as kubectl writes it, at most two units.
func age(d time.Duration) string {
	d = max(d, 0)
	seconds, minutes, hours := int(d.Seconds()), int(d.Minutes()), int(d.Hours())
	pair := func(big int, unit string, small int, smallUnit string) string {
		if small == 0 {
			return fmt.Sprintf("%d%s", big, unit)
		}
		return fmt.Sprintf("%d%s%d%s", big, unit, small, smallUnit)
	}
	switch {
	case seconds < 120:
		return fmt.Sprintf("%ds", seconds)
	case minutes < 10:
		return pair(minutes, "m", seconds%60, "s")
	case minutes < 180:
		return fmt.Sprintf("%dm", minutes)
	case hours < 8:
		return pair(hours, "h", minutes%60, "m")
	case hours < 48:
		return fmt.Sprintf("%dh", hours)
	}
	return fmt.Sprintf("%dd", hours/24)
}
