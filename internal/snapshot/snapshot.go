// Package snapshot writes what was read of clusters into one file and reads it
// back, so that a mesh can be analyzed later, elsewhere and by somebody who has
// no access to it. Secrets are taken out on the way, see redact.go.
//
// # The file
//
// A tar in gzip, of named parts, in this order:
//
//	snapshot.json                  what the file is: {"apiVersion":"meshctl.io/v1","kind":"Snapshot", ...}
//	clusters/0/cluster.json        the cluster's name, and which kinds were read
//	clusters/0/objects-0000.jsonl  its objects, one on a line, in parts of about a megabyte
//	clusters/0/sync.json           what all istiods said of their proxies: {"istiods": [...], "proxies": [...]}
//	clusters/0/istiods/ISTIOD.NAMESPACE/version.txt     its /version
//	clusters/0/istiods/ISTIOD.NAMESPACE/log.txt         the end of its log
//	clusters/0/proxies/POD.NAMESPACE/config_dump.json   Envoy's config_dump?include_eds
//	clusters/0/proxies/POD.NAMESPACE/config_dump.json.0001  and so on: its parts, of 8 MB each
//	clusters/0/proxies/POD.NAMESPACE/clusters.json      Envoy's /clusters?format=json
//	clusters/0/proxies/POD.NAMESPACE/istiod.json        what its istiod would send: /debug/config_dump?include_eds&proxyID
//	clusters/0/proxies/POD.NAMESPACE/server_info.json   Envoy's /server_info
//	clusters/0/proxies/POD.NAMESPACE/log.txt            the end of its log
//	clusters/0/events.jsonl        events of Kubernetes, one on a line
//	clusters/0/inventory.json      versions, proxies, and which of these files are whole
//	clusters/1/...
//	end.json                       how many parts came before: the file is whole
//
// Dumps are written as they are read and read as they are used, part by part;
// none is in memory as a whole. What could not be read is not there, and the
// inventory says why.
//
// A reader passes over parts that it does not know, so new ones can be added;
// what would be misread by an older meshctl gets another apiVersion.
package snapshot

import (
	"strings"
	"time"

	"github.com/meshctl/meshctl/internal/mesh"
)

// The identity of the file.
const (
	apiVersion = "meshctl.io/v1"
	kind       = "Snapshot"
)

// The names of parts.
const (
	headPart    = "snapshot.json"
	endPart     = "end.json"
	clusterPart = "cluster.json"
)

// partSize is about how many bytes of objects are in one part, maxPart how many
// a reader takes: an object can be somewhat larger than a part.
const (
	partSize = 1 << 20
	maxPart  = 64 << 20
)

// Snapshot is what a file holds.
type Snapshot struct {
	// Taken is when the clusters were read, By the version of meshctl that did.
	Taken time.Time
	By    string
	// IstioNamespace is the namespace of the control plane.
	IstioNamespace string
	Clusters       []mesh.Cluster
	// Inventories are what was saved beside the objects, in the order of
	// Clusters; nil in the files of an older meshctl.
	Inventories []Inventory
	// Missing are clusters that should have been read.
	Missing []Missing
}

// Missing is a cluster that could not be read, and why.
type Missing struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// head is the first part.
type head struct {
	APIVersion     string    `json:"apiVersion"`
	Kind           string    `json:"kind"`
	Taken          time.Time `json:"taken"`
	By             string    `json:"meshctl"`
	IstioNamespace string    `json:"istioNamespace"`
	// Clusters are the names, the i-th in clusters/i/.
	Clusters []string  `json:"clusters"`
	Missing  []Missing `json:"missing"`
}

// clusterHead is a cluster's first part.
type clusterHead struct {
	Name string `json:"name"`
	// Read, and the kinds below, are written as VirtualService.networking.istio.io.
	Read    []string            `json:"read"`
	ReadIn  map[string][]string `json:"readIn"`
	Skipped []skipped           `json:"skipped"`
}

type skipped struct {
	Kind   string `json:"kind"`
	Reason string `json:"reason"`
}

// end is the last part.
type end struct {
	Parts   int `json:"parts"`
	Objects int `json:"objects"`
}

func kindName(k mesh.Kind) string { return strings.TrimSuffix(k.Kind+"."+k.Group, ".") }

func kindNamed(name string) mesh.Kind {
	kind, group, _ := strings.Cut(name, ".")
	apiVersion := strings.TrimPrefix(group+"/v1", "/")
	if k, ok := mesh.KindOf(apiVersion, kind); ok {
		return k
	}
	return mesh.ForeignKind(apiVersion, kind)
}
