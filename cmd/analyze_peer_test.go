package cmd

import (
	"testing"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks"
)

func TestPeerAnalyzersAreChecks(t *testing.T) {
	t.Parallel()
	for name := range peerAnalyzers() {
		words := ofPeerAnalyzers([]string{name})
		if _, unknown := analyze.Select(checks.Known(), words, nil); unknown != "" || len(words) == 0 {
			t.Errorf("%s is %q, and there is no check %q", name, words, unknown)
		}
	}
}
