package proxyconfig

import (
	"net"
	"strconv"
	"strings"
	"time"
)

// The types named wire... are the light forms of Envoy's messages: only what
// is shown. Unknown fields and extensions pass.

type wireAddress struct {
	Socket *struct {
		Address string `json:"address"`
		Port    int    `json:"port_value"`
	} `json:"socket_address"`
	Pipe *struct {
		Path string `json:"path"`
	} `json:"pipe"`
	Internal *struct {
		Listener string `json:"server_listener_name"`
		Endpoint string `json:"endpoint_id"`
	} `json:"envoy_internal_address"`
}

// host is the address without its port.
func (a wireAddress) host() string {
	if a.Socket != nil {
		return a.Socket.Address
	}
	return a.String()
}

// port is 0 where the address has none.
func (a wireAddress) port() int {
	if a.Socket != nil {
		return a.Socket.Port
	}
	return 0
}

func (a wireAddress) String() string {
	switch {
	case a.Socket != nil:
		return net.JoinHostPort(a.Socket.Address, strconv.Itoa(a.Socket.Port))
	case a.Pipe != nil:
		return "unix://" + a.Pipe.Path
	case a.Internal != nil && a.Internal.Endpoint != "":
		return "envoy://" + a.Internal.Listener + "/" + a.Internal.Endpoint
	case a.Internal != nil:
		return "envoy://" + a.Internal.Listener
	}
	return ""
}

type wireMetadata struct {
	Filter struct {
		Istio struct {
			Config string `json:"config"`
		} `json:"istio"`
	} `json:"filter_metadata"`
}

// OwnerOf is the kind, such as virtual-service, and the name.namespace of the
// Istio object that a path in Envoy's metadata names; "" when it names none.
// istiod writes it as /apis/GROUP/VERSION/namespaces/NAMESPACE/KIND/NAME.
func OwnerOf(path string) (kind, name string) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if len(parts) == 7 && parts[3] == "namespaces" {
		return parts[5], parts[6] + "." + parts[4]
	}
	return "", ""
}

// ownerText is Kind/name.namespace of an object whose kind is spelled as in
// Envoy's metadata.
func ownerText(kind, name string) string {
	var b strings.Builder
	for _, word := range strings.Split(kind, "-") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String() + "/" + name
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// wireDuration is how protobuf writes durations in JSON: "1.5s".
type wireDuration string

// text is the duration as people write it, "" when there is none.
func (d wireDuration) text() string {
	parsed, err := time.ParseDuration(string(d))
	if err != nil {
		return string(d)
	}
	return parsed.String()
}

// typed is an extension: its type and the fields of the few that are known.
type typed[T any] struct {
	Name   string `json:"name"`
	Config T      `json:"typed_config"`
}

// portOr is a port as text; fallback stands for 0.
func portOr(port int, fallback string) string {
	if port == 0 {
		return fallback
	}
	return strconv.Itoa(port)
}
