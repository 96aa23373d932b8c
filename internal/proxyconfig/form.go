package proxyconfig

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/hint"
)

// form is how a dump is written.
type form int

const (
	objectForm   form = iota // what Envoy and istiod answer
	arrayForm                // what `istioctl proxy-config cluster -o json` prints
	yamlForm                 // either of the two as YAML
	clustersForm             // what Envoy answers to /clusters without format=json
)

// sniff says what form the text has, or what it seems to be if none.
func (s Source) sniff(b *bufio.Reader) (form, error) {
	head, err := b.Peek(1024)
	if err != nil && !errors.Is(err, io.EOF) && len(head) == 0 {
		return 0, err
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	fail := func(what string) (form, error) {
		return 0, hint.Unanswerablef(takeDump, "%s is not an Envoy config dump: it is %s", s.Name, what)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	switch {
	case len(text) == 0:
		return fail("empty")
	case isTar(b):
		return 0, hint.Unanswerablef("name it as a file with -f, and a proxy in it", "%s is an archive, not a single dump", s.Name)
	case text[0] == '{':
		return objectForm, s.skipMark(b)
	case text[0] == '[':
		return arrayForm, s.skipMark(b)
	case text[0] == '<':
		return fail("HTML or XML")
	case strings.Count(line, "::") >= 2:
		return clustersForm, nil
	case yamlStart().MatchString(line):
		return yamlForm, nil
	}
	return fail(fmt.Sprintf("text that begins with %q", cut(strings.TrimSpace(line), 60)))
}

// skipMark passes over a byte order mark.
func (s Source) skipMark(b *bufio.Reader) error {
	if head, _ := b.Peek(3); string(head) == "\xef\xbb\xbf" {
		_, err := b.Discard(3)
		return err
	}
	return nil
}

// yamlStart is how the YAML of istioctl begins, and that of Kubernetes objects.
var yamlStart = pattern(`^(---|- [\w"'@]+:|(configs|bootstrap|cluster_?[sS]tatuses|(static|dynamic)\w*|ecds\w+|apiVersion|kind):)`)

// yaml reads YAML by way of JSON.
func (r *dumpReader) yaml(text io.Reader) error {
	all, err := io.ReadAll(io.LimitReader(text, maxElement))
	if err != nil {
		return err
	}
	converted, err := yaml.YAMLToJSON(all)
	if err != nil {
		return hint.Unanswerablef(takeDump, "%s is not an Envoy config dump: it looks like YAML, and is not: %s", r.source.Name, oneLine(err.Error()))
	}
	r.scan = newScanner(bytes.NewReader(converted))
	switch {
	case bytes.HasPrefix(converted, []byte("[")):
		return r.array()
	case bytes.HasPrefix(converted, []byte("{")):
		return r.object(true)
	}
	return hint.Unanswerablef(takeDump, "%s is not an Envoy config dump: it is a single YAML value", r.source.Name)
}

// listed are the things that istioctl prints lists of, by members that only
// they have, in the order to be tried; wrap is how a dump would hold one.
func listed() []listedThing {
	return []listedThing{
		{"cluster statuses", "cluster_statuses", `%s`, []string{"host_statuses", "added_via_api", "observability_name"}},
		{"endpoints", "dynamic_endpoint_configs", `{"endpoint_config":%s}`, []string{"cluster_name"}},
		{"routes", "dynamic_route_configs", `{"route_config":%s}`, []string{"virtual_hosts", "vhds"}},
		{"listeners", "dynamic_listeners", `{"active_state":{"listener":%s}}`, []string{"filter_chains", "address", "default_filter_chain", "traffic_direction", "internal_listener", "api_listener"}},
		{"clusters", "dynamic_active_clusters", `{"cluster":%s}`, []string{"connect_timeout", "type", "cluster_type", "lb_policy", "load_assignment", "eds_cluster_config", "transport_socket_matches"}},
	}
}

type listedThing struct {
	what, field, wrap string
	members           []string
}

// array reads a list of clusters, listeners, routes or endpoints.
func (r *dumpReader) array() error {
	things := listed()
	items := 0
	err := r.scan.each('[', func() error {
		items++
		if _, err := r.scan.peek(); err != nil {
			return err
		}
		start := r.scan.offset()
		text, err := r.scan.value()
		if err != nil {
			return err
		}
		for _, t := range things {
			if !t.is(text) {
				continue
			}
			r.envoy = true
			if !slices.Contains(r.types, "a list of "+t.what) {
				r.types = append(r.types, "a list of "+t.what)
			}
			read, wanted := r.fields[t.field]
			if !wanted {
				return nil
			}
			r.found = true
			return r.element(start, fmt.Appendf(nil, t.wrap, text), read, true)
		}
		return nil
	})
	r.found = r.found || items == 0 // nothing fitted the filters of istioctl
	return err
}

func (t listedThing) is(text []byte) bool {
	if len(text) == 0 || text[0] != '{' {
		return false
	}
	found := false
	members(text, 0, func(name []byte, from int) int {
		found = found || slices.Contains(t.members, snakeName(string(name)))
		if found {
			return 0
		}
		return valueEnd(text, from)
	})
	return found
}
