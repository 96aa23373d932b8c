package serviceentry

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

type resource = *mesh.Resource[*networking.ServiceEntry]

// Duplicate finds ServiceEntries for the same host and port, of which one counts.
var Duplicate = &analyze.Check{
	Code: "MSH0530", Name: "duplicate-service-entry", Severity: analyze.Warning, KIA: "KIA1211",
	Reads: []mesh.Kind{mesh.ServiceEntry},
	Uses:  mesh.ViewKinds(),
	Doc: analyze.Doc{
		What: "Several ServiceEntries that the same clients see have the same host and port.",
		Why:  "The oldest one's resolution, addresses and location count for the port, those of the others do not, while the endpoints of all that live in one namespace are used together. When the oldest is created again, another counts.",
		Fix:  "Keep one ServiceEntry for the host, exported to all who need it; or give each team's its own exportTo.",
	},
	Run: func(p *analyze.Pass) {
		entries := map[string][]resource{}
		var order []string
		for _, se := range p.ServiceEntries() {
			for _, host := range se.Spec.GetHosts() {
				for _, port := range se.Spec.GetPorts() {
					for _, scope := range scopes(p, se) {
						key := fmt.Sprintf("%s %s %d", scope, strings.ToLower(host), port.GetNumber())
						if rivals := entries[key]; len(rivals) == 0 {
							order = append(order, key)
						} else if rivals[len(rivals)-1].Object == se.Object {
							continue
						}
						entries[key] = append(entries[key], se)
					}
				}
			}
		}
		reported := map[*mesh.Object]bool{}
		for _, key := range order {
			if len(entries[key]) > 1 {
				duplicates(p, entries[key], strings.Fields(key), reported)
			}
		}
	},
}

// scopes are where istiod looks for a host, each by itself: what a namespace
// keeps to itself, what is exported to it by name, what all see.
func scopes(p *analyze.Pass, se resource) []string {
	exportTo := p.ExportTo(mesh.ServiceEntry, se.Spec.GetExportTo())
	if len(exportTo) == 0 || slices.Contains(exportTo, "*") {
		return []string{"*"}
	}
	var all []string
	for _, ns := range exportTo {
		switch ns {
		case "~":
		case ".", se.Namespace:
			all = append(all, "./"+se.Namespace)
		default:
			all = append(all, ns)
		}
	}
	return all
}

// duplicates reports the entries for a host and port, the one that counts left out
// if the input says which that is. Equal ones, and those of other
// namespaces, which every namespace may need for itself, are worth knowing only.
func duplicates(p *analyze.Pass, rivals []resource, key []string, reported map[*mesh.Object]bool) {
	oldest := mesh.Oldest(rivals)
	host, port := key[1], key[2]
	for i, se := range rivals {
		if reported[se.Object] {
			continue
		}
		other := rival(p, rivals, i, oldest, host, port)
		if other == nil || protocols(se, port) != protocols(other, port) {
			continue
		}
		reported[se.Object] = true
		f := p.Report(se.At("spec.hosts[%d]", slices.IndexFunc(se.Spec.GetHosts(), func(h string) bool { return strings.EqualFold(h, host) })),
			"another ServiceEntry has the host %q and port %s: the oldest counts", host, port).
			Evidence(other.At("spec.hosts"), "has them too").
			Suggest("merge them into one")
		if se.Namespace != other.Namespace || equal(se.Spec, other.Spec) {
			f.As(analyze.Info)
		}
	}
}

// rival is the entry that counts instead of one, or may: the oldest where it is
// seen together with it, else the next that is; nil when it counts itself.
func rival(p *analyze.Pass, rivals []resource, i int, oldest resource, host, port string) resource {
	number, _ := strconv.ParseUint(port, 10, 32)
	exported := func(se resource) mesh.Exported {
		return p.ExportedEntry(se).On(p.FQDN(host, se.Namespace), uint32(number))
	}
	self := exported(rivals[i])
	if oldest != nil && (oldest.Object == rivals[i].Object || p.SeenTogether(self, exported(oldest))) {
		if oldest.Object == rivals[i].Object {
			return nil
		}
		return oldest
	}
	for n := 1; n < min(len(rivals), compared); n++ {
		other := rivals[(i+n)%len(rivals)]
		if p.SeenTogether(self, exported(other)) && mesh.Oldest([]resource{rivals[i], other}) != rivals[i] {
			return other
		}
	}
	return nil
}

// protocols are those of a port: where they differ is another check's (IST0177).
func protocols(se resource, number string) string {
	for _, port := range se.Spec.GetPorts() {
		if fmt.Sprint(port.GetNumber()) == number {
			return strings.ToUpper(port.GetProtocol())
		}
	}
	return ""
}

// equal says whether it is the same which of two entries counts. Their
// endpoints are used together.
func equal(a, b *networking.ServiceEntry) bool {
	x, y := proto.Clone(a).(*networking.ServiceEntry), proto.Clone(b).(*networking.ServiceEntry)
	for _, se := range []*networking.ServiceEntry{x, y} {
		se.Hosts, se.ExportTo, se.Ports, se.Endpoints, se.WorkloadSelector = nil, nil, nil, nil, nil
	}
	return proto.Equal(x, y)
}
