package bed

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"sync"
	"time"
)

// Proxies asks for simulated proxies: ADS clients without an Envoy.
type Proxies struct {
	// Count is how many in all; NACK of them reject what istiod sends, Stale fall silent after its first answer.
	Count int `json:"count"`
	NACK  int `json:"nack"`
	Stale int `json:"stale"`
	// Namespace they say they are in, "bed-proxies" when empty. No pods are made.
	Namespace string `json:"namespace,omitempty"`
	// Prefix of their names, "sim" when empty: sim-0, sim-1 ...; those that reject come first, then the silent ones.
	Prefix string `json:"prefix,omitempty"`
}

// fleet is the simulated proxies that are connected.
type fleet struct {
	bed  *Bed
	mu   sync.Mutex
	next int
	live map[string]context.CancelFunc
	size map[string]Proxies
}

func newFleet(b *Bed) *fleet {
	return &fleet{bed: b, live: map[string]context.CancelFunc{}, size: map[string]Proxies{}}
}

// connectsAtOnce is how many simulated proxies connect at the same time: an istiod refuses more than it can take in.
const connectsAtOnce = 250

// ConnectProxies connects simulated proxies, spread over every istiod of the bed, and returns when each has had its first
// answer for every type: from then on `proxy-status` shows them. They stay until DisconnectProxies with the id or the bed's end.
func (b *Bed) ConnectProxies(ctx context.Context, p Proxies) (id string, err error) { //nolint:contextcheck // they outlive the call
	if p.Count <= 0 || p.NACK < 0 || p.Stale < 0 || p.NACK+p.Stale > p.Count {
		return "", fmt.Errorf("connecting %d proxies, %d rejecting, %d stale: want at least one, and no more of a kind than in all", p.Count, p.NACK, p.Stale)
	}
	p.Namespace, p.Prefix = orDefault(p.Namespace, "bed-proxies"), orDefault(p.Prefix, "sim")
	istiods := b.runtime.istiods()
	if len(istiods) == 0 {
		return "", errors.New("connecting proxies: the bed runs no istiod")
	}
	life, cancel := context.WithCancel(b.life)
	ready := make(chan error, p.Count)
	start := func(i int) {
		c := &simProxy{namespace: p.Namespace, name: p.Prefix + "-" + strconv.Itoa(i), index: i, behave: ack}
		switch {
		case i < p.NACK:
			c.behave = nack
		case i < p.NACK+p.Stale:
			c.behave = stale
		}
		go c.run(life, istiods[i%len(istiods)], ready)
	}
	for i := range min(p.Count, connectsAtOnce) {
		start(i)
	}
	for i := range p.Count {
		select {
		case err = <-ready:
		case <-ctx.Done():
			err = context.Cause(ctx)
		case <-life.Done():
			err = errors.New("the bed went down")
		}
		if err != nil {
			cancel()
			return "", fmt.Errorf("connecting proxies: %w", err)
		}
		if next := i + connectsAtOnce; next < p.Count {
			start(next)
		}
	}
	f := b.fleet
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next++
	id = "proxies-" + strconv.Itoa(f.next)
	f.live[id], f.size[id] = cancel, p
	return id, nil
}

// DisconnectProxies ends those of one ConnectProxies, or all when id is empty.
func (b *Bed) DisconnectProxies(id string) error {
	f := b.fleet
	f.mu.Lock()
	defer f.mu.Unlock()
	if id != "" && f.live[id] == nil {
		return fmt.Errorf("disconnecting proxies: the bed has no %q", id)
	}
	for name, cancel := range f.live {
		if id == "" || name == id {
			cancel()
			delete(f.live, name)
			delete(f.size, name)
		}
	}
	return nil
}

// list describes what is connected, for status.
func (f *fleet) list() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := []string{}
	for id, p := range f.size {
		out = append(out, fmt.Sprintf("%s: %d simulated in %s, %d rejecting, %d stale", id, p.Count, p.Namespace, p.NACK, p.Stale))
	}
	sort.Strings(out)
	return out
}

// reconnectDelay is how long a proxy that lost its istiod waits.
const reconnectDelay = time.Second
