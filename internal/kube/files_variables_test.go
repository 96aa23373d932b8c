package kube

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Files of Flux have variables that are filled in when they are applied. What
// has its own use for such text is read as it stands.
func TestVariablesThatNobodyFilledIn(t *testing.T) {
	t.Parallel()
	const route = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: shop}\nspec:\n  hosts: ["
	for _, c := range []struct{ name, text, variable string }{
		{"host", route + "\"shop.${DOMAIN}\"]\n", "${DOMAIN}"},
		{"default", route + "'${HOST:=shop.example.com}']\n", "${HOST:=shop.example.com}"},
		{"namespace", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: cart, namespace: \"${TEAM}\"}\n", "${TEAM}"},
		{"name of a kind unknown here", "apiVersion: example.com/v1\nkind: Queue\nmetadata: {name: \"${TEAM}-orders\"}\n", "${TEAM}"},
		{"no variable", route + "shop.example.com]\n", ""},
		{"only in a comment", route + "shop.example.com] # not ${DOMAIN}\n", ""},
		{"only in an annotation", "apiVersion: v1\nkind: Service\nmetadata: {name: cart, annotations: {note: \"${DOMAIN}\"}}\n", ""},
		{"regex", route + "shop.example.com]\n  http: [{match: [{uri: {regex: \"^/item${1}$\"}}]}]\n", ""},
		{"shell", "apiVersion: v1\nkind: Pod\nmetadata: {name: job}\nspec: {containers: [{name: a, image: b, args: [\"echo ${HOME}\"]}]}\n", ""},
		{"script", "apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: {name: lua}\nspec: {configPatches: [{patch: {value: {code: \"${a}\"}}}]}\n", ""},
	} {
		files := readText(t, "apps.yaml", serviceS+"---\n"+c.text)
		switch {
		case c.variable == "" && (len(files.Objects) != 2 || len(files.Skipped) != 0):
			t.Errorf("%s: %d objects, passed over %v", c.name, len(files.Objects), files.Skipped)
		case c.variable != "" && (len(files.Objects) != 1 || len(files.Skipped) != 1 || !strings.Contains(files.Skipped[0].Reason, "such as "+c.variable+",")):
			t.Errorf("%s: %d objects, passed over %v", c.name, len(files.Objects), files.Skipped)
		}
		if len(files.Broken) > 0 {
			t.Errorf("%s: broken %v", c.name, files.Broken)
		}
	}
}

// What is passed over for its variables may hold what others refer to.
func TestADocumentWithVariablesMayHoldWhatIsMissing(t *testing.T) {
	t.Parallel()
	files := readText(t, "apps.yaml", serviceS+"---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: public}\nspec: {servers: [{hosts: [\"*.${DOMAIN}\"]}]}\n")
	var at []string
	for _, u := range files.Unreadable() {
		if u.MayBe([]string{"public"}) {
			at = append(at, u.Position.String())
		}
	}
	if len(at) != 1 {
		t.Errorf("the Gateway may be at %v", at)
	}
}

func TestWhereADocumentIsWrong(t *testing.T) {
	t.Parallel()
	const head = "apiVersion: v1\nkind: Service\n"
	for _, c := range []struct{ name, text, want string }{
		{"indented less", head + "metadata:\n  name: cart\nspec:\n  ports:\n    - port: 80\n      name: http\n  - port: 90\n", "cart.yaml:9:3 it is not valid YAML: did not find expected key"},
		{"merge", head + "metadata:\n  name: cart\nspec:\n<<<<<<< HEAD\n  type: NodePort\n=======\n  type: ClusterIP\n>>>>>>> next\n", "cart.yaml:6:1 it has an unresolved merge conflict"},
		{"letters", head + "Metadata:\n  name: cart\n", `cart.yaml:3:1 the object has "Metadata" instead of "metadata"`},
	} {
		var got []string
		for _, b := range readText(t, "cart.yaml", c.text).Broken {
			got = append(got, b.Position.String()+" "+b.Reason)
		}
		if !cmp.Equal(got, []string{c.want}) {
			t.Errorf("%s: got %q\nwant %q", c.name, got, c.want)
		}
	}
}
