package agree

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/restmapper"

	"github.com/meshctl/meshctl/test/bed"
)

const (
	meshNamespace = "istio-system"
	istioVersion  = "1.31.1"
	deadline      = 90 * time.Second
)

// meshConfig has every set see its own namespace only, and an access log with what is compared.
const meshConfig = `
defaultConfig: {discoveryAddress: istiod.istio-system.svc:15012, concurrency: 1}
defaultServiceExportTo: ["."]
defaultVirtualServiceExportTo: ["."]
defaultDestinationRuleExportTo: ["."]
extensionProviders: [{name: judge, envoyExtAuthzGrpc: {service: judge.example.com, port: 9000}}]
accessLogFile: /dev/stdout
accessLogEncoding: JSON
accessLogFormat: |
  {"peer": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%", "route": "%ROUTE_NAME%", "cluster": "%UPSTREAM_CLUSTER_RAW%",
   "flags": "%RESPONSE_FLAGS%", "code": "%RESPONSE_CODE%", "details": "%RESPONSE_CODE_DETAILS%",
   "ended": "%CONNECTION_TERMINATION_DETAILS%", "upstream": "%UPSTREAM_HOST%", "chain": "%FILTER_CHAIN_NAME%",
   "local": "%DOWNSTREAM_LOCAL_ADDRESS%", "sni": "%REQUESTED_SERVER_NAME%", "authority": "%REQ(:AUTHORITY)%",
   "path": "%REQ(:PATH)%", "failure": "%UPSTREAM_TRANSPORT_FAILURE_REASON%"}
`

// Mesh is a bed with an istiod and the sets in it.
type Mesh struct {
	Bed    *bed.Bed
	keys   *signer
	kube   kubernetes.Interface
	client dynamic.Interface
	mapper meta.RESTMapper

	mu         sync.Mutex
	identities map[string]tls.Certificate
}

// Start brings up a bed with Istio's and the Gateway API's CRDs and an istiod. The program must call netpod.Run when told to.
func Start(ctx context.Context, program string, sets []*Set) (*Mesh, error) {
	var identities []string
	for _, s := range sets {
		identities = append(identities, "spiffe://cluster.local/ns/"+s.Name+"/sa/default")
	}
	b, err := bed.Start(ctx, bed.Options{Log: os.Stderr, MaxEnvoys: 100,
		Network: &bed.Network{Program: program, Ports: echoPorts(), Identities: identities}})
	if err != nil {
		return nil, err
	}
	m := &Mesh{Bed: b, identities: map[string]tls.Certificate{}}
	if err := m.install(ctx); err != nil {
		b.Down()
		return nil, err
	}
	return m, nil
}

// echoPorts are where something answers, whatever the address. Gateways listen elsewhere.
func echoPorts() []uint16 {
	return []uint16{80, 81, 443, 3306, 5432, 6379, 7000, 7001, 7002, 7003, 8080, 8443, 9000, 9090, 9999, 27017}
}

func (m *Mesh) install(ctx context.Context) error {
	var err error
	if m.keys, err = newSigner(); err != nil {
		return err
	}
	if m.kube, err = kubernetes.NewForConfig(m.Bed.REST()); err != nil {
		return err
	}
	if m.client, err = dynamic.NewForConfig(m.Bed.REST()); err != nil {
		return err
	}
	crds, err := customResources(ctx)
	if err != nil {
		return err
	}
	if err := m.discover(); err != nil {
		return err
	}
	for _, crd := range crds {
		if err := m.apply(ctx, crd); err != nil {
			return err
		}
	}
	// Served is what istiod must find at its start.
	err = poll(ctx, deadline, func(context.Context) error {
		if err := m.discover(); err != nil {
			return err
		}
		for _, crd := range crds {
			group, _, _ := unstructured.NestedString(crd.Object, "spec", "group")
			kind, _, _ := unstructured.NestedString(crd.Object, "spec", "names", "kind")
			if _, err := m.mapper.KindFor(groupResource(crd, group)); err != nil && kind != "" {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("waiting for the CRDs: %w", err)
	}
	return m.startIstiod(ctx)
}

func (m *Mesh) discover() error {
	d, err := discovery.NewDiscoveryClientForConfig(m.Bed.REST())
	if err != nil {
		return err
	}
	groups, err := restmapper.GetAPIGroupResources(d)
	if err != nil {
		return err
	}
	m.mapper = restmapper.NewDiscoveryRESTMapper(groups)
	return nil
}

// customResources reads the CRDs from the modules that bring them, those of the versions the product is built with.
func customResources(ctx context.Context) ([]*unstructured.Unstructured, error) {
	list := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "istio.io/istio", "sigs.k8s.io/gateway-api")
	list.Dir = filepath.Join("..", "..", "..")
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("finding the modules with the CRDs: %w", err)
	}
	dirs := strings.Fields(string(out))
	if len(dirs) != 2 {
		return nil, fmt.Errorf("finding the modules with the CRDs: not both are downloaded: %q", dirs)
	}
	files, err := filepath.Glob(filepath.Join(dirs[1], "config", "crd", "standard", "*.yaml"))
	if err != nil {
		return nil, err
	}
	var all []*unstructured.Unstructured
	for _, f := range append(files, filepath.Join(dirs[0], "manifests", "charts", "base", "files", "crd-all.gen.yaml")) {
		raw, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		docs, err := decodeAll(raw)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", f, err)
		}
		for _, o := range docs {
			if o.GetKind() == "CustomResourceDefinition" {
				all = append(all, o)
			}
		}
	}
	return all, nil
}

func (m *Mesh) startIstiod(ctx context.Context) error {
	if err := m.namespace(ctx, meshNamespace); err != nil {
		return err
	}
	meta := metav1.ObjectMeta{Name: "istiod", Namespace: meshNamespace, Labels: map[string]string{"app": "istiod", "istio.io/rev": "default"}}
	config := meta
	config.Name = "istio"
	core := m.kube.CoreV1()
	if _, err := core.ConfigMaps(meshNamespace).Create(ctx, &corev1.ConfigMap{ObjectMeta: config, Data: map[string]string{"mesh": meshConfig}}, metav1.CreateOptions{}); err != nil {
		return err
	}
	var ports []corev1.ServicePort
	for name, n := range map[string]int32{"grpc-xds": 15010, "https-dns": 15012, "http-monitoring": 15014} {
		ports = append(ports, corev1.ServicePort{Name: name, Port: n, TargetPort: intstr.FromInt32(n)})
	}
	if _, err := core.Services(meshNamespace).Create(ctx, &corev1.Service{ObjectMeta: meta,
		Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "istiod"}, Ports: ports}}, metav1.CreateOptions{}); err != nil {
		return err
	}
	if _, err := core.Pods(meshNamespace).Create(ctx, &corev1.Pod{ObjectMeta: meta, Spec: corev1.PodSpec{
		Containers: []corev1.Container{{Name: "discovery", Image: "docker.io/istio/pilot:" + istioVersion}}}}, metav1.CreateOptions{}); err != nil {
		return err
	}
	return m.Bed.WaitPod(ctx, meshNamespace, meta.Name)
}

// namespace makes a namespace and the account that pods there need, which the controller manager would make later.
func (m *Mesh) namespace(ctx context.Context, name string) error {
	core := m.kube.CoreV1()
	if _, err := core.Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	return m.account(ctx, name, "default")
}

func (m *Mesh) account(ctx context.Context, namespace, name string) error {
	_, err := m.kube.CoreV1().ServiceAccounts(namespace).Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// poll repeats try until it returns nil or the time is over.
func poll(ctx context.Context, within time.Duration, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(300 * time.Millisecond):
		}
	}
}
