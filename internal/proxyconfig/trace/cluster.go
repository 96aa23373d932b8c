package trace

import (
	"fmt"
	"strings"
)

// resolve finds the endpoints of the targets, a step for each cluster.
func (w *walker) resolve(targets []Target) {
	for i := range targets {
		w.resolveOne(&targets[i], len(targets) > 1)
	}
}

func (w *walker) resolveOne(t *Target, several bool) {
	t.Endpoints = []Endpoint{}
	const name = "cluster"
	share := ""
	if several {
		share = t.share() + ": "
	}
	c, err := w.dump.cluster(t.Cluster)
	switch {
	case err != nil:
		t.Kind, t.Why = Undecidable, err.Error()
		w.step(Step{Name: name, State: Undecided, Text: share + err.Error()})
		return
	case c == nil:
		t.Kind, t.Status, t.Flags = NoEndpoint, 503, "NC"
		t.Why = fmt.Sprintf("the proxy has no cluster %s", orText(t.Cluster, "(empty name)"))
		w.step(Step{Name: name, State: Failed, Text: share + t.Why, Details: missingCluster(t.Cluster)})
		return
	}
	t.Kind, t.Type, t.LB = Forwarded, c.kind(), c.balancing()
	w.step(Step{Name: name, State: OK, Text: share + c.text(), Owner: c.owner(), Details: c.bounds()})
	pool := w.pool(c)
	step := pool.step("endpoint")
	t.Endpoints = pool.list
	for i := range t.Endpoints {
		t.Endpoints[i].protocol = c.protocol(w.req.Protocol)
	}
	switch {
	case pool.unsure != "":
		t.Kind, t.Why = Undecidable, pool.unsure
	case pool.chosen() == 0:
		t.Kind, t.Status, t.Flags, t.Why = NoEndpoint, 503, "UH", step.Text
	}
	for _, e := range t.Endpoints {
		if e.Chosen {
			t.TLS = e.TLS
			break
		}
	}
	w.step(step)
}

// missingCluster says what a name that has no cluster probably means.
func missingCluster(name string) []string {
	parts := strings.Split(name, "|")
	if len(parts) != 4 {
		return nil
	}
	if parts[2] != "" {
		return []string{fmt.Sprintf("no DestinationRule that this proxy sees defines subset %s of %s, or the host has no port %s", parts[2], parts[3], parts[1])}
	}
	return []string{fmt.Sprintf("no Service or ServiceEntry that this proxy sees is %s with port %s", parts[3], parts[1])}
}

// owner is the DestinationRule of the cluster.
func (c *cluster) owner() Resource { return c.Metadata.owner() }

// text says what the cluster is.
func (c *cluster) text() string {
	parts := strings.Split(c.Name, "|")
	what := c.Name
	if len(parts) == 4 && parts[2] != "" {
		what += ", subset " + parts[2]
	}
	if c.kind() == "ORIGINAL_DST" {
		return what + ", original destination"
	}
	return fmt.Sprintf("%s, %s, %s", what, strings.TrimPrefix(c.kind(), "envoy.cluster"), c.balancing())
}

// balancing is the policy as people write it.
func (c *cluster) balancing() string {
	policy := c.Policy
	if policy == "" {
		policy = "ROUND_ROBIN"
	}
	if unread(c.LoadBalancing) {
		policy = "policy by extension"
	}
	return strings.ToLower(strings.ReplaceAll(policy, "_", " "))
}

// bounds are circuit breakers, outlier detection and timeouts, as lines.
func (c *cluster) bounds() []string {
	var lines []string
	if c.ConnectTimeout != "" && c.ConnectTimeout != "10s" { // istiod's own
		lines = append(lines, "connect timeout "+duration(c.ConnectTimeout))
	}
	const unlimited = 4294967295
	for _, t := range c.Breakers.Thresholds {
		if t.Priority != "" && t.Priority != "DEFAULT" {
			continue
		}
		var parts []string
		for _, limit := range []struct {
			n    *int64
			what string
		}{{t.Connections, "connections"}, {t.Pending, "pending requests"}, {t.Requests, "requests"}, {t.Retries, "retries"}} {
			if limit.n != nil && *limit.n < unlimited {
				parts = append(parts, fmt.Sprintf("%d %s", *limit.n, limit.what))
			}
		}
		if len(parts) > 0 {
			lines = append(lines, "at most "+strings.Join(parts, ", ")+" (flag UO beyond)")
		}
	}
	if o := c.Outlier; o != nil {
		line := "outliers are ejected"
		if o.Consecutive5xx != nil && (o.Enforcing == nil || *o.Enforcing > 0) {
			line += fmt.Sprintf(" after %d errors", *o.Consecutive5xx)
		} else if o.ConsecutiveGateway != nil {
			line += fmt.Sprintf(" after %d gateway errors", *o.ConsecutiveGateway)
		}
		if o.Base != "" {
			line += " for " + duration(o.Base)
		}
		lines = append(lines, line)
	}
	return lines
}

// settle makes the outcome of what the targets came to.
func (w *walker) settle(targets []Target, change func(*Target)) {
	good, unsure := 0, ""
	var bad *Target
	for i := range targets {
		t := &targets[i]
		if change != nil {
			change(t)
		}
		switch {
		case t.Kind == Forwarded:
			good++
		case t.Kind == Undecidable && unsure == "":
			unsure = t.Why
		case bad == nil:
			bad = t
		}
	}
	kind, why := Forwarded, ""
	switch {
	case unsure != "":
		kind, why = Undecidable, "cannot decide: "+unsure
	case good == 0 && bad != nil:
		kind, why = bad.Kind, bad.Why
	case bad != nil:
		why = fmt.Sprintf("%s of such requests fail: %s", bad.share(), bad.Why)
	}
	w.end(kind, why, func(o *Outcome) {
		o.Clusters = targets
		if kind == NoEndpoint {
			o.Status, o.Flags, o.Detail = bad.Status, bad.Flags, map[string]string{"NC": "cluster_not_found", "UH": "no_healthy_upstream"}[bad.Flags]
		}
	})
}

// share is the target's part of the requests, for people.
func (t *Target) share() string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", t.Share), ".0") + "%"
}
