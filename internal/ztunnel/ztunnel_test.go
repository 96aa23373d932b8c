package ztunnel

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/output"
)

var update = flag.Bool("update", false, "rewrite the expected output")

func now() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

func load(t *testing.T, name string, parts ...Part) *Dump {
	t.Helper()
	file, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	d, err := Read(Source{Name: name, Reader: file}, parts...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func write(t *testing.T, format output.Format, d output.Document) string {
	t.Helper()
	var b bytes.Buffer
	if err := output.Write(&b, output.Options{Format: format}, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestDumps reads both shapes of dump; what each shows is in testdata.
func TestDumps(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"list", "map"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := load(t, name+".json").ListAll(Pod{}, now())
			all.Titles = true
			got := write(t, output.AsTable, all) + "\n" + write(t, output.AsWide, all) + "\n" + write(t, output.AsYAML, all)
			golden := "testdata/" + name + ".want"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if strings.Contains(got, "PRIVATE KEY") || strings.Contains(got, "hush") {
				t.Error("a secret is shown")
			}
		})
	}
}

// TestShapesAgree says that the older shape of a dump shows the same as far as it goes.
func TestShapesAgree(t *testing.T) {
	t.Parallel()
	newer, older := load(t, "list.json"), load(t, "map.json")
	for what, pair := range map[string][2]output.Document{
		"workloads": {newer.ListWorkloads(WorkloadFilter{}), older.ListWorkloads(WorkloadFilter{})},
		"policies":  {newer.ListPolicies(PolicyFilter{}), older.ListPolicies(PolicyFilter{})},
	} {
		for _, wide := range []bool{false, true} {
			if diff := cmp.Diff(pair[0].Tables(wide)[0].Rows, pair[1].Tables(wide)[0].Rows); diff != "" {
				t.Errorf("%s, -newer +older:\n%s", what, diff)
			}
		}
	}
}

func TestJSONHasNoNullArrays(t *testing.T) {
	t.Parallel()
	var empty Dump
	for _, text := range []string{
		write(t, output.AsJSON, empty.ListAll(Pod{}, now())), write(t, output.AsJSON, load(t, "list.json").ListAll(Pod{}, now())),
		write(t, output.AsJSON, load(t, "map.json").ListAll(Pod{}, now())),
	} {
		if !json.Valid([]byte(text)) || strings.Contains(text, "null") {
			t.Errorf("document:\n%s", text)
		}
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	d := load(t, "list.json")
	web := Pod{Name: "web-1", Namespace: "shop", ServiceAccount: "web"}
	cart := Pod{Name: "cart-1", Namespace: "shop", ServiceAccount: "cart"}
	for _, tc := range []struct {
		name string
		list output.Document
		want []string // what identifies each row
		at   int
	}{
		{"workloads of a namespace", d.ListWorkloads(WorkloadFilter{Namespace: "edge"}), []string{"ext"}, 1},
		{"workloads of a node", d.ListWorkloads(WorkloadFilter{Node: "node-a"}), []string{"waypoint-1", "web-1"}, 1},
		{"workload of a second address", d.ListWorkloads(WorkloadFilter{Address: "fd00::2"}), []string{"cart-1"}, 1},
		{"no part of an address", d.ListWorkloads(WorkloadFilter{Address: "10.0.0"}), nil, 1},
		{"workload of a pod", d.ListWorkloads(WorkloadFilter{Pod: web}), []string{"web-1"}, 1},
		{"services of a namespace", d.ListServices(ServiceFilter{Namespace: "edge"}), nil, 1},
		{"services of a pod", d.ListServices(ServiceFilter{Pod: web}), []string{"web"}, 1},
		{"services of a pod behind none", d.ListServices(ServiceFilter{Pod: cart}), nil, 1},
		{"policies of a namespace", d.ListPolicies(PolicyFilter{Namespace: "shop"}), []string{"deny-all"}, 1},
		{"policies of a pod that one selects", d.ListPolicies(PolicyFilter{Pod: web}), []string{"a", "two", "deny-all"}, 1},
		{"policies of a pod", d.ListPolicies(PolicyFilter{Pod: cart}), []string{"a", "deny-all"}, 1},
		{"certificates of a pod", d.ListCertificates(cart, now()), []string{"spiffe://cluster.local/ns/shop/sa/cart"}, 0},
		{"inbound", d.ListConnections(ConnectionFilter{Direction: "inbound", Raw: true}), []string{"10.0.0.2:4444", "10.0.0.77:4444"}, 3},
		{"outbound", d.ListConnections(ConnectionFilter{Direction: "outbound"}), []string{"waypoint-1.shop:15008"}, 3},
		{"connections of a namespace", d.ListConnections(ConnectionFilter{Namespace: "edge"}), nil, 0},
		{"connections of a pod", d.ListConnections(ConnectionFilter{Pod: cart}), nil, 0},
		{"connections of a pod by UID", d.ListConnections(ConnectionFilter{Pod: Pod{Name: "?", UID: "uid-1"}, Direction: "outbound"}), []string{"web-1.shop"}, 0},
	} {
		var got []string
		for _, row := range tc.list.Tables(false)[0].Rows {
			got = append(got, row[tc.at])
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tc.name, diff)
		}
	}
}

// TestAmbiguousAddress says that an address of several, such as a node's, is not named after one of them.
func TestAmbiguousAddress(t *testing.T) {
	t.Parallel()
	d, err := Read(Source{Name: "x", Reader: strings.NewReader(`{"services": [], "workloads": [
		{"uid": "1", "name": "a", "namespace": "n", "workloadIps": ["10.0.0.1"]}, {"uid": "2", "name": "b", "namespace": "n", "workloadIps": ["10.0.0.1"]},
		{"uid": "3", "name": "six", "namespace": "n", "workloadIps": ["fd00::1"]}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	name := d.namer()
	for address, want := range map[string]string{"10.0.0.1:80": "10.0.0.1:80", "[fd00::1]:80": "six.n:80", "": "", "10.9.9.9:1": "10.9.9.9:1"} {
		if got := name(address); got != want {
			t.Errorf("%q is named %q, want %q", address, got, want)
		}
	}
}

func TestReadErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                  "f is not a dump of a ztunnel: it is empty",
		`[]`:                                "f is not a dump of a ztunnel: it is a JSON array, such as `istioctl ztunnel-config -o json` prints",
		`{}`:                                "f is not a dump of a ztunnel: it is an empty JSON object",
		`{"configs": []}`:                   "f is not a dump of a ztunnel: it is a dump of Envoy, which `proxy-config` reads",
		`{"kind": "Pod"}`:                   "f is not a dump of a ztunnel: it is a Kubernetes object or a document of this kind",
		`{"a": 1}`:                          "f is not a dump of a ztunnel: it is a JSON object with a",
		"hello\nworld":                      `f is not a dump of a ztunnel: it is text that begins with "hello"`,
		`{"workloads": [{"name"`:            "reading f: it ends in the middle",
		`{"workloads": [`:                   "reading f: it ends in the middle",
		`{"workloads": 7}`:                  "reading f: 7 where a list belongs",
		`{"workloads": [{"name": 7}]}`:      "f is not a dump of a ztunnel: it has a number where name belongs",
		`{"workloads": [!`:                  "reading f: after byte 15: invalid character '!' looking for beginning of value",
		`{"workloads": [], "services": []}`: "f has no workloadState: it has workloads, services",
	} {
		_, err := Read(Source{Name: "f", Reader: strings.NewReader(text)}, Workloads, States)
		if err == nil || err.Error() != want {
			t.Errorf("%s: error %q, want %q", text, err, want)
			continue
		}
		if hint.Of(err) == "" || hint.ClassOf(err) != hint.Unanswerable {
			t.Errorf("%s: hint %q, class %v", text, hint.Of(err), hint.ClassOf(err))
		}
	}
}

// TestPartsPassedOver says that what was not asked for is not decoded.
func TestPartsPassedOver(t *testing.T) {
	t.Parallel()
	text := `{"workloads": [{"name": 7}], "services": {"x": {"name": []}}, "policies": null, "version": "1", "certificates": []}`
	if _, err := Read(Source{Name: "f", Reader: strings.NewReader(text)}, Certificates, Policies); err != nil {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"list.json", "map.json"} {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"workloads": [null, {"waypoint": {"destination": {"hostname": {}}}}], "services": {"a": {"endpoints": {"x": null}}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Read(Source{Name: "f", Reader: bytes.NewReader(b)})
		if err != nil {
			return
		}
		all := d.ListAll(Pod{Name: "a", Namespace: "b"}, now())
		for _, doc := range []output.Document{all, d.ListAll(Pod{}, now())} {
			if _, err := json.Marshal(doc); err != nil {
				t.Error(err)
			}
			for _, table := range doc.Tables(true) {
				for _, row := range table.Rows {
					if len(row) != len(table.Columns) {
						t.Errorf("row %q of columns %q", row, table.Columns)
					}
				}
			}
		}
	})
}

func TestLogLevels(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"debug":                             "/logging?level=debug",
		"warning":                           "/logging?level=warn",
		"access:debug,info":                 "/logging?level=access%3Ddebug%2Cinfo",
		"ztunnel::proxy=TRACE, critical":    "/logging?level=ztunnel%3A%3Aproxy%3Dtrace%2Cerror",
		"ztunnel::proxy::outbound:off,warn": "/logging?level=ztunnel%3A%3Aproxy%3A%3Aoutbound%3Doff%2Cwarn",
	} {
		levels, err := ParseLogLevels(given)
		if got := (LogChange{Levels: levels}).Path(); err != nil || got != want {
			t.Errorf("%q: %s, %v; want %s", given, got, err, want)
		}
	}
	for given, want := range map[string]string{
		"debgu": `"debgu" is not a log level`, "": `"" is not a log level`, "info,": `"" is not a log level`,
		"a b:info": `"a b" names no part of ztunnel`, ":info": `"" names no part of ztunnel`, "access": `"access" is not a log level`,
	} {
		_, err := ParseLogLevels(given)
		if err == nil || err.Error() != want || hint.Of(err) == "" || hint.ClassOf(err) != hint.Usage {
			t.Errorf("%q: %v, hint %q", given, err, hint.Of(err))
		}
	}
	if got := (LogChange{Reset: true}).Path(); got != "/logging?reset=" {
		t.Errorf("reset: %s", got)
	}
	if got := (LogChange{}).Path(); got != LogPath {
		t.Errorf("nothing: %s", got)
	}
}

func TestLogReport(t *testing.T) {
	t.Parallel()
	was, err := ReadLogLevels("current log level is hickory_server::server=off,info\n")
	if err != nil {
		t.Fatal(err)
	}
	now, err := ReadLogLevels("current log level is access=debug,hickory_server::server=off,warn\n")
	if err != nil {
		t.Fatal(err)
	}
	p := PodLogs{Pod: "ztunnel-a.istio-system", Node: "node-a"}
	p.Compare(was, now)
	r := &LogReport{Changed: true, Pods: []PodLogs{p}}
	want := `ZTUNNEL                 SCOPE                   WAS   NOW    NODE
ztunnel-a.istio-system  all                     info  warn   node-a
ztunnel-a.istio-system  access                  info  debug  node-a
ztunnel-a.istio-system  hickory_server::server  off   off    node-a
`
	if diff := cmp.Diff(want, write(t, output.AsWide, r)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := ReadLogLevels("<html>"); err == nil || !slices.Contains([]string{`it answers "<html>" instead of its log levels`}, err.Error()) {
		t.Errorf("foreign answer: %v", err)
	}
}
