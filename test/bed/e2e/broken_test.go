package e2e

import (
	"testing"

	"github.com/meshctl/meshctl/test/bed"
)

// TestInstallSaysWhy installs on a cluster that is broken in each way, and
// reads in the error what is broken, where, and what to do.
func TestInstallSaysWhy(t *testing.T) {
	t.Parallel()
	b, err := bed.Start(t.Context(), bed.Options{NoEnvoy: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Down)
	m := meshctl{binary: build(t), kubeconfig: b.Kubeconfig(), home: t.TempDir()}
	for _, c := range []struct {
		mode bed.Mode
		says []string
	}{
		{bed.NodesNotReady, []string{"Deployment istio-system/istiod", "Unschedulable", "hint: "}},
		{bed.ImagePull, []string{"Deployment istio-system/istiod", "docker.io/istio/pilot:1.31.1", "hint: "}},
		{bed.Quota, []string{"Deployment istio-system/istiod", "exceeded quota", "hint: "}},
		{bed.Webhook, []string{"istiod", "denied the request", "hint: "}},
	} {
		t.Run(string(c.mode), func(t *testing.T) {
			if err := b.Break(t.Context(), c.mode); err != nil {
				t.Fatal(err)
			}
			r := m.want(t, 1, "install", "--profile", "minimal", "-y", "--timeout", "10s")
			contains(t, "stderr", r.stderr, c.says...)
			if err := b.Mend(t.Context(), c.mode); err != nil {
				t.Fatal(err)
			}
			m.want(t, 0, "uninstall", "--purge", "-y")
		})
	}
	// What was interrupted is finished by running the same command again.
	m.want(t, 0, "install", "--profile", "minimal", "-y")
}
