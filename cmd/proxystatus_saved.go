package cmd

import (
	"encoding/json"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
	"github.com/meshctl/meshctl/internal/proxyconfig"
	"github.com/meshctl/meshctl/internal/proxyconfig/diff"
	"github.com/meshctl/meshctl/internal/proxyconfig/status"
)

// checkSaved refuses flags that ask a live mesh together with --from.
func (o *proxyStatusOptions) checkSaved(c *cobra.Command) error {
	if o.f.saved.from == "" {
		return nil
	}
	for _, name := range []string{"watch", "wait", "contexts", "remote", "xds-address", "xds-port", "xds-label", "cert-dir", "plaintext", "file"} {
		if c.Flags().Changed(name) {
			return hint.Usagef("leave one of them out", "--from reads a saved snapshot, --%s a live mesh", name)
		}
	}
	return nil
}

// runSaved shows the states in a snapshot, with ages as of when it was taken.
func (o *proxyStatusOptions) runSaved(args []string, wish *status.Wish) error {
	saved, err := o.f.saved.at(o.f.saved.from)
	if err != nil {
		return err
	}
	m, err := o.savedMesh(saved, wish)
	if err != nil {
		return err
	}
	report := status.New(m, *wish)
	o.f.progress("as of %s, when the snapshot was taken", saved.Taken.UTC().Format(time.RFC3339))
	o.warn(report)
	if len(args) == 0 {
		if err := o.f.print(o.out, report); err != nil {
			return err
		}
		return verdictOf(report)
	}
	return o.oneSaved(saved, report, args[0])
}

// savedMesh is the mesh of a snapshot.
func (o *proxyStatusOptions) savedMesh(saved *savedMesh, wish *status.Wish) (*status.Mesh, error) {
	m := &status.Mesh{Time: saved.Taken}
	wish.Revision = o.revision
	for i, c := range saved.Clusters {
		sync, err := saved.sync(i)
		if err != nil {
			return nil, err
		}
		name := ""
		if len(saved.Clusters)+len(saved.Missing) > 1 {
			name = c.Name
		}
		asked := map[string]bool{}
		for _, istiod := range sync.Istiods {
			if o.revision == "" || istiod.Revision == o.revision {
				istiod.Context = name
				asked[istiod.Name] = true
				m.Istiods = append(m.Istiods, istiod)
			}
		}
		for _, p := range sync.Proxies {
			if asked[p.Istiod] {
				p.Context = name
				m.Proxies = append(m.Proxies, p)
			}
		}
		m.Clusters = append(m.Clusters, status.Cluster{Name: c.Name, Skipped: c.Skipped, View: mesh.New(c.Objects, mesh.Options{
			Cluster: c.Name, Read: c.Read, ReadIn: c.ReadIn, Skipped: c.Skipped, IstioNamespace: saved.IstioNamespace,
		})})
	}
	for _, missing := range saved.Missing {
		m.Clusters = append(m.Clusters, status.Cluster{Name: missing.Name, Error: missing.Reason})
	}
	if o.revision != "" && len(m.Istiods) == 0 {
		return nil, hint.Unanswerablef("leave --revision out to see all", "the snapshot %s has no istiod of revision %q", saved.path, o.revision)
	}
	return m, nil
}

// sync is what the istiods of a cluster said.
func (m *savedMesh) sync(cluster int) (*savedSync, error) {
	if m.Inventories == nil {
		return nil, hint.Unanswerablef("save a new one", "the snapshot %s was written by meshctl %s, which did not save the states of proxies", m.path, m.By)
	}
	body, err := m.File(cluster, syncFile)
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }()
	var s savedSync
	if err := json.NewDecoder(body).Decode(&s); err != nil {
		return nil, hint.Unanswerablef("save a new one", "reading the states of proxies in the snapshot %s: %w", m.path, err)
	}
	return &s, nil
}

// oneSaved shows one proxy of a snapshot, and compares both of its sides.
func (o *proxyStatusOptions) oneSaved(saved *savedMesh, report *status.Report, arg string) error {
	connected := func(id string) bool {
		return slices.ContainsFunc(report.Proxies, func(p proxyconfig.ProxySync) bool { return p.ID() == id })
	}
	id := arg
	if !connected(id) {
		if id = arg + "." + o.f.GivenNamespace(); !connected(id) {
			dumps, err := saved.find(arg, o.f.GivenNamespace())
			if err != nil {
				return err
			}
			id = dumps[0].name
		}
	}
	i := slices.IndexFunc(report.Proxies, func(p proxyconfig.ProxySync) bool { return p.ID() == id })
	if i < 0 {
		return hint.Failf("", "the proxy of pod %s was not connected to any istiod", id)
	}
	proxy := report.Proxies[i]
	report.Keep(proxy.Name, proxy.Namespace)
	return o.compared(report, func(p *proxyconfig.ProxySync) (*diff.Served, error) { return saved.compare(p) })
}

// compare compares what istiod would have sent to a proxy with what it had.
func (m *savedMesh) compare(proxy *proxyconfig.ProxySync) (*diff.Served, error) {
	for _, p := range m.proxies() {
		if p.ID() != proxy.ID() || len(m.Clusters) > 1 && proxy.Context != "" && m.Clusters[p.cluster].Name != proxy.Context {
			continue
		}
		side := func(name, file string) diff.Side {
			return diff.Side{Name: name, Open: func() (io.ReadCloser, error) { return m.File(p.cluster, proxyFolder(p.Proxy)+file) }}
		}
		return diff.CompareServed(side("istiod "+proxy.Istiod, servedFile), side(p.ID(), dumpFile))
	}
	return nil, m.notSaved(proxy.ID(), "")
}
