package diff

import (
	"encoding/json"
	"slices"
	"strings"
)

// identity is whose dump it is, by its bootstrap.
type identity struct {
	pod, namespace, node, workload, owner, cluster string
	nodeID                                         string
	addresses                                      []string
	version, revision                              string
	istiod                                         string // its host
}

// readIdentity reads it from the node in a bootstrap.
func readIdentity(bootstrap []byte) *identity {
	var w struct {
		Node struct {
			ID       string `json:"id"`
			Metadata struct {
				Name      string `json:"NAME"`
				Namespace string `json:"NAMESPACE"`
				Node      string `json:"NODE_NAME"`
				Workload  string `json:"WORKLOAD_NAME"`
				Owner     string `json:"OWNER"`
				Cluster   string `json:"CLUSTER_ID"`
				IPs       string `json:"INSTANCE_IPS"`
				Version   string `json:"ISTIO_VERSION"`
				Config    struct {
					Discovery string `json:"discoveryAddress"`
				} `json:"PROXY_CONFIG"`
				Labels map[string]string `json:"LABELS"`
			} `json:"metadata"`
		} `json:"node"`
	}
	if json.Unmarshal(bootstrap, &w) != nil || w.Node.ID == "" {
		return nil
	}
	m := w.Node.Metadata
	id := &identity{
		pod: m.Name, namespace: m.Namespace, node: m.Node, workload: m.Workload, owner: m.Owner, cluster: m.Cluster,
		nodeID: w.Node.ID, version: m.Version, revision: m.Labels["istio.io/rev"],
	}
	id.istiod, _, _ = strings.Cut(m.Config.Discovery, ":")
	for ip := range strings.SplitSeq(m.IPs, ",") {
		if ip != "" {
			id.addresses = append(id.addresses, ip)
		}
	}
	// sidecar~10.0.0.1~pod.namespace~namespace.svc.cluster.local
	if parts := strings.Split(w.Node.ID, "~"); len(parts) == 4 {
		if parts[1] != "" && !slices.Contains(id.addresses, parts[1]) {
			id.addresses = append(id.addresses, parts[1])
		}
		if id.pod == "" {
			id.pod = strings.TrimSuffix(parts[2], "."+id.namespace)
		}
	}
	return id
}

// sameWorkload says whether two pods are of one workload.
func sameWorkload(a, b *identity) bool {
	return a != nil && b != nil && a.workload != "" && a.workload == b.workload &&
		a.namespace == b.namespace && a.cluster == b.cluster && a.owner == b.owner
}

// Normalised is one thing that was taken for equal, because it differs
// between any two pods.
type Normalised struct {
	// What it is, such as "pod name"; A and B are what the two sides have.
	What string `json:"what"`
	A    string `json:"a"`
	B    string `json:"b"`
}

// replacer replaces names, where they stand as whole words.
type replacer struct{ pairs [][2]string }

// replacers take out of the dumps of two pods what names the pods themselves,
// and what names the other one: a headless Service has a listener for each
// other pod.
func replacers(a, b *identity) (ra, rb *replacer, what []Normalised) {
	what = []Normalised{}
	ra, rb = &replacer{}, &replacer{}
	add := func(name, placeholder, x, y string) {
		if x == "" || y == "" || x == y {
			return
		}
		what = append(what, Normalised{name, x, y})
		ra.pairs = append(ra.pairs, [2]string{x, placeholder})
		rb.pairs = append(rb.pairs, [2]string{y, placeholder})
	}
	add("node id", "<node id>", a.nodeID, b.nodeID)
	add("pod name", "<pod>", a.pod, b.pod)
	for i := range min(len(a.addresses), len(b.addresses)) {
		add("pod address", "<own address>", a.addresses[i], b.addresses[i])
	}
	add("Kubernetes node", "<node>", a.node, b.node)
	for i := range min(len(a.addresses), len(b.addresses)) {
		if a.addresses[i] != b.addresses[i] {
			ra.pairs = append(ra.pairs, [2]string{b.addresses[i], "<other's address>"})
			rb.pairs = append(rb.pairs, [2]string{a.addresses[i], "<other's address>"})
		}
	}
	return ra, rb, what
}

// revisionNames take out what names the revision, and say so.
func revisionNames(a, b *identity, ra, rb *replacer) []Normalised {
	what := []Normalised{}
	note := func(name, x, y string) {
		if x != y {
			what = append(what, Normalised{name, x, y})
		}
	}
	note("Istio version", a.version, b.version)
	note("revision", a.revision, b.revision)
	note("workload", a.workload, b.workload)
	if a.istiod != b.istiod && a.istiod != "" && b.istiod != "" {
		note("istiod", a.istiod, b.istiod)
		ra.pairs = append(ra.pairs, [2]string{a.istiod, "<istiod>"})
		rb.pairs = append(rb.pairs, [2]string{b.istiod, "<istiod>"})
	}
	return what
}

func (r *replacer) replace(s string) string {
	if r == nil {
		return s
	}
	for _, p := range r.pairs {
		s = replaceWord(s, p[0], p[1])
	}
	return s
}

// replaceWord replaces old where neither its begin nor its end is in the
// middle of a longer name or number.
func replaceWord(s, old, by string) string {
	if !strings.Contains(s, old) {
		return s
	}
	var b strings.Builder
	for rest, before := s, byte(0); ; {
		i := strings.Index(rest, old)
		if i < 0 {
			b.WriteString(rest)
			return b.String()
		}
		if i > 0 {
			before = rest[i-1]
		}
		b.WriteString(rest[:i])
		end := i + len(old)
		if inWord(before) || end < len(rest) && inWord(rest[end]) {
			b.WriteString(old)
		} else {
			b.WriteString(by)
		}
		rest, before = rest[end:], old[len(old)-1]
	}
}

func inWord(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '-'
}
