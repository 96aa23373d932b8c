package proxyconfig

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/output"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata")

// TestDumps reads the dump.json of every archive below testdata, whose folder
// is the part to read, and compares with what it should print: want is the
// table, want-wide, want-json and want-yaml the other formats, want-error the
// error and its hint. A line "filter: port=80 fqdn=x" above the files filters.
func TestDumps(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(paths) < 6 {
		t.Fatalf("%d archives, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(strings.TrimPrefix(path, "testdata/"), ".txtar"), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			part := filepath.Base(filepath.Dir(path))
			for i := range a.Files {
				f := &a.Files[i]
				if f.Name == "dump.json" {
					continue
				}
				got := show(t, part, filters(string(a.Comment)), dumpOf(t, a), f.Name)
				if *update {
					f.Data = []byte(got)
				} else if got != string(f.Data) {
					t.Errorf("%s: got\n%s\nwant\n%s", f.Name, got, f.Data)
				}
			}
			if *update {
				if err := os.WriteFile(path, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func dumpOf(t *testing.T, a *txtar.Archive) []byte {
	t.Helper()
	for _, f := range a.Files {
		if f.Name == "dump.json" {
			return f.Data
		}
	}
	t.Fatal("no dump.json")
	return nil
}

func filters(comment string) map[string]string {
	set := map[string]string{}
	for line := range strings.Lines(comment) {
		rest, ok := strings.CutPrefix(line, "filter:")
		if !ok {
			continue
		}
		for _, pair := range strings.Fields(rest) {
			key, value, _ := strings.Cut(pair, "=")
			set[key] = value
		}
	}
	return set
}

// show is what a command on the dump prints, as the file called name wants it.
func show(t *testing.T, part string, set map[string]string, dump []byte, name string) string {
	t.Helper()
	formats := map[string]output.Format{"want": output.AsTable, "want-wide": output.AsWide, "want-json": output.AsJSON, "want-yaml": output.AsYAML, "want-error": output.AsTable}
	format, known := formats[name]
	if !known {
		t.Fatalf("unknown file %s", name)
	}
	s := Source{Name: "dump.json", Reader: bytes.NewReader(dump), KeepConfig: format == output.AsJSON || format == output.AsYAML}
	doc, err := readPart(part, s, set)
	if name == "want-error" {
		if err == nil {
			t.Fatal("no error")
		}
		if hint.ClassOf(err) != hint.Unanswerable {
			t.Errorf("class %v", hint.ClassOf(err))
		}
		return fmt.Sprintf("error: %v\nhint: %s\n", err, hint.Of(err))
	}
	if err != nil {
		t.Fatal(err)
	}
	return table(t, doc, format)
}

func readPart(part string, s Source, set map[string]string) (output.Document, error) {
	port, _ := strconv.Atoi(set["port"])
	switch part {
	case "cluster":
		return ReadClusters(s, ClusterFilter{FQDN: set["fqdn"], Port: port, Subset: set["subset"], Direction: set["direction"]})
	case "listener":
		l, err := ReadListeners(s, ListenerFilter{Address: set["address"], Port: port, Type: set["type"]})
		if l != nil {
			l.Brief = set["verbose"] == "false"
		}
		return l, err
	case "route":
		l, err := ReadRoutes(s, RouteFilter{Name: set["name"]})
		if l != nil {
			l.Brief = set["verbose"] == "false"
		}
		return l, err
	case "endpoint":
		return ReadEndpoints(s, EndpointFilter{Address: set["address"], Port: port, Cluster: set["cluster"], Status: set["status"]})
	case "secret":
		return ReadSecrets(s, noon())
	case "bootstrap":
		return ReadBootstrap(s)
	case "ecds":
		return ReadECDS(s)
	case "eds":
		return ReadEDS(s, EndpointFilter{Address: set["address"], Port: port, Cluster: set["cluster"], Status: set["status"]})
	case "all":
		a, err := ReadAll(s, AllFilter{Cluster: ClusterFilter{FQDN: set["fqdn"]}}, noon())
		if a != nil {
			a.Headings = set["headings"] == "true"
		}
		return a, err
	}
	return nil, fmt.Errorf("unknown part %s", part)
}

func TestNotADump(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, text, want string }{
		{"empty", " \n", "f is not an Envoy config dump: it is empty"},
		{"text", "Error: pod not found\nmore", `f is not an Envoy config dump: it is text that begins with "Error: pod not found"`},
		{"html", "<html><body>", "f is not an Envoy config dump: it is HTML or XML"},
		{"yaml of something else", "apiVersion: v1\nkind: Pod\n", "f is not an Envoy config dump: it is a Kubernetes object or a document of this kind"},
		{"yaml without the part", "configs:\n- a: b\n", "f does not have this part: it has nothing"},
		{"not yaml after all", "---\na: [\n", "f is not an Envoy config dump: it looks like YAML, and is not: yaml: line 2: did not find expected node content"},
		{"yaml value", "---\n3\n", "f is not an Envoy config dump: it is a single YAML value"},
		{"array", "[{}]", "f is not an Envoy config dump: it is a list of other things"},
		{"array of others", `[{"name":"80","virtualHosts":[]}]`, "f does not have this part: it has a list of routes"},
		{"clusters as text", "a::observability_name::a\n", "f does not have this part: it has Envoy's /clusters, which only `proxy-config endpoint` reads"},
		{"gzip cut off", "\x1f\x8b\x08\x00\x00", "reading f: it ends in the middle"},
		{"gzip of nothing", "\x1f\x8bno gzip at all", "reading f: it is damaged gzip"},
		{"an archive", strings.Repeat("x", 257) + "ustar\x0000", "f is an archive, not a single dump"},
		{"clusters", `{"cluster_statuses":[]}`, "f is not an Envoy config dump: it is the output of Envoy's /clusters, which only `proxy-config endpoint` reads"},
		{"server info", `{"version":"x","state":"LIVE","command_line_options":{}}`, "f is not an Envoy config dump: it is the output of Envoy's /server_info"},
		{"kubernetes", `{"apiVersion":"v1","kind":"Pod"}`, "f is not an Envoy config dump: it is a Kubernetes object or a document of this kind"},
		{"other object", `{"a":1,"b":{"configs":[]}}`, "f is not an Envoy config dump: it is a JSON object with a, b"},
		{"empty object", `{}`, "f is not an Envoy config dump: it is an empty JSON object"},
		{"other part", `{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.RoutesConfigDump","static_route_configs":[]}]}`, "f does not have this part: it has RoutesConfigDump"},
		{"cut off", `{"configs":[{"@type":"x.ClustersConfigDump","static_clusters":[{"cluster":{"name":"a`, "reading f: it ends in the middle"},
		{"cut off between", `{"configs":[{"@type":"x.ClustersConfigDump","static_clusters":[`, "reading f: it ends in the middle"},
		{"broken", `{"configs":[{"@type":"x.ClustersConfigDump","static_clusters":[{]}]}`, "reading f: at byte 65: invalid character ']' looking for beginning of object key string"},
		{"wrong kind of value", `{"configs":[{"static_clusters":[{"cluster":{"name":7}}]}]}`, `f is not an Envoy config dump: at byte 33 it has a number where cluster.name belongs`},
		{"no name", `{"configs":[{7:8}]}`, `reading f: at byte 14: '7' where a name belongs`},
		{"wrong shape", `{"configs":{"a":1}}`, `reading f: at byte 12: '{' where '[' belongs`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := ReadClusters(Source{Name: "f", Reader: strings.NewReader(tc.text)}, ClusterFilter{})
			if err == nil || err.Error() != tc.want {
				t.Fatalf("error %q, want %q", err, tc.want)
			}
			if hint.Of(err) == "" || hint.ClassOf(err) != hint.Unanswerable {
				t.Errorf("hint %q, class %v", hint.Of(err), hint.ClassOf(err))
			}
		})
	}
}

// A whole dump of a proxy without routes has no section of them.
func TestMissingPartOfAWholeDumpIsEmpty(t *testing.T) {
	t.Parallel()
	whole := `{"configs":[{"@type":"a.BootstrapConfigDump","bootstrap":{}},{"@type":"a.ClustersConfigDump"}]}`
	l, err := ReadRoutes(Source{Name: "f", Reader: strings.NewReader(whole)}, RouteFilter{})
	if err != nil || len(l.Routes) != 0 {
		t.Errorf("%v, %v", l, err)
	}
	if got := table(t, l, output.AsTable); got != "No routes found.\n" {
		t.Errorf("table %q", got)
	}
}

func TestRedact(t *testing.T) {
	t.Parallel()
	key := "-----BEGIN PRIVATE KEY-----\\nabc\\n-----END PRIVATE KEY-----"
	for _, tc := range []struct{ in, want string }{
		{`{"b":1,"a":[true,null,1.50,"x<y"]}`, `{"b":1,"a":[true,null,1.50,"x<y"]}`},
		{`{"private_key":{"inline_bytes":"c2VjcmV0"}}`, `{"private_key":{"inline_bytes":"[redacted]"}}`},
		{`{"privateKey":{"filename":"/etc/key.pem"},"x":1}`, `{"privateKey":{"filename":"/etc/key.pem"},"x":1}`},
		{`{"anything":"` + key + `"}`, `{"anything":"[redacted]"}`},
		{`{"inline_bytes":"LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCmFiYw=="}`, `{"inline_bytes":"[redacted]"}`},
		{`{"inline_bytes":"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCmFiYw=="}`, `{"inline_bytes":"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCmFiYw=="}`},
		{`[{"header":{"key":"Authorization","value":"sesame"}},{"header":{"key":"x","value":"y"}}]`, `[{"header":{"key":"Authorization","value":"[redacted]"}},{"header":{"key":"x","value":"y"}}]`},
		{`{"t":"Bearer abcdefghijklmnop"}`, `{"t":"Bearer [redacted]"}`},
		{`{"t":"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2ln"}`, `{"t":"[redacted]"}`},
		{`{"password":"","token_path":"/var/run/token"}`, `{"password":"","token_path":"/var/run/token"}`},
	} {
		if got := string(redact([]byte(tc.in))); got != tc.want {
			t.Errorf("%s\n got %s\nwant %s", tc.in, got, tc.want)
		}
	}
}

func TestSnakeKeys(t *testing.T) {
	t.Parallel()
	in := `{"portValue":1,"a\"B":"keepMe","x":["staysHere",{"innerKey" : "innerValue:"}]}`
	want := `{"port_value":1,"a\"_b":"keepMe","x":["staysHere",{"inner_key" : "innerValue:"}]}`
	if got := string(appendSnakeKeys(nil, []byte(in))); got != want {
		t.Errorf("got %s", got)
	}
}

func FuzzRead(f *testing.F) {
	paths, _ := filepath.Glob("testdata/*/*.txtar")
	for _, path := range paths {
		if a, err := txtar.ParseFile(path); err == nil {
			for _, file := range a.Files {
				f.Add(file.Data)
			}
		}
	}
	for _, text := range []string{
		`[{"name":"a","connectTimeout":"1s"},{"virtualHosts":[]},{"filterChains":[{}]},{"hostStatuses":[{}]},{"clusterName":"x"}]`,
		"- name: a\n  connectTimeout: 1s\n", "configs:\n- bootstrap: {a: .nan}\n",
		"a::observability_name::a\na::10.0.0.1:80::weight::1\na::[::1]:80::health_flags::/failed_active_hc\n",
		`{"configs":[{"static_clusters":[` + strings.Repeat(`{"cluster":[`, 50),
		`{"configs":[{"dynamic_listeners":[{"active_state":{"listener":{"address":NaN}}}]}]}`,
		"{\"configs\":[{\"static_clusters\":[{\"cluster\":{\"name\":\"\xff\xfe\"}}]}]}", "[,]", `{"configs":[{"static_clusters":[,,]}]}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, part := range []string{"cluster", "listener", "route", "endpoint", "secret", "bootstrap", "ecds", "eds", "all"} {
			for _, keep := range []bool{false, true} {
				doc, err := readPart(part, Source{Name: "f", Reader: bytes.NewReader(text), KeepConfig: keep}, nil)
				if err != nil {
					continue
				}
				for _, format := range output.Formats() {
					var b bytes.Buffer
					if err := output.Write(&b, output.Options{Format: format}, doc); err != nil {
						t.Errorf("%s as %s: %v", part, format, err)
					}
				}
			}
		}
	})
}

// FuzzArchive: whatever claims to be an archive is read or refused.
func FuzzArchive(f *testing.F) {
	f.Add([]byte(strings.Repeat("x", 257) + "ustar\x0000" + strings.Repeat("\x00", 2000)))
	f.Add([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"))
	f.Fuzz(func(_ *testing.T, text []byte) {
		if !IsArchive(bytes.NewReader(text)) {
			return
		}
		proxies, err := ArchivedProxies("a", bytes.NewReader(text))
		if err != nil {
			return
		}
		for _, p := range proxies {
			_, _ = FromArchive("a", bytes.NewReader(text), p, ClustersPath)
		}
	})
}

// A flood of brackets is refused without being held, or a stack for each.
func TestFloodOfBrackets(t *testing.T) {
	t.Parallel()
	skipped := io.MultiReader(strings.NewReader(`{"configs":[{"x":`), io.LimitReader(brackets{}, 1<<28))
	if _, err := ReadClusters(Source{Name: "f", Reader: skipped}, ClusterFilter{}); err == nil || err.Error() != "reading f: it ends in the middle" {
		t.Errorf("%v", err)
	}
	decoded := `{"configs":[{"static_clusters":[{"cluster":{"name":` + strings.Repeat("[", 1<<20) + strings.Repeat("]", 1<<20) + `}}]}]}`
	if _, err := ReadClusters(Source{Name: "f", Reader: strings.NewReader(decoded), KeepConfig: true}, ClusterFilter{}); hint.ClassOf(err) != hint.Unanswerable {
		t.Errorf("%v", err)
	}
}

type brackets struct{}

func (brackets) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = '['
	}
	return len(b), nil
}
