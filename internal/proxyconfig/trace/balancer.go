package trace

// balancer finds the endpoints that Envoy's load balancers may take: those of
// the priorities that get a share of the requests.
type balancer struct {
	panicBelow float64
	factor     int // overprovisioning, in per cent
	byLocality bool
	levels     map[int]*level
	weightless []bool // per endpoint: its locality has no weight
}

// level is one priority.
type level struct {
	all, healthy, degraded int
	weighted               bool // some locality has a weight
}

func (b *balancer) add(e *Endpoint, g *endpointGroup) {
	if b.levels == nil {
		b.levels = map[int]*level{}
	}
	l := b.levels[e.Priority]
	if l == nil {
		l = &level{}
		b.levels[e.Priority] = l
	}
	l.all++
	switch e.Health {
	case "HEALTHY", "UNKNOWN":
		l.healthy++
	case "DEGRADED":
		l.degraded++
	}
	l.weighted = l.weighted || g.Weight != nil && *g.Weight > 0
	b.weightless = append(b.weightless, g.Weight == nil || *g.Weight == 0)
}

// choose marks the endpoints that may be taken.
func (b *balancer) choose(p *pool) {
	healthy, degraded := b.loads()
	panics := map[int]bool{}
	if b.total() < 100 {
		for i, l := range b.levels {
			if l.all > 0 && 100*float64(l.healthy+l.degraded)/float64(l.all) < b.panicBelow {
				panics[i] = true
			}
		}
	}
	sum := 0
	for i := range b.levels {
		sum += healthy[i] + degraded[i]
	}
	for i := range p.list {
		e := &p.list[i]
		l := b.levels[e.Priority]
		if b.byLocality && l.weighted && b.weightless[i] {
			continue
		}
		switch {
		case panics[e.Priority] && (sum == 0 && e.Priority == 0 || healthy[e.Priority]+degraded[e.Priority] > 0):
			e.Chosen, p.panics = true, true
		case e.Health == "DEGRADED":
			e.Chosen = degraded[e.Priority] > 0
		case takes(e.Health):
			e.Chosen = healthy[e.Priority] > 0
		}
	}
}

// available is how much of the requests a level could take, in per cent.
func (b *balancer) available(n, all int) int {
	if all == 0 {
		return 0
	}
	return min(100, b.factor*n/all)
}

// total is what all levels together could take.
func (b *balancer) total() int {
	sum := 0
	for _, l := range b.levels {
		sum += b.available(l.healthy, l.all) + b.available(l.degraded, l.all)
	}
	return min(100, sum)
}

// loads are the shares of each priority: first its healthy endpoints, then the
// degraded ones.
func (b *balancer) loads() (healthy, degraded map[int]int) {
	healthy, degraded = map[int]int{}, map[int]int{}
	total := b.total()
	if total == 0 {
		return healthy, degraded
	}
	left := 100
	for i := 0; i <= b.last(); i++ {
		if l := b.levels[i]; l != nil {
			healthy[i] = min(left, b.available(l.healthy, l.all)*100/total)
			left -= healthy[i]
		}
	}
	for i := 0; i <= b.last(); i++ {
		if l := b.levels[i]; l != nil {
			degraded[i] = min(left, b.available(l.degraded, l.all)*100/total)
			left -= degraded[i]
		}
	}
	return healthy, degraded
}

func (b *balancer) last() int {
	last := 0
	for i := range b.levels {
		last = max(last, i)
	}
	return min(last, 128) // Envoy's highest
}
