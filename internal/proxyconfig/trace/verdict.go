package trace

import (
	"fmt"
	"slices"
	"strings"
)

// verdict is the answer in one sentence, and what to do about it.
func (r *Report) verdict() (text string, advice []string) {
	advice = []string{}
	o := &r.Outcome
	switch {
	case o.Kind == Undecidable && r.Decided():
		final := r.lastFinal()
		text = "it does not get there in any case: " + final.sentence(r)
		return text, append(append(advice, "before that: "+o.Why), r.failedAdvice(final)...)
	case o.Kind == Undecidable:
		if o.IfAllowed != nil {
			advice = append(advice, "if that lets it through: "+o.IfAllowed.sentence(r))
		}
		return o.Why, append(advice, undecidedAdvice(o)...)
	case r.elsewhere != "":
		return r.elsewhere, advice
	case o.Kind == Forwarded && !r.Reached():
		return "a part of such requests fails: " + o.Why, append(advice, r.failedAdvice(r.failing())...)
	case o.Kind == Closed && !r.refused():
		return o.sentence(r), advice // a filter closed it, and said why
	}
	return o.sentence(r), append(advice, r.failedAdvice(o)...)
}

// lastFinal is how the first walk ends that does not get through.
func (r *Report) lastFinal() *Outcome {
	for _, w := range []*Walk{r.Client, r.Server} {
		if w != nil && !w.Outcome.final().reaches() {
			return w.Outcome.final()
		}
	}
	return &r.Outcome
}

// refused says whether one of the proxies never takes the connection.
func (r *Report) refused() bool {
	return r.Client != nil && r.Client.refuses() || r.Server != nil && r.Server.refuses()
}

// failing is the outcome of the target that fails.
func (r *Report) failing() *Outcome {
	for _, t := range r.Outcome.Clusters {
		if t.Kind != Forwarded {
			return &Outcome{Kind: t.Kind, Flags: t.Flags, Clusters: []Target{t}}
		}
	}
	return &r.Outcome
}

// sentence says how it ends.
func (o *Outcome) sentence(r *Report) string {
	status := ""
	if o.Status != 0 {
		status = fmt.Sprintf("%d", o.Status)
		if o.Flags != "" {
			status += " " + o.Flags
		}
		status += ": "
	} else if o.Flags != "" {
		status = o.Flags + ": "
	}
	switch o.Kind {
	case Forwarded:
		if r.Server != nil {
			return "it reaches " + r.Server.Proxy
		}
		return "it goes to " + o.where()
	case Redirected:
		return fmt.Sprintf("the client is redirected to %s with %d", o.Location, o.Status)
	case DirectResponse:
		return fmt.Sprintf("the proxy itself answers with %d", o.Status)
	}
	text := status + o.Why
	if owner := o.Owner.String(); owner != "" && !strings.Contains(text, o.Owner.Name) {
		text += " (" + owner + ")"
	}
	return text
}

// where names clusters and endpoints in short.
func (o *Outcome) where() string {
	parts := make([]string, 0, len(o.Clusters))
	for i := range o.Clusters {
		t := &o.Clusters[i]
		part := t.Cluster
		if t.Share < 100 {
			part = fmt.Sprintf("%s (%s)", part, t.share())
		}
		n := 0
		first := ""
		for j := range t.Endpoints {
			if t.Endpoints[j].Chosen {
				if n == 0 {
					first = t.Endpoints[j].hostPort()
				}
				n++
			}
		}
		switch {
		case n == 1:
			part += " at " + first
		case n > 1:
			part += fmt.Sprintf(" at one of %d endpoints", n)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// failedAdvice is what to do about a failure.
func (r *Report) failedAdvice(o *Outcome) []string {
	switch o.Kind {
	case NoRoute:
		return []string{"look at the hosts of the VirtualServices and Services that this proxy sees: `meshctl proxy-config route`"}
	case NoListener:
		return []string{"look at the ports of the Service and of the Gateway: `meshctl proxy-config listener`; where the Service sends the port to another one, name that with --port"}
	case NoEndpoint:
		if o.Flags == "NC" {
			return []string{"the cluster is not there: is the subset in a DestinationRule, is the host exported to this namespace? `meshctl analyze` tells"}
		}
		return []string{"no endpoint is there or healthy: do the Service's selector and the subset's labels match ready pods? `meshctl proxy-config endpoint` shows health and outliers"}
	case Denied:
		if o.Owner.Name != "" {
			return []string{"look at " + o.Owner.String()}
		}
		if policies := r.unmatched(); len(policies) > 0 {
			return []string{"to allow it, widen a rule of " + strings.Join(policies, " or ") + ": above stands what each asks for"}
		}
	case Closed:
		return []string{"compare what the client speaks (plain text, TLS, SNI) with the filter chains above: a PeerAuthentication, a DestinationRule's tls or a Gateway server's tls decides"}
	}
	return nil
}

// unmatched are the policies that could have allowed what was denied.
func (r *Report) unmatched() []string {
	var names []string
	for _, w := range []*Walk{r.Client, r.Server} {
		if w == nil {
			continue
		}
		for i := range w.Steps {
			if w.Steps[i].State != Failed {
				continue
			}
			for _, c := range w.Steps[i].Rejected {
				if name := c.Owner.String(); c.Owner.Kind == "AuthorizationPolicy" && !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
	}
	return names
}

func undecidedAdvice(o *Outcome) []string {
	for _, known := range [][2]string{
		{"include_eds", "take the dump with `curl 'localhost:15000/config_dump?include_eds'`"},
		{"whether the connection is TLS", "say who calls: --source-principal for a client with a proxy, --plaintext for one without"},
		{"source address", "name the client's address with --source-ip"},
		{"destination address", "name the address with --to-ip"},
	} {
		if strings.Contains(o.Why, known[0]) {
			return []string{known[1]}
		}
	}
	return nil
}
