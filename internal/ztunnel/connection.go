package ztunnel

import (
	"cmp"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/output"
)

// State is a workload of this node, with its connections.
type State struct {
	// UID is the pod's.
	UID string `json:"-"`
	// State is Up, or Pending while the ztunnel cannot serve the workload yet.
	State string `json:"state"`
	Info  struct {
		Name           string `json:"name"`
		Namespace      string `json:"namespace"`
		TrustDomain    string `json:"trustDomain"`
		ServiceAccount string `json:"serviceAccount"`
	} `json:"info"`
	Connections struct {
		Inbound  []wireConnection `json:"inbound"`
		Outbound []wireConnection `json:"outbound"`
	} `json:"connections"`
}

type wireConnection struct {
	Source   string `json:"src"`
	Original string `json:"originalDst"`
	Actual   string `json:"actualDst"`
	Protocol string `json:"protocol"`
	// Older versions tell of inbound connections only this.
	Destination string `json:"dst"`
}

// name is what tables call the workload; older versions tell only its UID.
func (s *State) name() string {
	if s.Info.Name == "" {
		return s.UID
	}
	return s.Info.Name + "." + s.Info.Namespace
}

// Connection is one that is open now.
type Connection struct {
	// Workload is name.namespace of the workload of this node.
	Workload string `json:"workload"`
	// Direction is Inbound or Outbound, seen from the workload.
	Direction string `json:"direction"`
	// Local, Remote and RemoteTarget name the workload or service of an
	// address, each with its port; RemoteTarget is what the client asked for,
	// Remote the other end of the connection.
	Local        string `json:"local"`
	Remote       string `json:"remote"`
	RemoteTarget string `json:"remoteTarget,omitempty"`
	// Protocol is HBONE or TCP.
	Protocol string `json:"protocol"`
	// Source, OriginalDestination and ActualDestination are the addresses.
	Source              string `json:"src"`
	OriginalDestination string `json:"originalDst,omitempty"`
	ActualDestination   string `json:"actualDst"`
}

// ConnectionFilter chooses connections; empty members choose all.
type ConnectionFilter struct {
	// Direction is inbound or outbound, Namespace the workload's.
	Direction, Namespace string
	// Raw leaves addresses as they are.
	Raw bool
	Pod Pod
}

// ConnectionList is the result of ztunnel-config connections.
type ConnectionList struct {
	Ztunnel     string       `json:"ztunnel"`
	Connections []Connection `json:"connections"`
	// Pending are the workloads of this node that the ztunnel does not serve yet.
	Pending []string `json:"pending"`
}

// ListConnections is the connections that f chooses.
func (d *Dump) ListConnections(f ConnectionFilter) *ConnectionList {
	l := &ConnectionList{Ztunnel: d.Ztunnel, Connections: []Connection{}, Pending: []string{}}
	name := d.namer()
	if f.Raw {
		name = func(address string) string { return address }
	}
	for _, s := range d.States {
		if f.Namespace != "" && s.Info.Namespace != f.Namespace || !f.Pod.runs(s) {
			continue
		}
		if s.State != "" && s.State != "Up" {
			l.Pending = append(l.Pending, s.name())
		}
		if !strings.EqualFold(f.Direction, "outbound") {
			for _, w := range s.Connections.Inbound {
				local := cmp.Or(w.Actual, w.Destination)
				l.Connections = append(l.Connections, Connection{
					Workload: s.name(), Direction: "Inbound", Local: name(local), Remote: name(w.Source), RemoteTarget: name(w.Original),
					Protocol: w.Protocol, Source: w.Source, OriginalDestination: w.Original, ActualDestination: local,
				})
			}
		}
		if !strings.EqualFold(f.Direction, "inbound") {
			for _, w := range s.Connections.Outbound {
				l.Connections = append(l.Connections, Connection{
					Workload: s.name(), Direction: "Outbound", Local: name(w.Source), Remote: name(w.Actual), RemoteTarget: name(w.Original),
					Protocol: w.Protocol, Source: w.Source, OriginalDestination: w.Original, ActualDestination: w.Actual,
				})
			}
		}
	}
	slices.SortStableFunc(l.Connections, func(a, b Connection) int {
		return cmp.Or(strings.Compare(a.Workload, b.Workload), strings.Compare(a.Direction, b.Direction),
			strings.Compare(a.Source, b.Source), strings.Compare(a.ActualDestination, b.ActualDestination))
	})
	slices.Sort(l.Pending)
	return l
}

// DocumentKind is the kind of the JSON and YAML document.
func (*ConnectionList) DocumentKind() string { return "ZtunnelConnections" }

// Tables is one row per connection.
func (l *ConnectionList) Tables(wide bool) []output.Table {
	t := output.Table{
		Columns: []string{"WORKLOAD", "DIRECTION", "LOCAL", "REMOTE", "REMOTE TARGET", "PROTOCOL"},
		Empty:   "No connections found.",
	}
	if wide {
		t.Columns = append(t.Columns, "SOURCE", "ORIGINAL DESTINATION", "ACTUAL DESTINATION")
	}
	for _, c := range l.Connections {
		row := []string{c.Workload, c.Direction, c.Local, c.Remote, c.RemoteTarget, orDash(c.Protocol)}
		if wide {
			row = append(row, c.Source, orDash(c.OriginalDestination), c.ActualDestination)
		}
		t.Rows = append(t.Rows, row)
	}
	if len(l.Pending) > 0 {
		t.After = []string{"", "Not served by this ztunnel yet: " + strings.Join(l.Pending, ", ")}
	}
	return []output.Table{t}
}
