package checks_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// falsePositives are findings of istioctl that users reported as wrong, by the
// number of the public issue, and what was wrong with them. Samples that made
// noise (28510) are [TestIstioSamplesAreClean].
var falsePositives = map[string]string{
	"60708": "a VirtualService bound to a Gateway of the Gateway API",
	"46597": "a ServiceEntry that is exported to one namespace",
	"39629": "a Service that is exported to another namespace",
	"40861": "a Gateway in a file without pods",
	"39634": "VirtualServices for one host that exportTo keeps apart",
	"51567": "TLS without caCertificates, verified with the system's authorities",
	"34653": "the hosts of a VirtualService and those of its Gateway",
	"56083": "a ServiceEntry without addresses where istiod allocates them",
	"52413": "Gateways of one port with other workloads",
	"54643": "Gateways of one port that istiod merges",
	"52082": "an annotation that the annotations' registry lacks",
	"46510": "a Telemetry without provider that needs none",
	"47964": "the image of a proxy that was chosen on purpose",
	"51257": "a Gateway's port that is a Service's target port",
	"57590": "subsets by topology labels, which no pod template carries",
	"59495": "an EnvoyFilter that replaces what Envoy can replace",
	"49379": "permissions that a ClusterRole aggregates, or that were granted otherwise",
	"58188": "a Sidecar in conflict with itself",
}

func TestReportedFalsePositivesHaveCases(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("*", "testdata", "*", "good*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	var texts strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts.Write(text)
	}
	all := texts.String()
	for number, what := range falsePositives {
		if !strings.Contains(all, number) {
			t.Errorf("no good case names issue %s: %s", number, what)
		}
	}
}
