package annotations

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/hashicorp/go-multierror"
	meshconfig "istio.io/api/mesh/v1alpha1"
	"istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/config/validation/agent"
	"istio.io/istio/pkg/util/protomarshal"

	"github.com/meshctl/meshctl/internal/hint"
)

// proxyConfig reads the value as the injector does, as YAML over the defaults.
func proxyConfig(value string) (string, string) {
	config := mesh.DefaultProxyConfig()
	if err := protomarshal.ApplyYAML(value, config); err != nil {
		return fmt.Sprintf("cannot be read: %v", err), ""
	}
	if v := agent.ValidateMeshConfigProxyConfig(config); v.Err != nil {
		return first(v.Err).Error(), ""
	}
	err := protomarshal.ApplyYAMLStrict(value, mesh.DefaultProxyConfig())
	if err == nil {
		return "", ""
	}
	if name := unknownField.FindStringSubmatch(err.Error()); name != nil {
		fix := ""
		if best := hint.Closest(name[1], proxyConfigFields()); best != "" {
			fix = fmt.Sprintf("change %s to %s", name[1], best)
		}
		return fmt.Sprintf("there is no field %q, and Istio ignores it", name[1]), fix
	}
	return "", ""
}

var unknownField = regexp.MustCompile(`unknown field "([^"]+)"`)

func proxyConfigFields() []string {
	fields := (&meshconfig.ProxyConfig{}).ProtoReflect().Descriptor().Fields()
	names := make([]string, 0, fields.Len())
	for i := range fields.Len() {
		names = append(names, fields.Get(i).JSONName())
	}
	return names
}

// first is the first of several errors.
func first(err error) error {
	var many *multierror.Error
	if errors.As(err, &many) && len(many.Errors) > 0 {
		return first(many.Errors[0])
	}
	return err
}
