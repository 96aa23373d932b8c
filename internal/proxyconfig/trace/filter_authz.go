package trace

import (
	"cmp"
	"encoding/json"
)

// extAuthz is Envoy's external authorization, HTTP or network.
type extAuthz struct {
	GRPC *struct {
		Envoy struct {
			Cluster string `json:"cluster_name"`
		} `json:"envoy_grpc"`
		Google struct {
			Target string `json:"target_uri"`
		} `json:"google_grpc"`
	} `json:"grpc_service"`
	HTTP *struct {
		Server struct {
			URI     string `json:"uri"`
			Cluster string `json:"cluster"`
		} `json:"server_uri"`
	} `json:"http_service"`
	Enabled  *runtimeFraction `json:"filter_enabled"`
	ByData   *metadataMatcher `json:"filter_enabled_metadata"`
	DenyOff  json.RawMessage  `json:"deny_at_disable"`
	FailOpen bool             `json:"failure_mode_allow"`
}

// judgeExtAuthz says whether the service is asked; what it answers is not in
// the configuration.
func judgeExtAuthz(in *filterInput) filterResult {
	if len(in.Overrides) > 0 && isTrue(member(in.Overrides[0], "disabled")) {
		return filterResult{State: passes, Text: "external authorization is switched off for this route"}
	}
	var config extAuthz
	if err := json.Unmarshal(in.Config, &config); err != nil {
		return unreadable(in, err)
	}
	if config.ByData != nil {
		switch v := in.matchMetadata(config.ByData); v.Answer {
		case No:
			return filterResult{State: passes, Text: "no CUSTOM policy matches, so " + config.server() + " is not asked"}
		case Maybe:
			return filterResult{State: opaque, Text: config.server() + " is asked if a CUSTOM policy matches: " + v.Why}
		}
	}
	share := config.Enabled.percent(100)
	switch {
	case share == 0:
		return filterResult{State: passes, Text: "external authorization is switched off"}
	case share < 100:
		return filterResult{State: opaque, Text: config.server() + " is asked about " + percentText(share) + " of the requests"}
	}
	return filterResult{State: opaque, Text: "external authorization by " + config.server() + " decides", Owner: in.customPolicy(config.ByData)}
}

// server is who is asked.
func (c *extAuthz) server() string {
	switch {
	case c.GRPC != nil:
		return cmp.Or(c.GRPC.Envoy.Cluster, c.GRPC.Google.Target, "a gRPC service")
	case c.HTTP != nil:
		return cmp.Or(c.HTTP.Server.Cluster, c.HTTP.Server.URI, "an HTTP service")
	}
	return "an external service"
}

// customPolicy is the policy whose shadow rule matched, and so made the
// service be asked.
func (in *filterInput) customPolicy(m *metadataMatcher) Resource {
	if m == nil {
		return Resource{}
	}
	value, _ := m.find(in.metadata())
	key, _ := value.(string)
	return policyOwner(key)
}

func isTrue(raw json.RawMessage) bool { return string(raw) == "true" }
