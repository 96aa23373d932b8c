package checks_test

import (
	"encoding/json"
	"reflect"
	"strings"

	extensions "istio.io/api/extensions/v1alpha1"
	meshconfig "istio.io/api/mesh/v1alpha1"
	networking "istio.io/api/networking/v1alpha3"
	networkingbeta "istio.io/api/networking/v1beta1"
	security "istio.io/api/security/v1beta1"
	telemetry "istio.io/api/telemetry/v1alpha1"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	admission "k8s.io/api/admissionregistration/v1"
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	gatewayapi "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/meshctl/meshctl/internal/mesh"
)

// messages are the specs of Istio's kinds, structs those of the others.
var messages = map[mesh.Kind]proto.Message{
	mesh.VirtualService: &networking.VirtualService{}, mesh.Gateway: &networking.Gateway{},
	mesh.DestinationRule: &networking.DestinationRule{}, mesh.ServiceEntry: &networking.ServiceEntry{},
	mesh.Sidecar: &networking.Sidecar{}, mesh.WorkloadEntry: &networking.WorkloadEntry{},
	mesh.WorkloadGroup: &networking.WorkloadGroup{}, mesh.EnvoyFilter: &networking.EnvoyFilter{},
	mesh.ProxyConfig: &networkingbeta.ProxyConfig{}, mesh.AuthorizationPolicy: &security.AuthorizationPolicy{},
	mesh.PeerAuthentication: &security.PeerAuthentication{}, mesh.RequestAuthentication: &security.RequestAuthentication{},
	mesh.Telemetry: &telemetry.Telemetry{}, mesh.WasmPlugin: &extensions.WasmPlugin{}, mesh.TrafficExtension: &extensions.TrafficExtension{},
}

var structs = map[mesh.Kind]reflect.Type{
	mesh.Service: reflect.TypeFor[core.ServiceSpec](), mesh.Pod: reflect.TypeFor[core.PodSpec](),
	mesh.Deployment: reflect.TypeFor[apps.DeploymentSpec](), mesh.StatefulSet: reflect.TypeFor[apps.StatefulSetSpec](),
	mesh.DaemonSet: reflect.TypeFor[apps.DaemonSetSpec](), mesh.ReplicaSet: reflect.TypeFor[apps.ReplicaSetSpec](),
	mesh.Job: reflect.TypeFor[batch.JobSpec](), mesh.CronJob: reflect.TypeFor[batch.CronJobSpec](),
	mesh.CustomResourceDefinition: reflect.TypeFor[apiextensions.CustomResourceDefinitionSpec](),
	mesh.ConfigMap:                reflect.TypeFor[core.ConfigMap](), mesh.Secret: reflect.TypeFor[core.Secret](),
	mesh.MutatingWebhookConfiguration:   reflect.TypeFor[admission.MutatingWebhookConfiguration](),
	mesh.ValidatingWebhookConfiguration: reflect.TypeFor[admission.ValidatingWebhookConfiguration](),
	mesh.KubernetesGateway:              reflect.TypeFor[gatewayapi.GatewaySpec](), mesh.GatewayClass: reflect.TypeFor[gatewayapi.GatewayClassSpec](),
	mesh.ListenerSet: reflect.TypeFor[gatewayapi.ListenerSetSpec](),
	mesh.HTTPRoute:   reflect.TypeFor[gatewayapi.HTTPRouteSpec](), mesh.GRPCRoute: reflect.TypeFor[gatewayapi.GRPCRouteSpec](),
	mesh.TLSRoute: reflect.TypeFor[gatewayapi.TLSRouteSpec](), mesh.TCPRoute: reflect.TypeFor[gatewayapi.TCPRouteSpec](),
	mesh.ReferenceGrant: reflect.TypeFor[gatewayapi.ReferenceGrantSpec](), mesh.BackendTLSPolicy: reflect.TypeFor[gatewayapi.BackendTLSPolicySpec](),
}

// words are what random strings are: few, so that objects refer to each other,
// and with everything that a check may cut, split or index.
var words = strings.Split(strings.Join([]string{
	"checkout shop web payments istio-system v1 v2 app default mesh istio waypoint istio-ingressgateway edge tls canary",
	"* . ~ ./* */* ~/* shop/* ./checkout shop/edge *.example.com api.example.com *.com .. *. .example.com a/b/c / // /* :",
	"checkout.shop.svc.cluster.local checkout.shop checkout.shop.svc *.shop.svc.cluster.local *.svc.cluster.local .svc.cluster.local",
	"10.0.0.1 10.0.0.0/8 10.0.0.1/99 ::1 fe80::/10 255.255.255.256 127.0.0.1:80 unix:///var/run/app.sock",
	"HTTP HTTPS TLS TCP http http-web tcp-db grpc UDP HBONE STRICT DISABLE SIMPLE MUTUAL PASSTHROUGH Terminate Exact RegularExpression",
	"80 0 -1 443 65536 99999999999 15008 5s 1h -5s 0.5 true false enabled disabled null none",
	"cluster.local/ns/shop/sa/web spiffe://cluster.local/ns/shop/sa/web */ns/shop/sa/* td2/ns/shop/sa/web ns/shop",
	"Service ServiceEntry Gateway HTTPRoute Secret ConfigMap GatewayClass Namespace Pod Same All Selector networking.istio.io gateway.networking.k8s.io",
	"istio-eastwest istio-remote request.headers[x] request.headers[ request.auth.claims[a][b] request.auth.claims source.ip experimental.envoy.filters.a[b]",
	"GET get (unclosed [a-z .* {{ {{.Values}} ${x} %DOWNSTREAM% @type type.googleapis.com/envoy.config.cluster.v3.Cluster envoy.filters.http.router",
	"kubernetes:// kubernetes://edge configmap://x secret://shop/edge file:///etc https://shop.example.com/keys oci://shop/filter:1 docker.io/istio/proxyv2:1.31.0 auto image@sha256:00 :tag 1.31.0",
	"outbound|80|v1|checkout.shop.svc.cluster.local inbound|80|| outbound_.80_._.checkout | ||| ä é\u0000 " + strings.Repeat("long.", 60),
}, " "), " ")

// keys are those of labels, annotations and other maps that checks look up.
var keys = strings.Fields(`app version istio.io/rev istio.io/tag istio istio-injection sidecar.istio.io/inject istio.io/dataplane-mode istio.io/use-waypoint
	istio.io/use-waypoint-namespace istio.io/waypoint-for topology.istio.io/network networking.istio.io/exportTo security.istio.io/tlsMode
	ambient.istio.io/redirection ambient.istio.io/bypass-inbound-capture networking.istio.io/traffic-distribution kubernetes.io/metadata.name
	sidecar.istio.io/status proxy.istio.io/config sidecar.istio.io/proxyImage traffic.sidecar.istio.io/includeInboundPorts inject.istio.io/templates
	traffic.sidecar.istio.io/excludeOutboundIPRanges sidecar.istio.io/proxyCPU galley.istio.io/analyze-suppress meshctl.io/suppress
	gateway.istio.io/controller-version gateway.networking.k8s.io/gateway-name istio.io/gateway-name linkerd.io/inject consul.hashicorp.com/connect-inject
	kubectl.kubernetes.io/last-applied-configuration service.istio.io/canonical-name 80 tls.crt ca.crt mesh values config`)

// dice are the bytes that decide what an object is like; when they are used up
// everything is zero, that is, absent.
type dice struct{ bytes []byte }

func (d *dice) roll(sides int) int {
	if len(d.bytes) == 0 || sides <= 0 {
		return 0
	}
	n := int(d.bytes[0])
	d.bytes = d.bytes[1:]
	if sides > 256 && len(d.bytes) > 0 {
		n, d.bytes = n<<8|int(d.bytes[0]), d.bytes[1:]
	}
	return n % sides
}

func (d *dice) word() string {
	n := d.roll(len(words) + 1)
	if n == 0 {
		return ""
	}
	return words[n-1]
}

// number is mostly small, sometimes at the ends of what fits.
func (d *dice) number(least, most int64) int64 {
	switch d.roll(8) {
	case 1:
		return least
	case 2:
		return most
	case 3:
		return min(max(int64(d.roll(70_000)), least), most)
	case 4, 5:
		return min(80, most)
	}
	return int64(d.roll(4))
}

func (d *dice) strings() map[string]any {
	m := map[string]any{}
	for range d.roll(4) {
		m[keys[d.roll(len(keys))]] = d.word()
	}
	return m
}

// list is up to three items; an item may be null.
func (d *dice) list(item func() any) []any {
	list := []any{}
	for range d.roll(4) {
		if d.roll(40) == 39 {
			list = append(list, nil)
		} else {
			list = append(list, item())
		}
	}
	return list
}

// object is an object of some kind with some name.
func (d *dice) object(kinds []mesh.Kind, i int) *mesh.Object {
	kind := kinds[d.roll(len(kinds))]
	names := []string{"checkout", "web", "edge", "default", "istio", "waypoint", "istio-sidecar-injector", "istiod", "", "checkout-v1"}
	spaces := []string{"shop", "istio-system", "default", "payments", ""}
	metadata := map[string]any{"name": names[d.roll(len(names))], "labels": d.strings(), "annotations": d.strings()}
	if kind.Namespaced {
		metadata["namespace"] = spaces[d.roll(len(spaces))]
	}
	raw := map[string]any{}
	switch m, t := messages[kind], structs[kind]; {
	case m != nil:
		raw["spec"] = d.message(m.ProtoReflect().Descriptor(), 0)
	case t == nil: // Namespace, Node, ServiceAccount, and what is no kind of ours
		raw["spec"] = map[string]any{"template": d.value(reflect.TypeFor[core.PodTemplateSpec](), 0)}
	case strings.HasSuffix(t.Name(), "Spec"):
		raw["spec"] = d.value(t, 0)
	default:
		raw, _ = d.value(t, 0).(map[string]any)
	}
	raw["apiVersion"], raw["kind"], raw["metadata"] = kind.APIVersion(), kind.Kind, metadata
	if kind == mesh.ConfigMap && d.roll(2) == 1 {
		metadata["namespace"], metadata["name"] = "istio-system", []string{"istio", "istio-sidecar-injector"}[d.roll(2)]
		raw["data"] = map[string]any{
			"mesh":         d.text(d.message((&meshconfig.MeshConfig{}).ProtoReflect().Descriptor(), 0)),
			"meshNetworks": d.text(d.message((&meshconfig.MeshNetworks{}).ProtoReflect().Descriptor(), 0)),
			"values":       d.text(map[string]any{"global": d.strings(), "sidecarInjectorWebhook": d.strings()}),
		}
	}
	origin := mesh.Origin{Cluster: "east"}
	if d.roll(3) > 0 {
		origin = mesh.Origin{File: "shop.yaml", Order: i}
	}
	return mesh.NewObject(kind, raw, origin)
}

func (d *dice) text(value any) string {
	if d.roll(10) == 9 {
		return d.word()
	}
	text, _ := json.Marshal(value)
	return string(text)
}

// message is a random value of a message, as JSON is decoded.
func (d *dice) message(md protoreflect.MessageDescriptor, depth int) any {
	if strings.HasPrefix(string(md.FullName()), "google.protobuf.") {
		return d.wellKnown(string(md.Name()), depth)
	}
	m := map[string]any{}
	if md.Fields().Len() == 0 {
		return m
	}
	for range 1 + d.roll(max(8-depth, 2)) {
		fd := md.Fields().Get(d.roll(md.Fields().Len()))
		switch {
		case fd.IsMap():
			entries := map[string]any{}
			for range d.roll(3) {
				key := keys[d.roll(len(keys))]
				if fd.MapKey().Kind() != protoreflect.StringKind {
					key = "80"
				}
				entries[key] = d.field(fd.MapValue(), depth+1)
			}
			m[fd.JSONName()] = entries
		case fd.IsList():
			m[fd.JSONName()] = d.list(func() any { return d.field(fd, depth+1) })
		default:
			m[fd.JSONName()] = d.field(fd, depth+1)
		}
	}
	return m
}

func (d *dice) wellKnown(name string, depth int) any {
	switch name {
	case "Duration":
		return []any{"5s", "0s", "-1s", "3600s", "0.001s", "315576000000s"}[d.roll(6)]
	case "Struct":
		return map[string]any{"name": d.word(), "typed_config": map[string]any{"@type": d.word(), d.word(): d.anything(depth + 1)}}
	case "Value":
		return d.anything(depth + 1)
	case "BoolValue":
		return d.roll(2) == 1
	case "StringValue":
		return d.word()
	case "Timestamp":
		return "2026-11-23T00:00:00Z"
	case "Any", "Empty":
		return map[string]any{}
	}
	return d.number(0, 1<<31)
}

func (d *dice) anything(depth int) any {
	kind := d.roll(6)
	switch {
	case kind == 1 && depth < 6:
		return map[string]any{d.word(): d.anything(depth + 1)}
	case kind == 2 && depth < 6:
		return d.list(func() any { return d.anything(depth + 1) })
	case kind == 3:
		return d.number(-1<<40, 1<<40)
	case kind == 4:
		return d.roll(2) == 1
	case kind == 5:
		return nil
	}
	return d.word()
}

func (d *dice) field(fd protoreflect.FieldDescriptor, depth int) any {
	switch fd.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		if depth > 14 {
			return map[string]any{}
		}
		return d.message(fd.Message(), depth)
	case protoreflect.EnumKind:
		values := fd.Enum().Values()
		if n := d.roll(values.Len() + 1); n < values.Len() {
			return string(values.Get(n).Name())
		}
		return int64(99)
	case protoreflect.BoolKind:
		return d.roll(2) == 1
	case protoreflect.StringKind, protoreflect.BytesKind:
		return d.word()
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return []any{0.5, -1.0, 100.0, 1e30}[d.roll(4)]
	case protoreflect.Uint32Kind, protoreflect.Uint64Kind, protoreflect.Fixed32Kind, protoreflect.Fixed64Kind:
		return d.number(0, 1<<32-1)
	}
	return d.number(-1<<31, 1<<31-1)
}
