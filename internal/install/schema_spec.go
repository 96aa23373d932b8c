package install

import (
	"encoding/json"
	"reflect"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
)

// kubernetesSettings are the settings of a component that are laid over its
// rendered objects (spec.components.*.k8s).
type kubernetesSettings struct {
	Affinity            *corev1.Affinity                           `json:"affinity,omitempty"`
	Env                 []corev1.EnvVar                            `json:"env,omitempty"`
	HPASpec             *autoscalingv2.HorizontalPodAutoscalerSpec `json:"hpaSpec,omitempty"`
	ImagePullPolicy     string                                     `json:"imagePullPolicy,omitempty"`
	NodeSelector        map[string]string                          `json:"nodeSelector,omitempty"`
	PodDisruptionBudget *policyv1.PodDisruptionBudgetSpec          `json:"podDisruptionBudget,omitempty"`
	PodAnnotations      map[string]string                          `json:"podAnnotations,omitempty"`
	PriorityClassName   string                                     `json:"priorityClassName,omitempty"`
	ReadinessProbe      *corev1.Probe                              `json:"readinessProbe,omitempty"`
	ReplicaCount        *int32                                     `json:"replicaCount,omitempty"`
	Resources           *corev1.ResourceRequirements               `json:"resources,omitempty"`
	Service             *corev1.ServiceSpec                        `json:"service,omitempty"`
	Strategy            *appsv1.DeploymentStrategy                 `json:"strategy,omitempty"`
	Tolerations         []corev1.Toleration                        `json:"tolerations,omitempty"`
	ServiceAnnotations  map[string]string                          `json:"serviceAnnotations,omitempty"`
	SecurityContext     *corev1.PodSecurityContext                 `json:"securityContext,omitempty"`
	Volumes             []corev1.Volume                            `json:"volumes,omitempty"`
	VolumeMounts        []corev1.VolumeMount                       `json:"volumeMounts,omitempty"`
	Overlays            []objectOverlay                            `json:"overlays,omitempty"`
}

// objectOverlay changes single fields of one rendered object.
type objectOverlay struct {
	APIVersion string  `json:"apiVersion,omitempty"`
	Kind       string  `json:"kind,omitempty"`
	Name       string  `json:"name,omitempty"`
	Patches    []patch `json:"patches,omitempty"`
}

// patch sets the field at Path to Value, or removes it when Value is null.
type patch struct {
	Path  string `json:"path,omitempty"`
	Value any    `json:"value,omitempty"`
}

// documentSchema is the schema of a whole IstioOperator document. values is
// only called when something under spec.values is looked at.
func documentSchema(addons []string, values func() *shape) *shape {
	str := &shape{kind: textValue}
	flag := &shape{kind: boolValue}
	k8s := &shape{load: sync.OnceValue(func() *shape { return goSchema(reflect.TypeFor[kubernetesSettings]()) })}
	of := func(keys map[string]*shape) *shape { return &shape{kind: mapValue, keys: keys} }
	component := of(map[string]*shape{"enabled": flag, "namespace": str, "hub": str, "tag": str, "k8s": k8s})
	gateways := &shape{kind: listValue, elem: of(map[string]*shape{
		"enabled": flag, "namespace": str, "hub": str, "tag": str, "k8s": k8s,
		"name": str, "label": {kind: mapValue, open: str},
	})}
	known := map[string]*shape{}
	for _, a := range addons {
		known[a] = of(map[string]*shape{"enabled": flag})
	}
	return of(map[string]*shape{
		"apiVersion": str, "kind": str,
		"metadata": {kind: mapValue, open: whatever},
		"spec": of(map[string]*shape{
			"profile": str, "installPackagePath": str, "hub": str, "tag": str, "namespace": str,
			"revision": str, "compatibilityVersion": str,
			"meshConfig":        {load: meshConfigSchema},
			"values":            {load: sync.OnceValue(values)},
			"unvalidatedValues": {kind: mapValue, open: whatever},
			"addons":            of(known),
			"components": of(map[string]*shape{
				"base":  of(map[string]*shape{"enabled": flag, "k8s": k8s}),
				"pilot": component, "cni": component, "ztunnel": component, "istiodRemote": component,
				"ingressGateways": gateways, "egressGateways": gateways,
			}),
		}),
	})
}

// goSchema reads a schema off the JSON form of a Go type.
func goSchema(t reflect.Type) *shape {
	if t.Kind() != reflect.Pointer && reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return whatever // a quantity, a port by number or name, a time
	}
	switch t.Kind() {
	case reflect.Pointer:
		return goSchema(t.Elem())
	case reflect.String:
		return &shape{kind: textValue}
	case reflect.Bool:
		return &shape{kind: boolValue}
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint32, reflect.Float64:
		return &shape{kind: numberValue}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return &shape{kind: textValue}
		}
		return &shape{kind: listValue, elem: lazyGoSchema(t.Elem())}
	case reflect.Map:
		return &shape{kind: mapValue, open: lazyGoSchema(t.Elem())}
	case reflect.Struct:
		s := &shape{kind: mapValue, keys: map[string]*shape{}}
		for i := range t.NumField() {
			f := t.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			switch {
			case name == "" && f.Anonymous:
				for k, v := range goSchema(f.Type).keys {
					s.keys[k] = v
				}
			case name != "" && name != "-":
				s.keys[name] = lazyGoSchema(f.Type)
			}
		}
		return s
	}
	return whatever
}

func lazyGoSchema(t reflect.Type) *shape {
	return &shape{load: func() *shape { return goSchema(t) }}
}
