package agree

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigs "sigs.k8s.io/yaml"
)

// Set is one configuration and the requests that are sent to it.
type Set struct {
	// Name is the file's, and the namespace.
	Name string `json:"-"`
	// About says in a line what is configured.
	About     string     `json:"about"`
	Workloads []Workload `json:"workloads"`
	Pools     []Pool     `json:"requests"`
	// Objects are the manifests.
	Objects []*unstructured.Unstructured `json:"-"`
}

// Workload is a pod.
type Workload struct {
	Name    string            `json:"name"`
	Labels  map[string]string `json:"labels"`
	Account string            `json:"account"`
	// Proxy is sidecar or router for a pod with an Envoy, else empty.
	Proxy string `json:"proxy"`
	// Mesh has the pod's label say that it speaks mutual TLS.
	Mesh bool `json:"mesh"`
}

// Pool is what requests are drawn from. Each value given is one that some rule speaks of; requests also have mutated ones.
type Pool struct {
	// Count is the number of requests, 80 when zero.
	Count int `json:"count"`
	// Through is the workload whose Envoy gets them.
	Through string `json:"through"`
	// Side is client, server or gateway.
	Side string `json:"side"`
	// To is where connections go: SERVICE:PORT, pod/NAME:PORT or ADDRESS:PORT.
	To []string `json:"to"`
	// From are client addresses or workloads; empty means the workload itself on the client side and a made-up one elsewhere.
	From []string `json:"from"`
	// Speak is http (1.1, the default), h2 or tcp.
	Speak []string `json:"speak"`
	// TLS is what the client speaks: none (the default), tls, mesh (with a certificate of the mesh).
	TLS []string `json:"tls"`
	// Identities are of the client's certificate with TLS mesh, as NAMESPACE/ACCOUNT.
	Identities []string            `json:"identities"`
	SNI        []string            `json:"sni"`
	Hosts      []string            `json:"hosts"`
	Paths      []string            `json:"paths"`
	Methods    []string            `json:"methods"`
	Headers    map[string][]string `json:"headers"`
	// Always are headers that every request has, as they are.
	Always map[string][]string `json:"always"`
	// Tokens are the claims of JSON web tokens that some requests carry; {} is one with claims of no interest, "bad" one nobody signed.
	Tokens []Token `json:"tokens"`
}

// Token is a web token.
type Token struct {
	Claims map[string]any `json:"claims"`
	// Forged tokens have a signature of some other key, Expired ones are past their time.
	Forged  bool `json:"forged"`
	Expired bool `json:"expired"`
}

// Load reads the sets of a folder.
func Load(dir string) ([]*Set, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	var sets []*Set
	for _, f := range files {
		s, err := load(f)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", f, err)
		}
		sets = append(sets, s)
	}
	return sets, nil
}

func load(file string) (*Set, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	head, rest, ok := bytes.Cut(raw, []byte("\n---\n"))
	if !ok {
		return nil, errors.New("want a head and, behind ---, manifests")
	}
	s := &Set{Name: strings.TrimSuffix(filepath.Base(file), ".yaml")}
	if err := sigs.UnmarshalStrict(head, s); err != nil {
		return nil, err
	}
	rest = bytes.ReplaceAll(rest, []byte("${ns}"), []byte(s.Name))
	docs := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(rest), 4096)
	for {
		var o unstructured.Unstructured
		if err := docs.Decode(&o.Object); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		if len(o.Object) > 0 {
			s.Objects = append(s.Objects, &o)
		}
	}
	for i := range s.Pools {
		s.Pools[i].defaults()
	}
	return s, nil
}

func (p *Pool) defaults() {
	if p.Count == 0 {
		p.Count = 80
	}
	if p.Side == "" {
		p.Side = "client"
	}
	for list, value := range map[*[]string]string{&p.Speak: "http", &p.TLS: "none", &p.Paths: "/", &p.Methods: "GET", &p.Identities: "other/default"} {
		if len(*list) == 0 {
			*list = []string{value}
		}
	}
}
