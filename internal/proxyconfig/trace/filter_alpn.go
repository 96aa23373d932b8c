package trace

import (
	"encoding/json"
	"strings"
)

// istioALPN is Istio's filter that chooses what the proxy offers upstream in
// TLS, by the HTTP version spoken there: servers tell HTTP of the mesh by it.
func istioALPN(in *filterInput) filterResult {
	var config struct {
		Overrides []struct {
			Protocol string   `json:"upstream_protocol"`
			ALPN     []string `json:"alpn_override"`
		} `json:"alpn_override"`
	}
	if in.Call == nil || json.Unmarshal(in.Config, &config) != nil {
		return filterResult{}
	}
	for _, o := range config.Overrides {
		version := map[string]string{"": "HTTP/1.0", "HTTP10": "HTTP/1.0", "HTTP11": "HTTP/1.1", "HTTP2": "HTTP/2"}[o.Protocol]
		in.Call.FilterState[alpnState+version] = strings.Join(o.ALPN, ",")
	}
	return filterResult{}
}
