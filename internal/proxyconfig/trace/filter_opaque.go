package trace

import (
	"encoding/json"
	"strings"
)

// opaqueFilter is one that may do anything: what says what it is.
func opaqueFilter(what string) filter {
	return func(in *filterInput) filterResult {
		if len(in.Overrides) > 0 && isTrue(member(in.Overrides[0], "disabled")) {
			return filterResult{State: passes, Text: "switched off for this route"}
		}
		return filterResult{State: opaque, Text: what + " decides, and what it does is not in the configuration"}
	}
}

// passFilter is one that has no say in where a request goes.
func passFilter(*filterInput) filterResult { return filterResult{State: passes} }

// notedFilter passes and is worth a word.
func notedFilter(text string) filter {
	return func(*filterInput) filterResult { return filterResult{State: passes, Text: text} }
}

// unknownFilter is one of a type that is not known here.
func unknownFilter(in *filterInput) filterResult {
	return filterResult{State: opaque, Text: "filter " + in.Name + " (" + in.Type + ") is not known here, so it may do anything"}
}

// httpLua passes where the route has no script.
func httpLua(in *filterInput) filterResult {
	var config struct {
		Inline  string                     `json:"inline_code"`
		Default json.RawMessage            `json:"default_source_code"`
		Named   map[string]json.RawMessage `json:"source_codes"`
	}
	if err := json.Unmarshal(in.Config, &config); err != nil {
		return unreadable(in, err)
	}
	runs := config.Inline != "" || config.Default != nil
	if len(in.Overrides) > 0 {
		var route struct {
			Disabled bool            `json:"disabled"`
			Name     string          `json:"name"`
			Code     json.RawMessage `json:"source_code"`
		}
		if err := json.Unmarshal(in.Overrides[0], &route); err != nil {
			return unreadable(in, err)
		}
		switch {
		case route.Disabled:
			runs = false
		case route.Name != "":
			_, runs = config.Named[route.Name]
		case route.Code != nil:
			runs = true
		}
	}
	if !runs {
		return filterResult{State: passes}
	}
	return filterResult{State: opaque, Text: "a Lua script decides, and what it does is not told here"}
}

// wasmFilter passes for the modules of older Istios that are part of Envoy and only watch.
func wasmFilter(in *filterInput) filterResult {
	code := textOf(member(in.Config, "config", "vm_config", "code", "local", "inline_string"))
	if code == "envoy.wasm.metadata_exchange" || code == "envoy.wasm.stats" {
		return filterResult{State: passes}
	}
	if len(in.Overrides) > 0 && isTrue(member(in.Overrides[0], "disabled")) {
		return filterResult{State: passes, Text: "switched off for this route"}
	}
	r := filterResult{State: opaque, Text: "a Wasm module decides, and what it does is not told here"}
	// istiod names the filter NAMESPACE.NAME, with the plug-in's kind before or behind.
	name := strings.TrimPrefix(in.Name, "extensions.istio.io/wasmplugin/")
	if namespace, plugin, ok := strings.Cut(name, "."); ok && name != in.Name {
		r.Owner = Resource{Kind: "WasmPlugin", Name: plugin, Namespace: namespace}
	}
	return r
}

// httpOAuth2 passes what its matchers let through.
func httpOAuth2(in *filterInput) filterResult {
	var config struct {
		Pass []headerMatcher `json:"pass_through_matcher"`
	}
	if raw := member(in.Config, "config"); raw != nil {
		if err := json.Unmarshal(raw, &config); err != nil {
			return unreadable(in, err)
		}
	}
	for i := range config.Pass {
		if config.Pass[i].match(in.Call).Answer == Yes {
			return filterResult{State: passes, Text: "no log-in is asked for: " + headerName(config.Pass[i].Name) + " lets it pass"}
		}
	}
	return filterResult{State: opaque, Text: "OAuth decides: without a log-in it redirects to the authorization server"}
}

// httpTranscoder changes the path of what is not gRPC and that it knows.
func httpTranscoder(in *filterInput) filterResult {
	if kind, _, _ := in.Call.header("content-type"); strings.HasPrefix(kind, "application/grpc") {
		return filterResult{State: passes}
	}
	return filterResult{State: opaque, Text: "a gRPC transcoder may turn the request into a gRPC call, with another path"}
}
