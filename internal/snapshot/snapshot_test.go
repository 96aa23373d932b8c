package snapshot

import (
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// object reads an object from YAML.
func object(t *testing.T, text string) *mesh.Object {
	t.Helper()
	var raw map[string]any
	if err := yaml.Unmarshal([]byte(text), &raw); err != nil {
		t.Fatal(err)
	}
	kind, ok := mesh.KindOf(raw["apiVersion"].(string), raw["kind"].(string))
	if !ok {
		kind = mesh.ForeignKind(raw["apiVersion"].(string), raw["kind"].(string))
	}
	return mesh.NewObject(kind, raw, mesh.Origin{Cluster: "east"})
}

func written(t *testing.T, s *Snapshot) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := Write(&file, s); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func mesh1(t *testing.T) *Snapshot {
	t.Helper()
	east := mesh.Cluster{
		Name: "east", Read: []mesh.Kind{mesh.Service, mesh.KubernetesGateway},
		ReadIn:  map[mesh.Kind][]string{mesh.ConfigMap: {"istio-system"}},
		Skipped: []mesh.Skip{{Kind: mesh.Node, Reason: "forbidden: no"}},
	}
	for i := range 3000 { // more than one part
		east.Objects = append(east.Objects, object(t, "{apiVersion: v1, kind: Service, metadata: {name: s"+strings.Repeat("x", i%400)+", namespace: n"+string(rune('a'+i%26))+
			", annotations: {note: "+strings.Repeat("y", 500)+"}}, spec: {ports: [{port: 80, name: http}]}}"))
	}
	east.Objects = append(east.Objects, object(t, "{apiVersion: argoproj.io/v1alpha1, kind: Rollout, metadata: {name: r, namespace: n}, spec: {weight: 1.5}}"))
	return &Snapshot{
		Taken: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), By: "1.0.0", IstioNamespace: "mesh",
		Clusters: []mesh.Cluster{east, {Name: "west", ReadIn: map[mesh.Kind][]string{}}}, Missing: []Missing{{"south", "no answer"}},
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	s := mesh1(t)
	path := filepath.Join(t.TempDir(), "mesh.snapshot")
	if err := Save(path, s); err != nil {
		t.Fatal(err)
	}
	got, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	refs := func(s *Snapshot) map[mesh.Ref]int {
		n := map[mesh.Ref]int{}
		for _, o := range s.Clusters[0].Objects {
			n[o.Ref]++
		}
		return n
	}
	if diff := cmp.Diff(refs(s), refs(got), cmp.AllowUnexported(mesh.Kind{})); diff != "" {
		t.Errorf("objects (-saved +read):\n%s", diff)
	}
	for _, o := range got.Clusters[0].Objects {
		if o.Kind == mesh.Service {
			ports := o.Field("spec", "ports").([]any)
			if port := ports[0].(map[string]any)["port"]; port != int64(80) || o.Origin.Cluster != "east" {
				t.Errorf("port %T %v of cluster %q", port, port, o.Origin.Cluster)
			}
			break
		}
	}
	for i := range s.Clusters {
		s.Clusters[i].Objects, got.Clusters[i].Objects = nil, nil
	}
	if diff := cmp.Diff(s, got, cmp.AllowUnexported(mesh.Kind{})); diff != "" {
		t.Errorf("(-saved +read):\n%s", diff)
	}
}

func TestEveryCutIsAnError(t *testing.T) {
	t.Parallel()
	small := mesh1(t)
	small.Clusters[0].Objects = small.Clusters[0].Objects[:20]
	file := written(t, small)
	for n := 0; n < len(file); n += 1 + len(file)/60 {
		if _, err := Read(bytes.NewReader(file[:n])); err == nil {
			t.Fatalf("the first %d of %d bytes are read as a whole snapshot", n, len(file))
		}
	}
	broken := bytes.Clone(file)
	broken[len(broken)-6] ^= 1 // in the checksum
	if _, err := Read(bytes.NewReader(broken)); err == nil {
		t.Error("a wrong checksum is not noticed")
	}
}

func TestForeignFiles(t *testing.T) {
	t.Parallel()
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, _ = w.Write([]byte("something else"))
	_ = w.Close()
	for name, text := range map[string]string{"empty": "", "text": "apiVersion: v1\n", "gzip": zipped.String()} {
		if _, err := Read(strings.NewReader(text)); err != errForeign { //nolint:errorlint
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open(t.TempDir()); hint.ClassOf(err) != hint.Unanswerable {
		t.Errorf("a directory: %v", err)
	}
	if err := Save(filepath.Join(t.TempDir(), "no", "where"), &Snapshot{}); err == nil {
		t.Error("saved into a directory that is not there")
	}
}

// pair is a certificate and its key.
func pair(t *testing.T) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text})
}

func TestSecretsKeepTheirCertificates(t *testing.T) {
	t.Parallel()
	cert, key := pair(t)
	_, other := pair(t)
	secret := func(key []byte) map[string]any {
		raw := redacted(mesh.NewObject(mesh.Secret, map[string]any{
			"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "c", "namespace": "n"},
			"data": map[string]any{
				"tls.crt": base64.StdEncoding.EncodeToString(cert), "tls.key": base64.StdEncoding.EncodeToString(key), "password": "czNjcjN0",
			},
		}, mesh.Origin{}), map[string]string{})
		return raw["data"].(map[string]any)
	}
	data := secret(key)
	value := func(name string) []byte {
		b, _ := base64.StdEncoding.DecodeString(data[name].(string))
		return b
	}
	if !bytes.Equal(value("tls.crt"), cert) || !mesh.IsRedactedKey(value("tls.key")) || string(value("password")) != mesh.RedactedValue {
		t.Errorf("%s", data)
	}
	data = secret(other)
	if mesh.IsRedactedKey(value("tls.key")) || bytes.Contains(value("tls.key"), []byte("PRIVATE")) {
		t.Errorf("a key that is another certificate's: %s", value("tls.key"))
	}
}

func TestRedacted(t *testing.T) {
	t.Parallel()
	s := &Snapshot{Clusters: []mesh.Cluster{{Name: "c", Objects: []*mesh.Object{
		object(t, `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: cart
  namespace: shop
  managedFields: [{manager: s3cr3t}]
  annotations: {kubectl.kubernetes.io/last-applied-configuration: s3cr3t, keep: keep-1}
spec:
  template:
    spec:
      containers:
      - name: cart
        args: [--password=s3cr3t-a, --token-path=/keep-2, --port=8080]
        env:
        - {name: API_KEY, value: s3cr3t-b}
        - {name: DB, value: "postgres://shop:s3cr3t@db/shop"}
        - {name: USE_TOKEN, value: "true"}
        - {name: TOKEN, valueFrom: {secretKeyRef: {name: keep-3, key: token}}}
        livenessProbe: {httpGet: {httpHeaders: [{name: Authorization, value: s3cr3t}]}}`),
		object(t, `
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {name: auth, namespace: shop}
spec: {url: "oci://keep-4", imagePullSecret: keep-5, pluginConfig: {oidc: {client_secret: s3cr3t, client_id: keep-6}}}`),
		object(t, `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: jwt, namespace: shop}
spec: {jwtRules: [{issuer: keep-7, jwks: '{"keys":[{"kty":"RSA","n":"keep-8","d":"s3cr3t"}]}'}]}`),
		object(t, `
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: "defaultConfig:\n  tracing:\n    lightstep:\n      accessToken: s3cr3t\n      address: keep-9\n"
  values: '{"a": {"accessToken": "s3cr3t", "b": "keep-10"}}'`),
		object(t, `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: v, namespace: shop}
spec: {http: [{match: [{headers: {authorization: {exact: Bearer s3cr3t-s3cr3t-1}}}, {headers: {authorization: {exact: Bearer s3cr3t-s3cr3t-2}}}]}]}`),
		object(t, `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: rollouts.argoproj.io}
spec: {group: argoproj.io, names: {kind: keep-11}, versions: [{name: v1, schema: {x: dropped}}]}`),
	}}}}
	zip, err := gzip.NewReader(bytes.NewReader(written(t, s)))
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{"s3cr3t", "dropped", "managedFields"} {
		if i := bytes.Index(all, []byte(gone)); i >= 0 {
			t.Errorf("%s is in the file: ...%s", gone, all[max(i-60, 0):i+10])
		}
	}
	for _, kept := range []string{"keep-1", "keep-2", "keep-3", "keep-4", "keep-5", "keep-6", "keep-7", "keep-8", "keep-9", "keep-10", "keep-11", "8080", `"true"`} {
		if !bytes.Contains(all, []byte(kept)) {
			t.Errorf("%s is not in the file", kept)
		}
	}
	read, err := Read(bytes.NewReader(written(t, s)))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range read.Clusters[0].Objects {
		if o.Kind != mesh.VirtualService {
			continue
		}
		vs := mesh.New([]*mesh.Object{o}, mesh.Options{}).VirtualServices()[0].Spec
		first, second := vs.Http[0].Match[0].String(), vs.Http[0].Match[1].String()
		if first == second {
			t.Error("two secrets look the same afterwards")
		}
	}
}
