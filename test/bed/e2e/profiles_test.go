package e2e

import (
	"testing"

	"github.com/meshctl/meshctl/test/bed"
)

// TestEveryProfile installs each profile on the same cluster and removes it:
// all of them get ready, a second run finds nothing to do, and nothing is left.
func TestEveryProfile(t *testing.T) {
	t.Parallel()
	b, m := onBed(t, bed.Options{NoEnvoy: true})
	r := m.want(t, 1, "install", "--profile", "openshift", "-y")
	contains(t, "stderr", r.stderr, "NetworkAttachmentDefinition", "does not know this kind", "hint: ", "needs that platform")
	applyText(t, b.REST(), networkAttachments)
	for _, profile := range []string{
		"default", "minimal", "external", "empty", "preview", "ambient", "stable", "openshift", "openshift-ambient",
	} { // demo is the main job
		t.Run(profile, func(t *testing.T) {
			m.want(t, 0, "install", "--profile", profile, "-y")
			r := m.want(t, 0, "install", "--profile", profile, "-y")
			if profile != "empty" {
				contains(t, "stderr", r.stderr, "0 to create, 0 to change")
			}
			r = m.want(t, 0, "uninstall", "--purge", "-y")
			if profile == "empty" {
				contains(t, "stdout", r.stdout, "nothing to uninstall")
			}
			r = m.want(t, 0, "uninstall", "--purge", "-y")
			contains(t, "stdout", r.stdout, "nothing to uninstall")
		})
	}
}

// networkAttachments is the kind that OpenShift has and a plain cluster lacks.
const networkAttachments = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: network-attachment-definitions.k8s.cni.cncf.io
spec:
  group: k8s.cni.cncf.io
  scope: Namespaced
  names: {kind: NetworkAttachmentDefinition, plural: network-attachment-definitions}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`
