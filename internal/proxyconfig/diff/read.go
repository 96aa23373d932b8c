package diff

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"io"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/proxyconfig"
)

// Side is one of the two configurations.
type Side struct {
	// Name is the pod or file, for the result and for errors.
	Name string
	// Open opens the dump. It is called a second time when something differs.
	Open func() (io.ReadCloser, error)
}

// Sections are the names of what is compared, in the order of the result.
func Sections() []string {
	return []string{"bootstrap", "clusters", "listeners", "routes", "endpoints", "secrets", "extensions"}
}

// dumpType is the @type of a section in a dump.
func dumpType(section string) string {
	return map[string]string{
		"bootstrap": "BootstrapConfigDump", "clusters": "ClustersConfigDump", "listeners": "ListenersConfigDump",
		"routes": "RoutesConfigDump", "endpoints": "EndpointsConfigDump", "secrets": "SecretsConfigDump",
		"extensions": "EcdsConfigDump",
	}[section]
}

// element is one element of a dump, such as a cluster.
type element struct {
	section, name string
	// config is its JSON; good until the next element is read.
	config []byte
	// served says that istiod sent it, not the bootstrap.
	served bool
}

func (e element) key() string { return e.section + "/" + e.name }

// content is what a dump is about, beside its elements.
type content struct {
	types    map[string]bool
	camel    bool
	identity *identity
	// redacted says that secrets were taken out of it, and not by Envoy.
	redacted bool
}

// whole says whether the dump was taken without a mask.
func (c *content) whole() bool {
	return c.types["BootstrapConfigDump"] && c.types["ClustersConfigDump"]
}

// has says whether a section is in the dump, be it empty.
func (c *content) has(section string) bool {
	return c.types[dumpType(section)] || c.whole() && section != "endpoints"
}

// read calls each for the elements of the sections; elements of one name get
// a number.
func (s Side) read(only []string, each func(element) error) (*content, error) {
	body, err := s.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }()
	c := &content{types: map[string]bool{}}
	times := map[string]int{}
	fields := map[string]proxyconfig.Field{}
	add := func(field, section, config string, served bool) {
		fields[field] = func(e proxyconfig.Element) error {
			c.camel = c.camel || e.Camel()
			text := e.JSON()
			c.redacted = c.redacted || bytes.Contains(text, []byte(redacted))
			el, ok := parse(text, section, config)
			if !ok || !slices.Contains(only, section) {
				return nil
			}
			el.served = served
			times[el.key()]++
			if n := times[el.key()]; n > 1 {
				el.name = fmt.Sprintf("%s#%d", el.name, n)
			}
			return each(el)
		}
	}
	// Static route configurations are those inside listeners, and compared there.
	add("static_clusters", "clusters", "cluster", false)
	add("dynamic_active_clusters", "clusters", "cluster", true)
	add("dynamic_warming_clusters", "clusters", "cluster", true)
	add("static_listeners", "listeners", "listener", false)
	add("dynamic_listeners", "listeners", "", true)
	add("dynamic_route_configs", "routes", "route_config", true)
	add("static_endpoint_configs", "endpoints", "endpoint_config", false)
	add("dynamic_endpoint_configs", "endpoints", "endpoint_config", true)
	add("static_secrets", "secrets", "secret", false)
	add("dynamic_active_secrets", "secrets", "secret", true)
	add("dynamic_warming_secrets", "secrets", "secret", true)
	add("ecds_filters", "extensions", "ecds_filter", true)
	fields["bootstrap"] = func(e proxyconfig.Element) error {
		text := e.JSON()
		c.identity = readIdentity(text)
		if !slices.Contains(only, "bootstrap") || len(text) < 3 {
			return nil
		}
		return each(element{section: "bootstrap", name: "bootstrap", config: text})
	}
	var sections []string
	for _, section := range Sections() {
		sections = append(sections, dumpType(section))
	}
	source := proxyconfig.Source{Name: s.Name, Reader: body, OnSection: func(name string) { c.types[name] = true }}
	return c, source.Each(sections, fields)
}

// parse finds the configuration and the name of an element; of a listener the
// states that count stay around it.
func parse(text []byte, section, config string) (element, bool) {
	el := element{section: section, config: text}
	if config != "" {
		el.config = member(text, config)
		el.name = text2(el.config, "name", "cluster_name")
		return el, len(el.config) > 0
	}
	if el.name = text2(text, "name"); el.name == "" {
		return el, false // a refusal told once more, without the name
	}
	for _, state := range []string{"active_state", "warming_state", "error_state"} {
		if member(text, state) != nil {
			return el, true
		}
	}
	return el, false // only on its way out
}

// text2 is the first string that one of the members holds.
func text2(object []byte, names ...string) string {
	for _, name := range names {
		if s := text(object, name); s != "" {
			return s
		}
	}
	return ""
}

// unwrapped is the tree of an element as it is compared: of a listener what it
// runs, and beside it what it refused or waits for.
func (e element) unwrapped(tree any) any {
	m, _ := tree.(map[string]any)
	if e.section != "listeners" || m == nil || !e.served {
		return tree
	}
	active, warming := inner(m, "active_state", "listener"), inner(m, "warming_state", "listener")
	out := active
	switch {
	case active == nil && warming != nil:
		out = warming
		out["warming"] = "it waits for something, such as a certificate"
	case active == nil:
		out = map[string]any{"name": e.name}
	case warming != nil && canonical(active) != canonical(warming):
		out["warming"] = warming
	}
	if details := stringOf(inner(m, "error_state")["details"]); details != "" {
		out["refused"] = details
	}
	return out
}

// index are the hashes of a side's elements.
type index struct {
	seed   maphash.Seed
	hashes map[string]uint64
}

func (x *index) add(e element) error {
	x.hashes[e.key()] = hash(x.seed, e.config)
	return nil
}

// objectName is what an element is called in words.
func objectName(section, name string) string {
	switch section {
	case "bootstrap":
		return "bootstrap"
	case "routes":
		return "route configuration " + name
	case "endpoints":
		return "endpoints of " + name
	}
	return strings.TrimSuffix(section, "s") + " " + name
}
