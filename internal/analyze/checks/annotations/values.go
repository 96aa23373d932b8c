package annotations

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"istio.io/api/annotation"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/meshctl/meshctl/internal/hint"
)

// rule says what is wrong with a value, and what to write; both empty when
// Istio can use it.
type rule func(value string) (problem, fix string)

// values are the rules for annotations whose value is not free text.
func values() map[string]rule {
	return map[string]rule{
		annotation.SidecarInterceptionMode.Name:                   oneOf("REDIRECT", "TPROXY", "NONE"),
		annotation.SidecarStatusPort.Name:                         port,
		annotation.SidecarStatusReadinessInitialDelaySeconds.Name: count,
		annotation.SidecarStatusReadinessPeriodSeconds.Name:       count,
		annotation.SidecarStatusReadinessFailureThreshold.Name:    count,
		annotation.SidecarTrafficIncludeOutboundIPRanges.Name:     orAll(ranges),
		annotation.SidecarTrafficExcludeOutboundIPRanges.Name:     ranges,
		annotation.SidecarTrafficIncludeInboundPorts.Name:         orAll(ports),
		annotation.SidecarTrafficExcludeInboundPorts.Name:         ports,
		annotation.SidecarTrafficIncludeOutboundPorts.Name:        orAll(ports),
		annotation.SidecarTrafficExcludeOutboundPorts.Name:        ports,
		annotation.SidecarTrafficExcludeInterfaces.Name:           interfaces,
		annotation.SidecarTrafficKubevirtInterfaces.Name:          interfaces,
		annotation.IoIstioRerouteVirtualInterfaces.Name:           interfaces,
		annotation.PrometheusMergeMetrics.Name:                    boolean,
		annotation.SidecarRewriteAppHTTPProbers.Name:              boolean,
		annotation.SidecarProxyCPU.Name:                           quantity,
		annotation.SidecarProxyCPULimit.Name:                      quantity,
		annotation.SidecarProxyMemory.Name:                        quantity,
		annotation.SidecarProxyMemoryLimit.Name:                   quantity,
		annotation.SidecarUserVolume.Name:                         jsonText,
		annotation.SidecarUserVolumeMount.Name:                    jsonText,
		annotation.SidecarInject.Name:                             oneOf("true", "false"),
		annotation.SidecarNativeSidecar.Name:                      oneOf("true", "false"),
		annotation.SidecarLogLevel.Name:                           oneOf("trace", "debug", "info", "warning", "warn", "error", "critical", "off"),
		annotation.ProxyConfig.Name:                               proxyConfig,
	}
}

func oneOf(known ...string) rule {
	return func(value string) (string, string) {
		if value == "" || slices.Contains(known, value) {
			return "", ""
		}
		if i := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, value) }); i >= 0 {
			return fmt.Sprintf("%q is not %q", value, known[i]), fmt.Sprintf("change it to %q", known[i])
		}
		problem := fmt.Sprintf("%q is none of %s", value, strings.Join(known, ", "))
		if best := hint.Closest(value, known); best != "" {
			return problem, fmt.Sprintf("change it to %q", best)
		}
		return problem, ""
	}
}

// orAll takes * for everything.
func orAll(r rule) rule {
	return func(value string) (string, string) {
		if value == "*" {
			return "", ""
		}
		return r(value)
	}
}

func port(value string) (string, string) {
	if _, err := strconv.ParseUint(strings.TrimSpace(value), 10, 16); err != nil {
		return fmt.Sprintf("%q is no port number", value), "write a number from 0 to 65535"
	}
	return "", ""
}

func ports(value string) (string, string) {
	if strings.TrimSpace(value) == "" {
		return "", ""
	}
	for p := range strings.SplitSeq(value, ",") {
		if problem, _ := port(p); problem != "" {
			return problem, "write port numbers separated by commas, such as \"3306,6379\""
		}
	}
	return "", ""
}

func count(value string) (string, string) {
	if _, err := strconv.ParseUint(value, 10, 32); err != nil {
		return fmt.Sprintf("%q is no whole number of 0 or more", value), "write a plain number, without unit"
	}
	return "", ""
}

// ranges are address ranges; the injector takes no blanks between them.
func ranges(value string) (string, string) {
	if value == "" {
		return "", ""
	}
	for cidr := range strings.SplitSeq(value, ",") {
		if _, err := netip.ParsePrefix(cidr); err == nil {
			continue
		}
		trimmed := strings.TrimSpace(cidr)
		if _, err := netip.ParsePrefix(trimmed); err == nil {
			return "there are blanks between the address ranges", fmt.Sprintf("change it to %q", strings.ReplaceAll(value, " ", ""))
		}
		problem := fmt.Sprintf("%q is no address range", trimmed)
		if addr, err := netip.ParseAddr(trimmed); err == nil {
			return problem, fmt.Sprintf("write %s/%d for this one address", addr, addr.BitLen())
		}
		return problem, "write ranges such as 10.0.0.0/8, separated by commas"
	}
	return "", ""
}

// interfaceName is what the injector takes for a network interface: Linux has
// 15 characters for it.
var interfaceName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_.-]{0,14}$`)

func interfaces(value string) (string, string) {
	if value == "" {
		return "", ""
	}
	for name := range strings.SplitSeq(value, ",") {
		if name = strings.TrimSpace(name); !interfaceName.MatchString(name) {
			return fmt.Sprintf("%q is no name of a network interface", name), "write names such as eth1, separated by commas"
		}
	}
	return "", ""
}

func boolean(value string) (string, string) {
	if _, err := strconv.ParseBool(value); err != nil {
		return fmt.Sprintf("%q is neither true nor false", value), `write "true" or "false"`
	}
	return "", ""
}

func quantity(value string) (string, string) {
	if strings.IndexFunc(value, unicode.IsControl) >= 0 {
		return fmt.Sprintf("%q has control characters in it", value), "write it on one line"
	}
	if _, err := resource.ParseQuantity(value); err != nil {
		return fmt.Sprintf("%q is no quantity", value), "write one as in a container's resources, such as 100m or 128Mi"
	}
	return "", ""
}

func jsonText(value string) (string, string) {
	if !json.Valid([]byte(value)) {
		return "the value is not JSON", "write it as JSON, keys and texts in double quotes"
	}
	return "", ""
}
