package analyze

import (
	"slices"
	"strings"
)

// ClusterState is a cluster that was to be analyzed.
type ClusterState struct {
	Name string `json:"name"`
	// Analyzed says whether the cluster is in the report.
	Analyzed bool `json:"analyzed"`
	// Reason is why it is not.
	Reason string `json:"reason,omitempty"`
}

// Missing are the clusters that could not be read.
func (r *Report) Missing() []ClusterState {
	return slices.DeleteFunc(slices.Clone(r.Clusters), func(c ClusterState) bool { return c.Analyzed })
}

// AddClusters says of what clusters the report is, and of which it should have been.
func (r *Report) AddClusters(clusters []ClusterState) {
	r.Clusters = append(r.Clusters, clusters...)
	slices.SortFunc(r.Clusters, func(a, b ClusterState) int { return strings.Compare(a.Name, b.Name) })
}

// skip notes a check that does not run, once for each cluster.
func (r *Report) skip(c SkippedCheck) {
	if !slices.Contains(r.SkippedChecks, c) {
		r.SkippedChecks = append(r.SkippedChecks, c)
	}
}

// inCluster is "in cluster west", where a report is about several clusters.
func (r *Report) inCluster(o Object) string {
	if len(r.Clusters) < 2 || o.Cluster == "" {
		return ""
	}
	return "in " + o.Cluster
}
