package install

import (
	"errors"
	"fmt"
	"time"
)

// ErrGivenUp is in the error of an install that ended before its deadline,
// because waiting does not heal what is wrong.
var ErrGivenUp = errors.New("given up, as waiting does not heal this")

// patienceByDefault is how long a cause that waiting does not heal may stay.
const patienceByDefault = 10 * time.Second

// patienceForNodes is the same where a cluster that grows by itself may bring nodes.
const patienceForNodes = 30 * time.Second

// patience decides when waiting is no use any more. Its zero value but for now works.
type patience struct {
	endless bool
	grace   time.Duration
	now     func() time.Time
	since   map[string]time.Time // of terminal causes that are there
	causes  map[string]told
}

// told is a cause and whose it is.
type told struct {
	component string
	reason    Reason
}

// verdict is news about a cause that waiting does not heal.
type verdict struct {
	told
	cleared bool
	// left is how long it may still stay.
	left time.Duration
}

// judge takes the causes that are there now and returns those terminal ones
// that are new or gone.
func (p *patience) judge(causes []told) []verdict {
	if p.endless {
		return nil
	}
	if p.since == nil {
		p.since, p.causes = map[string]time.Time{}, map[string]told{}
	}
	there := map[string]bool{}
	var news []verdict
	for _, c := range causes {
		if !c.reason.Terminal {
			continue
		}
		key := c.component + c.reason.key()
		there[key] = true
		if _, known := p.since[key]; !known {
			p.since[key], p.causes[key] = p.now(), c
			news = append(news, verdict{told: c, left: p.graceFor(c.reason)})
		}
	}
	for key, c := range p.causes {
		if !there[key] {
			delete(p.since, key)
			delete(p.causes, key)
			news = append(news, verdict{told: c, cleared: true})
		}
	}
	return news
}

// over says whether a terminal cause has been there too long.
func (p *patience) over() bool {
	for key, since := range p.since {
		if p.now().Sub(since) >= p.graceFor(p.causes[key].reason) {
			return true
		}
	}
	return false
}

func (p *patience) graceFor(r Reason) time.Duration {
	if p.grace > 0 {
		return p.grace
	}
	if r.Reason == "Unschedulable" {
		return patienceForNodes
	}
	return patienceByDefault
}

func (v verdict) String() string {
	if v.cleared {
		return fmt.Sprintf("cleared: %s of %s; going on", v.reason.Reason, v.reason.where())
	}
	return fmt.Sprintf("waiting does not heal %s: giving up in %s unless it clears (--fail-fast=false keeps waiting)", v.reason.Reason, age(v.left))
}
