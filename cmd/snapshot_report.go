package cmd

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/snapshot"
)

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
	// Proxies are those whose configuration was saved, LeftOut how many more there are.
	Proxies []savedProxy `json:"proxies"`
	LeftOut int          `json:"leftOut"`
	// Failed are the files that could not be saved.
	Failed []failedFile `json:"failed"`
	// Reason is why nothing of the cluster was saved.
	Reason string `json:"reason,omitempty"`
}

type savedProxy struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Workload  string `json:"workload"`
	Why       string `json:"why"`
}

type failedFile struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

func newSavedSnapshot(path string, s *snapshot.Snapshot) *savedSnapshot {
	d := &savedSnapshot{File: path, Complete: len(s.Missing) == 0, Clusters: []savedCluster{}}
	for i, c := range s.Clusters {
		row := savedCluster{Name: c.Name, Objects: len(c.Objects), Skipped: []string{}}
		for _, skip := range c.Skipped {
			row.Skipped = append(row.Skipped, fmt.Sprintf("%s: %s", skip.Kind.Resource, skip.Reason))
		}
		row.add(&s.Inventories[i])
		d.Complete = d.Complete && len(row.Skipped) == 0 && len(row.Failed) == 0
		d.Clusters = append(d.Clusters, row)
	}
	for _, m := range s.Missing {
		d.Clusters = append(d.Clusters, savedCluster{Name: m.Name, Skipped: []string{}, Proxies: []savedProxy{}, Failed: []failedFile{}, Reason: m.Reason})
	}
	return d
}

// add adds what is beside the objects.
func (c *savedCluster) add(inv *snapshot.Inventory) {
	c.LeftOut, c.Proxies, c.Failed = inv.LeftOut, []savedProxy{}, []failedFile{}
	c.Skipped = append(c.Skipped, inv.Notes...)
	about, reasons := failedFiles(inv.Files)
	for _, name := range about {
		c.Failed = append(c.Failed, failedFile{name, reasons[name]})
	}
	for _, p := range inv.Proxies {
		if !dumpFailed(inv.Files, p) {
			c.Proxies = append(c.Proxies, savedProxy{p.Name, p.Namespace, p.Workload, p.Why})
		}
	}
}

// dumpFailed says whether the configuration of a proxy could not be saved.
func dumpFailed(files []*snapshot.File, p snapshot.Proxy) bool {
	return slices.ContainsFunc(files, func(f *snapshot.File) bool { return f.Name == proxyFolder(p)+dumpFile && f.Error != "" })
}

// warn says what is left out.
func (d *savedSnapshot) warn(f *Factory) {
	for _, c := range d.Clusters {
		if c.LeftOut > 0 {
			f.IO.Warnf("cluster %s: %s", c.Name, leftOutText(len(c.Proxies), c.LeftOut))
		}
		for i, failed := range c.Failed {
			if i == mostFailures {
				f.IO.Warnf("cluster %s: %d more could not be saved; the file says which and why", c.Name, len(c.Failed)-i)
				break
			}
			f.IO.Warnf("cluster %s: %s could not be saved: %s", c.Name, failed.Name, failed.Reason)
		}
	}
}

// mostFailures is how many failures are told one by one.
const mostFailures = 5

// DocumentKind is the kind of the document's JSON and YAML.
func (d *savedSnapshot) DocumentKind() string { return "SavedSnapshot" }

// Tables is one line for each cluster, and below what was left out; wide has
// the proxies, too.
func (d *savedSnapshot) Tables(wide bool) []output.Table {
	t := output.Table{Columns: []string{"CLUSTER", "OBJECTS", "PROXIES", "NOT READ"}}
	proxies := output.Table{Columns: []string{"PROXY", "WORKLOAD", "WHY"}}
	for _, c := range d.Clusters {
		if c.Reason != "" {
			c.Skipped = append(c.Skipped, c.Reason)
		}
		count := strconv.Itoa(len(c.Proxies))
		if c.LeftOut > 0 {
			count += " of " + strconv.Itoa(len(c.Proxies)+c.LeftOut)
		}
		if len(c.Failed) > 0 {
			c.Skipped = append(c.Skipped, fmt.Sprintf("files of %d", len(c.Failed)))
		}
		if len(c.Skipped) == 0 {
			c.Skipped = []string{""}
		}
		for _, reason := range c.Skipped {
			t.Rows = append(t.Rows, []string{c.Name, strconv.Itoa(c.Objects), count, reason})
		}
		for _, p := range c.Proxies {
			proxies.Rows = append(proxies.Rows, []string{p.Name + "." + p.Namespace, p.Workload, p.Why})
		}
	}
	if wide && len(proxies.Rows) > 0 {
		return []output.Table{t, proxies}
	}
	return []output.Table{t}
}
