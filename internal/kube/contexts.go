package kube

import (
	"maps"
	"slices"
	"time"

	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/meshctl/meshctl/internal/hint"
)

// NewContextClient is a client for another context of the kubeconfig that the
// flags name, with the same identity to impersonate; see [NewClient].
func NewContextClient(flags *genericclioptions.ConfigFlags, context string, timeout time.Duration) (*Client, error) {
	own := genericclioptions.NewConfigFlags(true)
	own.KubeConfig, own.Namespace = flags.KubeConfig, flags.Namespace
	own.Impersonate, own.ImpersonateUID, own.ImpersonateGroup = flags.Impersonate, flags.ImpersonateUID, flags.ImpersonateGroup
	own.Context = &context
	raw, err := own.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return nil, hint.Unanswerablef("check the file, or name another with --kubeconfig", "reading the kubeconfig: %w", err)
	}
	if raw.Contexts[context] == nil {
		next := hint.DidYouMean(context, slices.Collect(maps.Keys(raw.Contexts)))
		if next == "" {
			next = "`kubectl config get-contexts` lists them"
		}
		return nil, hint.Usagef(next, "the kubeconfig has no context %q", context)
	}
	c := NewClient(own, timeout)
	c.name = context
	return c, nil
}
