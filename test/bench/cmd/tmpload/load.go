package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"
)

// createsAtOnce is how many objects are created at the same time.
const createsAtOnce = 16

// load creates the objects of YAML texts in a cluster, CRDs and namespaces
// before all others; no webhook, and nothing that would run. It returns how many.
func load(ctx context.Context, kubeconfig string, texts ...[]byte) (int, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return 0, fmt.Errorf("reading %s: %w", kubeconfig, err)
	}
	config.QPS = -1
	l := &loader{config: config}
	if l.http, err = rest.HTTPClientFor(config); err != nil {
		return 0, fmt.Errorf("connecting to the test bed: %w", err)
	}
	var first, accounts, others []item
	for _, text := range texts {
		for _, doc := range bytes.Split(text, []byte("\n---\n")) {
			it, err := newItem(doc)
			if err != nil {
				return 0, err
			}
			switch it.gvk.Kind {
			case "", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "PodDisruptionBudget", "HorizontalPodAutoscaler":
			case "CustomResourceDefinition", "Namespace":
				first = append(first, it)
			case "ServiceAccount": // Pods are refused without
				accounts = append(accounts, it)
			default:
				others = append(others, it)
			}
		}
	}
	first = append(first, namespace("istio-system"))
	for _, items := range [][]item{first, accounts, others} {
		if err := l.create(ctx, items); err != nil {
			return 0, err
		}
	}
	return len(first) + len(accounts) + len(others), nil
}

type item struct {
	gvk       schema.GroupVersionKind
	namespace string
	json      []byte
}

func namespace(name string) item {
	return item{gvk: schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}, json: fmt.Appendf(nil, `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":%q}}`, name)}
}

func newItem(doc []byte) (item, error) {
	text, err := yaml.YAMLToJSON(doc)
	if err != nil {
		return item{}, fmt.Errorf("reading what to create: %w", err)
	}
	var o struct {
		APIVersion, Kind string
		Metadata         struct{ Namespace string }
	}
	if err := yaml.Unmarshal(doc, &o); err != nil {
		return item{}, fmt.Errorf("reading what to create: %w", err)
	}
	return item{gvk: schema.FromAPIVersionAndKind(o.APIVersion, o.Kind), namespace: o.Metadata.Namespace, json: text}, nil
}

type loader struct {
	config *rest.Config
	http   *http.Client
}

func (l *loader) create(ctx context.Context, items []item) error {
	mapper, err := l.mapper()
	if err != nil {
		return err
	}
	var mu sync.Mutex
	paths := map[schema.GroupVersionKind]*meta.RESTMapping{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(createsAtOnce)
	for _, it := range items {
		group.Go(func() error {
			mu.Lock()
			mapping := paths[it.gvk]
			if mapping == nil {
				if mapping, err = mapper.RESTMapping(it.gvk.GroupKind(), it.gvk.Version); err != nil {
					mu.Unlock()
					return fmt.Errorf("finding %s: %w", it.gvk, err)
				}
				paths[it.gvk] = mapping
			}
			mu.Unlock()
			return l.post(ctx, mapping, it)
		})
	}
	return group.Wait()
}

func (l *loader) mapper() (meta.RESTMapper, error) {
	client, err := discovery.NewDiscoveryClientForConfig(l.config)
	if err != nil {
		return nil, fmt.Errorf("connecting to the test bed: %w", err)
	}
	resources, err := restmapper.GetAPIGroupResources(client)
	if err != nil {
		return nil, fmt.Errorf("asking the test bed for its kinds: %w", err)
	}
	return restmapper.NewDiscoveryRESTMapper(resources), nil
}

func (l *loader) post(ctx context.Context, mapping *meta.RESTMapping, it item) error {
	path := "/apis/" + it.gvk.Group + "/" + it.gvk.Version
	if it.gvk.Group == "" {
		path = "/api/" + it.gvk.Version
	}
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		path += "/namespaces/" + it.namespace
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, l.config.Host+path+"/"+mapping.Resource.Resource, bytes.NewReader(it.json))
	if err != nil {
		return fmt.Errorf("creating an object: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := l.http.Do(request)
	if err != nil {
		return fmt.Errorf("creating an object: %w", err)
	}
	defer response.Body.Close()
	answer, _ := io.ReadAll(response.Body)
	if response.StatusCode >= 300 && response.StatusCode != http.StatusConflict {
		return fmt.Errorf("creating %s in %q: %s: %s", it.gvk.Kind, it.namespace, response.Status, answer)
	}
	return nil
}
