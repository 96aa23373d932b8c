package trace

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strings"
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
	FailOpen bool             `json:"failure_mode_allow"`
	OnError  *struct {
		Code string `json:"code"`
	} `json:"status_on_error"`
}

// judgeExtAuthz says whether the service is asked; what it answers is not in
// the configuration.
func judgeExtAuthz(in *filterInput) filterResult {
	if len(in.Overrides) > 0 && isTrue(member(in.Overrides[0], "disabled")) {
		return filterResult{State: passes, Text: "external authorization is switched off for this route"}
	}
	if in.Call != nil && in.Call.Route == nil {
		return filterResult{State: passes, Text: "nobody is asked, since there is no route"}
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
	if why := config.outOfReach(in); why != "" && share == 100 {
		return config.failed(in, why)
	}
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

// outOfReach says why the service cannot be asked as things are: its cluster is
// missing or has no endpoint. "" is that it can, or that it is not known.
func (c *extAuthz) outOfReach(in *filterInput) string {
	name := ""
	switch {
	case c.GRPC != nil:
		name = c.GRPC.Envoy.Cluster
	case c.HTTP != nil:
		name = c.HTTP.Server.Cluster
	}
	if name == "" || in.Dump == nil || in.Call == nil {
		return ""
	}
	targets := []Target{{Cluster: name, Share: 100}}
	newWalker(in.Dump, "", in.Call.Request, in.Conn).resolve(targets)
	if targets[0].Kind != NoEndpoint {
		return ""
	}
	return targets[0].Why
}

// failed is what happens when the service cannot be asked.
func (c *extAuthz) failed(in *filterInput, why string) filterResult {
	text := c.server() + " is to decide and cannot be asked: " + why
	if c.FailOpen {
		return filterResult{State: passes, Text: text + "; the filter then lets it pass", Owner: in.customPolicy(c.ByData)}
	}
	status := 403
	if c.OnError != nil {
		status = statusNamed(c.OnError.Code, status)
	}
	return filterResult{
		State: answers, Kind: Denied, Status: status, Flags: "UAEX", Detail: "ext_authz_error",
		Text: "denied: " + text, Owner: in.customPolicy(c.ByData),
	}
}

// statusNamed is the status of Envoy's name for it, such as ServiceUnavailable.
func statusNamed(name string, fallback int) int {
	for code := 400; code < 600; code++ {
		if text := strings.NewReplacer(" ", "", "-", "").Replace(http.StatusText(code)); text != "" && text == name {
			return code
		}
	}
	return fallback
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
