package kube

import (
	"fmt"
	"strings"
	"testing"
)

// A long object with thousands of findings is not parsed anew for each.
func TestLongTextsAreParsedOnceForTheirPlaces(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: many}\nspec:\n  hosts:\n")
	for i := range 2000 {
		fmt.Fprintf(&b, "  - h%d.example.com\n", i)
	}
	o := readText(t, "a.yaml", b.String()).Objects[0]
	d := o.Origin.Locator.(*locator).document
	for i := range 2000 {
		if at := o.At("spec.hosts[%d]", i).Position(); at.Line != 6+i || at.Column != 5 {
			t.Fatalf("host %d stands at %s", i, at)
		}
	}
	first, err := d.nodes()
	if again, _ := d.nodes(); err != nil || first != again {
		t.Errorf("the text is parsed again: %v", err)
	}
}
