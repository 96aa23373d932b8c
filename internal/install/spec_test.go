package install

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/meshctl/meshctl/internal/hint"
	"istio.io/istio/manifests"
)

func TestLayersWinInOrder(t *testing.T) {
	t.Parallel()
	file := func(name, text string) File { return File{Name: name, Data: []byte(text)} }
	a := file("a.yaml", "spec: {profile: minimal, hub: file.io/a, meshConfig: {accessLogFile: /a, rootNamespace: a}}")
	b := file("b.yaml", "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec: {meshConfig: {accessLogFile: /b}}")
	values := file("v.yaml", "spec: {hub: file.io/spec, values: {global: {hub: file.io/values}}}")
	for _, tt := range []struct {
		name string
		in   Inputs
		want map[string]any
	}{
		{"nothing given", Inputs{}, map[string]any{"profile": "default", "hub": Hub, "tag": Version, "revision": "default"}},
		{"file over profile", Inputs{Files: []File{a}}, map[string]any{"profile": "minimal", "hub": "file.io/a", "log": "/a", "root": "a"}},
		{"file over file, key by key", Inputs{Files: []File{a, b}}, map[string]any{"log": "/b", "root": "a"}},
		{"the other order", Inputs{Files: []File{b, a}}, map[string]any{"log": "/a"}},
		{"setting over file", Inputs{Files: []File{a}, Set: []string{"meshConfig.accessLogFile=/s", "profile=demo"}},
			map[string]any{"profile": "demo", "log": "/s", "root": "a"}},
		{"setting over setting", Inputs{Set: []string{"hub=a.io", "hub=b.io"}}, map[string]any{"hub": "b.io"}},
		{"flag over file", Inputs{Profile: "demo", Files: []File{a}}, map[string]any{"profile": "demo"}},
		{"revision by flag", Inputs{Set: []string{"revision=a"}, Revision: "b"}, map[string]any{"revision": "b"}},
		{"revision default", Inputs{Revision: "default"}, map[string]any{"revision": "default"}},
		{"values over what is copied into them", Inputs{Files: []File{values}}, map[string]any{"hub": "file.io/spec", "valuesHub": "file.io/values"}},
		{"an alias", Inputs{Profile: "external"}, map[string]any{"profile": "remote"}},
		{"an empty file", Inputs{Files: []File{file("e.yaml", "# nothing\n")}}, map[string]any{"profile": "default"}},
		{"a file with an empty spec", Inputs{Files: []File{file("e.yaml", "kind: IstioOperator\nspec:\n")}}, map[string]any{"profile": "default"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := Resolve(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			all := map[string]any{
				"profile": s.Profile, "hub": s.Hub, "tag": s.Tag, "revision": s.Revision,
				"log":       lookup(s.tree, "spec", "values", "meshConfig", "accessLogFile"),
				"root":      lookup(s.tree, "spec", "values", "meshConfig", "rootNamespace"),
				"valuesHub": lookup(s.tree, "spec", "values", "global", "hub"),
			}
			for k, want := range tt.want {
				if all[k] != want {
					t.Errorf("%s = %v, want %v", k, all[k], want)
				}
			}
		})
	}
}

func TestNamespaceAndAddons(t *testing.T) {
	t.Parallel()
	s, err := Resolve(Inputs{Profile: "demo", Set: []string{"values.global.istioNamespace=mesh", "addons.kiali.enabled=false", "addons.loki.enabled=true"}})
	if err != nil {
		t.Fatal(err)
	}
	if s.Namespace != "mesh" {
		t.Errorf("namespace = %s", s.Namespace)
	}
	if d := cmp.Diff([]string{"grafana", "jaeger", "loki", "prometheus"}, s.Addons); d != "" {
		t.Errorf("add-ons: -want +got\n%s", d)
	}
	if s, err = Resolve(Inputs{}); err != nil || len(s.Addons) != 0 || s.Namespace != "istio-system" {
		t.Errorf("default profile: add-ons %v in %s, %v", s.Addons, s.Namespace, err)
	}
}

func TestManifestsDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, manifests.FS); err != nil {
		t.Fatal(err)
	}
	theirs := render(t, Inputs{Profile: "demo", ManifestsDir: dir})
	s, err := Resolve(Inputs{Set: []string{"profile=demo", "installPackagePath=" + dir}})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Addons) != 4 {
		t.Errorf("add-ons = %v, want those of our profile", s.Addons)
	}
	if ours := render(t, Inputs{Profile: "demo"}); len(ours.Objects()) != len(theirs.Objects()) {
		t.Errorf("%d objects from the directory, %d from the binary", len(theirs.Objects()), len(ours.Objects()))
	}
	// A chart that is changed there is the one that is used.
	crds := filepath.Join(dir, "charts", "base", "templates", "crds.yaml")
	if err := os.WriteFile(crds, []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: instead}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	find(t, render(t, Inputs{ManifestsDir: dir}), "ConfigMap", "instead")
}

func TestClusterVersionTells(t *testing.T) {
	t.Parallel()
	s, err := Resolve(Inputs{Profile: "ambient", KubeVersion: "v1.34.1-gke.100"})
	if err != nil {
		t.Fatal(err)
	}
	if got := lookup(s.tree, "spec", "components", "cni", "namespace"); got != "kube-system" {
		t.Errorf("CNI namespace on GKE = %v", got)
	}
	if s, err = Resolve(Inputs{KubeVersion: "v1.34.1-gke.100"}); err != nil {
		t.Fatal(err)
	}
	if lookup(s.tree, "spec", "components", "cni") != nil || lookup(s.tree, "spec", "values", "global", "platform") != "gke" {
		t.Error("on GKE the platform must be set, and the CNI agent not be installed unasked")
	}
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	doc := func(s string) Inputs { return Inputs{Files: []File{{Name: "in.yaml", Data: []byte(s)}}} }
	set := func(s ...string) Inputs { return Inputs{Set: s} }
	for name, tt := range map[string]struct {
		in         Inputs
		text, hint string // parts of both
	}{
		"unknown profile":          {Inputs{Profile: "dmeo"}, `there is no profile "dmeo"`, `did you mean "demo"? one of: ambient, default,`},
		"unknown profile, set":     {set("profile=production"), `there is no profile "production"`, "one of: ambient,"},
		"path as a profile":        {set("profile=../x"), `there is no profile "../x"`, "one of:"},
		"two profiles":             {Inputs{Profile: "demo", Set: []string{"profile=minimal"}}, "--profile says demo, --set profile says minimal", "once"},
		"no equals sign":           {set("profile"), "--set profile: there is no =", "path=value"},
		"no path":                  {set("=x"), "names no key", "keys with dots"},
		"open bracket":             {set("components.ingressGateways[0.enabled=true"), "open bracket", "keys with dots"},
		"unknown key of spec":      {set("componets.pilot.enabled=true"), `unknown key "componets"`, `"components"`},
		"unknown component":        {set("components.pilots.enabled=true"), `unknown key "components.pilots"`, `"pilot"`},
		"unknown k8s setting":      {set("components.pilot.k8s.replicas=2"), `unknown key "components.pilot.k8s.replicas"`, "replicaCount"},
		"unknown Kubernetes field": {set("components.pilot.k8s.hpaSpec.minReplica=2"), `hpaSpec.minReplica"`, `"minReplicas"`},
		"unknown value":            {set("values.pilot.autoscaleMn=2"), `unknown key "values.pilot.autoscaleMn"`, `"autoscaleMin"`},
		"unknown mesh config":      {set("meshConfig.accessLogFil=x"), `unknown key "meshConfig.accessLogFil"`, `"accessLogFile"`},
		"unknown values mesh cfg":  {set("values.meshConfig.accessLogFil=x"), `unknown key "values.meshConfig.accessLogFil"`, `"accessLogFile"`},
		"unknown add-on":           {set("addons.kialy.enabled=true"), `unknown key "addons.kialy"`, `"kiali"`},
		"unknown platform":         {set("values.global.platform=gkee"), `values.global.platform: the charts know no "gkee"`, `"gke"`},
		"unknown compat version":   {set("compatibilityVersion=1.2"), `compatibilityVersion: the charts know no "1.2"`, "1.30"},
		"unknown helm profile":     {set("values.profile=dem"), `values.profile: the charts know no "dem"`, `"demo"`},
		"not a boolean":            {set("components.pilot.enabled=yes"), `the text "yes", where a boolean is wanted`, ""},
		"not a number":             {set("components.pilot.k8s.replicaCount=two"), `the text "two", where a number is wanted`, ""},
		"not a quantity":           {set("components.pilot.k8s.resources.requests.cpu=ten"), "reading components.pilot.k8s: quantities", ""},
		"key below a boolean":      {set("components.pilot.enabled.x=1"), "is a boolean and has no keys", ""},
		"index into a map":         {set("components.pilot[0].enabled=true"), "components.pilot is a map, not a list", ""},
		"no such element":          {set("components.ingressGateways[name:x].enabled=true"), "no element [name:x]", ""},
		"duration":                 {set("meshConfig.defaultConfig.drainDuration=10x"), "checking meshConfig: invalid", "istio.io"},
		"hub":                      {set("hub=https://quay.io/x"), `"https://quay.io/x" is not an image registry`, Hub},
		"tag":                      {set("tag=a:b"), `"a:b" is not an image tag`, Version},
		"component tag":            {set("components.pilot.tag=a b"), "components.pilot.tag", Version},
		"revision":                 {Inputs{Revision: "1.31"}, `"1.31" is not a DNS label`, "1-31-1"},
		"namespace":                {set("values.global.istioNamespace=A_B"), `"A_B" is not a DNS label`, ""},
		"component namespace":      {set("components.cni.namespace=A_B"), "components.cni.namespace", ""},
		"ports":                    {set("values.global.proxy.excludeInboundPorts=80,http"), `"http" does not belong there`, "commas"},
		"ranges":                   {set("values.global.proxy.includeIPRanges=10.0.0.0"), `"10.0.0.0" does not belong there`, "commas"},
		"root port":                {set("components.ingressGateways[0].k8s.service.ports[0].port=80"), "port 80 of components.ingressGateways[0]", "runAsRoot"},
		"two gateways, one name":   {set("components.ingressGateways[1].name=istio-ingressgateway"), "istio-system/istio-ingressgateway too", "name of its own"},
		"manifests directory":      {Inputs{ManifestsDir: "/nonexistent"}, "no directory charts in /nonexistent", "Istio release"},
		"not YAML":                 {doc("a: b: c\n  - d"), "in.yaml: it is not valid YAML: mapping values", "IstioOperator"},
		"binary":                   {doc("\x00\x01\x02"), "in.yaml: it is not valid YAML", "IstioOperator"},
		"a list":                   {doc("- a\n- b"), "in.yaml: it holds a list", "IstioOperator"},
		"a long text":              {doc(strings.Repeat("word ", 50)), `in.yaml: it holds the text "word word word word word word word word …", not`, "IstioOperator"},
		"another kind":             {doc("apiVersion: apps/v1\nkind: Deployment"), "its kind is Deployment", "IstioOperator"},
		"another version":          {doc("apiVersion: v1\nkind: IstioOperator"), "its apiVersion is v1", ""},
		"a values file":            {doc("pilot: {autoscaleMin: 2}"), `unknown key "pilot"`, "spec.values"},
		"a key twice":              {doc("spec:\n  hub: a\n  hub: b"), `line 3: key "hub" already set`, ""},
		"two documents":            {doc("spec: {}\n---\nspec: {}"), "2 documents", "-f for each"},
		"a fraction as a tag":      {doc("spec: {tag: 1.10}"), "spec.tag is the number 1.1, where a text is wanted", "quotes"},
		"a fraction in values":     {doc("spec: {values: {global: {tag: 1.10}}}"), "spec.values.global.tag is the number 1.1", "quotes"},
		"typo, by its line":        {doc("spec:\n  components:\n    ingressGateways:\n    - name: a\n    - name: b\n      k8s: {}\n      lable: {}\n"), `reading in.yaml:7: unknown key "spec.components.ingressGateways[1].lable"`, `"label"`},
		"top key, by its line":     {doc("kind: IstioOperator\nspecs: {}"), `reading in.yaml:2: unknown key "specs"`, `"spec"`},
		"key with dots, by line":   {doc("spec:\n  components:\n    pilot:\n      k8s:\n        podAnnotations:\n          a.b/c: x\n          a.b/d: 1.10\n"), `reading in.yaml:7: spec.components.pilot.k8s.podAnnotations.a.b/d is the number 1.1`, "quotes"},
		"mesh config, by its line": {doc("spec:\n  meshConfig:\n    defaultConfig:\n      tracng: {}\n"), `reading in.yaml:4: unknown key "spec.meshConfig.defaultConfig.tracng"`, `"tracing"`},
		"overlay, by its line":     {doc("spec:\n  components:\n    pilot:\n      k8s:\n        overlays:\n        - kind: Deployment\n          patch: []\n"), `reading in.yaml:7: unknown key "spec.components.pilot.k8s.overlays[0].patch"`, `"patches"`},
		"element by its text":      {set("components.ingressGateways[x].enabled=true"), "[:x] is neither an index nor [key:value]", "[0]"},
		"resource scope":           {set("values.global.resourceScope=clustr"), `values.global.resourceScope: there is no "clustr"`, `"cluster"`},
		"tracer":                   {set("values.global.proxy.tracer=zipkn"), `values.global.proxy.tracer: there is no "zipkn"`, `"zipkin"`},
		"replicas below zero":      {set("components.pilot.k8s.replicaCount=-1"), "components.pilot.k8s.replicaCount: -1 is below zero", ""},
		"ingress port":             {doc("spec: {values: {gateways: {istio-ingressgateway: {ingressPorts: [{port: 8080}, {port: 443}]}}}}"), "ingressPorts[1]: its target port 443 is below 1024", "targetPort"},
		"a boolean in values":      {doc(`spec: {values: {global: {logAsJson: "maybe"}}}`), `spec.values.global.logAsJson is the text "maybe", where a boolean is wanted`, ""},
		"secrets as objects":       {doc("spec: {values: {global: {imagePullSecrets: [{name: x}]}}}"), "imagePullSecrets[0] is a map, where a text is wanted", ""},
		"a toleration in values":   {doc("spec: {values: {pilot: {tolerations: [{keey: a}]}}}"), `tolerations[0].keey"`, `"key"`},
		"typo in a file":           {doc("spec: {components: {pilot: {k8s: {podAnotations: {}}}}}"), "podAnotations", `"podAnnotations"`},
		"typo in values of a file": {doc("spec: {values: {pilot: {autoscaleMn: 1}}}"), `"spec.values.pilot.autoscaleMn"`, `"autoscaleMin"`},
		"a map for a list":         {doc("spec: {components: {ingressGateways: {name: x}}}"), "is a map, where a list is wanted", ""},
		"a scalar for a map":       {doc("spec: {values: {pilot: 3}}"), "spec.values.pilot is the number 3, where a map is wanted", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Resolve(tt.in)
			if err == nil {
				t.Fatal("no error")
			}
			if hint.ClassOf(err) != hint.Usage {
				t.Errorf("class = %v, want usage", hint.ClassOf(err))
			}
			if !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error = %s\nwant part: %s", err, tt.text)
			}
			if !strings.Contains(hint.Of(err), tt.hint) {
				t.Errorf("hint = %s\nwant part: %s", hint.Of(err), tt.hint)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error has several lines: %q", err)
			}
		})
	}
}

func TestReadFiles(t *testing.T) {
	t.Parallel()
	files, err := ReadFiles([]string{"testdata/objects/demo.txt", "-"}, strings.NewReader("spec: {}"))
	if err != nil || len(files) != 2 || files[1].Name != "standard input" || string(files[1].Data) != "spec: {}" {
		t.Errorf("files = %v, %v", files, err)
	}
	for _, bad := range [][]string{{"testdata/none.yaml"}, {"testdata"}, {"-", "testdata/objects/demo.txt"}} {
		_, err := ReadFiles(bad, strings.NewReader(""))
		if err == nil || hint.ClassOf(err) != hint.Usage || hint.Of(err) == "" {
			t.Errorf("%v: %v", bad, err)
		}
	}
	_, err = ReadFiles([]string{"-"}, failingReader{})
	if !errors.Is(err, errFailing) {
		t.Errorf("error = %v", err)
	}
}

var errFailing = errors.New("it failed")

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errFailing }
