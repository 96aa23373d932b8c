package trace

import (
	"encoding/json"
	"slices"
	"strings"
)

type headerMutation struct {
	Remove string `json:"remove"`
	Append *struct {
		Header struct {
			Key   string `json:"key"`
			Value string `json:"value"`
		} `json:"header"`
		Action string `json:"append_action"`
	} `json:"append"`
	RemoveOn json.RawMessage `json:"remove_on_match"`
}

// httpHeaderMutation applies the filter to the request's headers.
func httpHeaderMutation(in *filterInput) filterResult {
	type config struct {
		Mutations struct {
			Request []headerMutation  `json:"request_mutations"`
			Query   []json.RawMessage `json:"query_parameter_mutations"`
		} `json:"mutations"`
		MostSpecificWins bool `json:"most_specific_header_mutations_wins"`
	}
	var own config
	if err := json.Unmarshal(in.Config, &own); err != nil {
		return unreadable(in, err)
	}
	all := []config{own}
	// The most specific first, unless it is to win: then it is applied last.
	overrides := slices.Clone(in.Overrides)
	if own.MostSpecificWins {
		slices.Reverse(overrides)
	}
	for _, raw := range overrides {
		var c config
		if err := json.Unmarshal(raw, &c); err != nil {
			return unreadable(in, err)
		}
		all = append(all, c)
	}
	changed := 0
	for _, c := range all {
		for i := range c.Mutations.Request {
			in.mutate(&c.Mutations.Request[i])
			changed++
		}
		if len(c.Mutations.Query) > 0 {
			in.unknownHeader(":path")
			changed++
		}
	}
	if changed == 0 {
		return filterResult{State: passes}
	}
	return filterResult{State: passes, Text: "changes headers of the request"}
}

// mutate applies one change. A value with a command in it (%...%) is not known.
func (in *filterInput) mutate(m *headerMutation) {
	c := in.Call
	switch {
	case m.RemoveOn != nil:
		in.unknownHeader("*")
	case m.Remove != "":
		name := strings.ToLower(m.Remove)
		c.Headers.Remove(name)
		delete(c.Unknown, name)
	case m.Append != nil:
		name, value := strings.ToLower(m.Append.Header.Key), m.Append.Header.Value
		_, present, _ := c.header(name)
		switch m.Append.Action {
		case "ADD_IF_ABSENT":
			if present {
				return
			}
		case "OVERWRITE_IF_EXISTS":
			if !present {
				return
			}
			c.Headers.Remove(name)
		case "OVERWRITE_IF_EXISTS_OR_ADD":
			c.Headers.Remove(name)
		}
		if strings.Contains(strings.ReplaceAll(value, "%%", ""), "%") || strings.HasPrefix(name, ":") {
			in.unknownHeader(name)
			return
		}
		c.Headers.Add(name, strings.ReplaceAll(value, "%%", "%"))
	}
}

// httpSetMetadata puts fixed values into the dynamic metadata.
func httpSetMetadata(in *filterInput) filterResult {
	var config struct {
		Namespace string         `json:"metadata_namespace"`
		Value     map[string]any `json:"value"`
		Metadata  []struct {
			Namespace string          `json:"metadata_namespace"`
			Overwrite bool            `json:"allow_overwrite"`
			Value     map[string]any  `json:"value"`
			Typed     json.RawMessage `json:"typed_value"`
		} `json:"metadata"`
	}
	if err := json.Unmarshal(in.Config, &config); err != nil {
		return unreadable(in, err)
	}
	for key, value := range config.Value {
		in.leave(config.Namespace, key, value)
	}
	for _, m := range config.Metadata {
		if _, there := in.metadata()[m.Namespace]; there && !m.Overwrite {
			continue
		}
		for key, value := range m.Value {
			in.leave(m.Namespace, key, value)
		}
	}
	return filterResult{State: passes}
}

// httpToMetadata marks as unknown what the filters leave that copy parts of
// the request into the metadata.
func httpToMetadata(in *filterInput) filterResult {
	var config struct {
		Rules []struct {
			Present ruleTarget `json:"on_header_present"`
			Missing ruleTarget `json:"on_header_missing"`
			OnIt    ruleTarget `json:"on_present"`
			OnNone  ruleTarget `json:"on_missing"`
		} `json:"request_rules"`
	}
	_ = json.Unmarshal(in.Config, &config) // of JSON bodies the rules have another form
	for _, rule := range config.Rules {
		for _, target := range []ruleTarget{rule.Present, rule.Missing, rule.OnIt, rule.OnNone} {
			if target.Key != "" {
				in.leave(target.Namespace, target.Key, unknownValue("filter "+in.Name+" sets it from the request"))
			}
		}
	}
	return filterResult{State: passes}
}

type ruleTarget struct {
	Namespace string `json:"metadata_namespace"`
	Key       string `json:"key"`
}

// httpHealthCheck answers health checks of the proxy itself.
func httpHealthCheck(in *filterInput) filterResult {
	var config struct {
		PassThrough bool            `json:"pass_through_mode"`
		Headers     []headerMatcher `json:"headers"`
	}
	if err := json.Unmarshal(in.Config, &config); err != nil {
		return unreadable(in, err)
	}
	v := matchHeaders(config.Headers, in.Call)
	switch {
	case config.PassThrough || v.Answer == No:
		return filterResult{State: passes}
	case v.Answer == Maybe:
		return filterResult{State: opaque, Text: "it may be a health check that the proxy answers: " + v.Why}
	}
	return filterResult{State: answers, Kind: DirectResponse, Status: 200, Detail: "health_check_ok", Text: "a health check that the proxy answers itself"}
}
