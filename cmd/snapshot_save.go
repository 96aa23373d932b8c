package cmd

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/mesh"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/snapshot"
)

// snapshotSaveFlags are the flags of snapshot save.
type snapshotSaveFlags struct {
	clusterFlags
	out *outputFlags
}

func newSnapshotSaveCmd(f *Factory) *cobra.Command {
	o := &snapshotSaveFlags{}
	c := &cobra.Command{
		Use:   "save FILE",
		Short: "Save the mesh of one or several clusters into a file",
		Long: `save reads what analyze reads of the clusters and writes it into a file, which it
replaces. Secrets stay out: of Secrets only those that Gateways name are read, and
of them only the certificates are saved; private keys, tokens, passwords and
variables whose names say that they are secret are replaced. What may not be read
is noted in the file, so that nobody takes it for missing.

Exit codes: 0 saved; 2 not everything could be read: the file holds the rest.`,
		Example: `  meshctl snapshot save mesh.snapshot

  # All clusters of a mesh
  meshctl snapshot save --contexts east,west mesh.snapshot

  # What would a change do to it?
  meshctl analyze --from mesh.snapshot new-route.yaml`,
		Args: exactArgs("a file"),
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), f, args[0]) },
	}
	o.add(f, c)
	c.Flags().DurationVar(&o.timeout, "timeout", time.Minute, "longest time to read the clusters")
	o.out = addOutput(c)
	return c
}

func (o *snapshotSaveFlags) run(ctx context.Context, f *Factory, path string) error {
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	read, err := o.read(ctx, f, kube.ReadOptions{
		Kinds: savedKinds(), Namespaces: []string{f.IstioNamespace()}, IstioNamespace: f.IstioNamespace(),
	})
	if err != nil {
		return err
	}
	s := &snapshot.Snapshot{Taken: f.Now(), By: clientVersion, IstioNamespace: f.IstioNamespace(), Clusters: read.clusters}
	for _, c := range read.states {
		if !c.Analyzed {
			s.Missing = append(s.Missing, snapshot.Missing{Name: c.Name, Reason: c.Reason})
		}
	}
	if err := snapshot.Save(path, s); err != nil {
		return err
	}
	saved := newSavedSnapshot(path, s)
	if err := f.print(o.out, saved); err != nil {
		return err
	}
	if !saved.Complete {
		return errUnanswered
	}
	return nil
}

// savedKinds are all kinds that an analysis may ask for. Pods and Deployments
// stand for their ReplicaSets.
func savedKinds() []mesh.Kind {
	return slices.DeleteFunc(mesh.Kinds(), func(k mesh.Kind) bool { return k == mesh.ReplicaSet })
}

// savedSnapshot is what was saved, as a document.
type savedSnapshot struct {
	File string `json:"file"`
	// Complete says that everything could be read.
	Complete bool           `json:"complete"`
	Clusters []savedCluster `json:"clusters"`
}

type savedCluster struct {
	Name    string   `json:"name"`
	Objects int      `json:"objects"`
	Skipped []string `json:"skipped"`
	// Reason is why nothing of the cluster was saved.
	Reason string `json:"reason,omitempty"`
}

func newSavedSnapshot(path string, s *snapshot.Snapshot) *savedSnapshot {
	d := &savedSnapshot{File: path, Complete: len(s.Missing) == 0, Clusters: []savedCluster{}}
	for _, c := range s.Clusters {
		row := savedCluster{Name: c.Name, Objects: len(c.Objects), Skipped: []string{}}
		for _, skip := range c.Skipped {
			row.Skipped = append(row.Skipped, fmt.Sprintf("%s: %s", skip.Kind.Resource, skip.Reason))
			d.Complete = false
		}
		d.Clusters = append(d.Clusters, row)
	}
	for _, m := range s.Missing {
		d.Clusters = append(d.Clusters, savedCluster{Name: m.Name, Skipped: []string{}, Reason: m.Reason})
	}
	return d
}

// DocumentKind is the kind of the document's JSON and YAML.
func (d *savedSnapshot) DocumentKind() string { return "SavedSnapshot" }

// Tables is one line for each cluster, and below what was left out.
func (d *savedSnapshot) Tables(bool) []output.Table {
	t := output.Table{Columns: []string{"CLUSTER", "OBJECTS", "NOT READ"}}
	for _, c := range d.Clusters {
		if c.Reason != "" {
			c.Skipped = append(c.Skipped, c.Reason)
		}
		if len(c.Skipped) == 0 {
			t.Rows = append(t.Rows, []string{c.Name, strconv.Itoa(c.Objects), ""})
		}
		for _, reason := range c.Skipped {
			t.Rows = append(t.Rows, []string{c.Name, strconv.Itoa(c.Objects), reason})
		}
	}
	return []output.Table{t}
}
