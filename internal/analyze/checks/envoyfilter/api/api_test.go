package api_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	_ "istio.io/istio/pkg/config/xds"

	"github.com/meshctl/meshctl/internal/analyze/checks/envoyfilter/api"
)

func TestLacking(t *testing.T) {
	t.Parallel()
	all := api.Lacking()
	want := map[string]api.Absence{
		"envoy.config.route.v3.RouteMatch.filter_state":                       {Last: 33, First: 35},
		"envoy.config.route.v3.RouteAction.path_rewrite":                      {Last: 36, First: 37},
		"envoy.extensions.filters.http.transform.v3.TransformConfig":          {Last: 36, First: 37},
		"envoy.extensions.filters.http.transform.v3.TransformConfig.anything": {},
		"envoy.config.cluster.v3.Cluster.connect_timeout":                     {},
	}
	for name, absence := range want {
		if all[name] != absence {
			t.Errorf("Lacking()[%q] = %v, want %v", name, all[name], absence)
		}
	}
	last := 0
	for name, absence := range all {
		last = max(last, absence.First)
		if _, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name)); err != nil && linked(name) {
			t.Errorf("%s is in no release: %v", name, err)
		}
	}
	if last != 40 {
		t.Errorf("the last release is 1.%d, want 1.40: run go generate when the module is newer", last)
	}
}

// linked says whether the file of a name's message is in the program.
func linked(name string) bool {
	_, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name).Parent())
	return err == nil
}

func TestReplaced(t *testing.T) {
	t.Parallel()
	for name, advice := range api.Replaced() {
		d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
		if err != nil {
			t.Error(err)
			continue
		}
		if !d.Options().(*descriptorpb.FieldOptions).GetDeprecated() {
			t.Errorf("%s is not deprecated", name)
		}
		field, _, _ := strings.Cut(strings.TrimPrefix(advice, "use "), " ")
		field, _, _ = strings.Cut(field, ".")
		sibling := d.Parent().FullName() + "." + protoreflect.FullName(field)
		if strings.HasPrefix(advice, "use ") && !strings.Contains(advice, " of ") {
			if _, err := protoregistry.GlobalFiles.FindDescriptorByName(sibling); err != nil {
				t.Errorf("%s: no field %s to take its place", name, sibling)
			}
		}
	}
}
