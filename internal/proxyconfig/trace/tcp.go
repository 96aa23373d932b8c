package trace

import (
	"encoding/json"
	"fmt"
)

// tcpProxy is the network filter that sends bytes on.
type tcpProxy struct {
	Cluster   string          `json:"cluster"`
	Weighted  *weighted       `json:"weighted_clusters"`
	Idle      *string         `json:"idle_timeout"`
	Tunnel    json.RawMessage `json:"tunneling_config"`
	Metadata  json.RawMessage `json:"metadata_match"`
	OnDemand  json.RawMessage `json:"on_demand"`
	Hash      []hashPolicy    `json:"hash_policy"`
	Attempts  *int            `json:"max_connect_attempts"`
	Specifier json.RawMessage `json:"inline_cluster_specifier_plugin"`
}

func (w *walker) tcp(e *extension) {
	config, _ := w.config(e)
	var t tcpProxy
	if err := json.Unmarshal(config, &t); err != nil {
		w.stuck("TCP", "the TCP proxy cannot be read: "+err.Error(), "the TCP proxy cannot be read")
		return
	}
	targets := t.targets()
	if w.conn.Cluster != "" { // a filter before chose it
		targets = []Target{{Cluster: w.conn.Cluster, Share: 100}}
	}
	if len(targets) == 0 {
		w.stuck("TCP", "the TCP proxy names no cluster", "the TCP proxy's cluster")
		return
	}
	step := Step{Name: "TCP", State: OK, Text: "the bytes go to " + describeTargets(targets)}
	if t.Idle != nil {
		w.walk.Outcome.IdleTimeout = duration(*t.Idle)
		step.Details = append(step.Details, "idle timeout "+duration(*t.Idle))
	}
	if unread(t.Tunnel) {
		step.Details = append(step.Details, fmt.Sprintf("in a tunnel to %s", textOf(member(t.Tunnel, "hostname"))))
	}
	step.Details = append(step.Details, hashing(t.Hash)...)
	w.step(step)
	w.resolve(targets)
	w.settle(targets, func(t *Target) { t.Status = 0 })
}

func (t *tcpProxy) targets() []Target {
	if t.Cluster != "" {
		return []Target{{Cluster: t.Cluster, Share: 100}}
	}
	if t.Weighted == nil {
		return nil
	}
	total := 0
	for _, c := range t.Weighted.Clusters {
		total += c.Weight
	}
	var targets []Target
	for _, c := range t.Weighted.Clusters {
		if c.Weight > 0 {
			targets = append(targets, Target{Cluster: c.Name, Share: float64(c.Weight) * 100 / float64(total)})
		}
	}
	return targets
}
