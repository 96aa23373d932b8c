package cmd

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/kube"
)

// completePods completes arguments that each name a pod or a workload.
func (f *Factory) completePods(c *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	return f.completePod(c, nil, typed)
}

// completePod completes the one argument that names a pod or a workload:
// names of pods first, and of workloads after "deploy/" and its like.
func (f *Factory) completePod(c *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	client, err := f.Client()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	namespace, err := f.Namespace()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(c.Context(), completionTimeout)
	defer cancel()
	if kind, _, ok := strings.Cut(typed, "/"); ok {
		return prefixed(kind+"/", client.WorkloadNames(ctx, kind, namespace)), cobra.ShellCompDirectiveNoFileComp
	}
	names := client.WorkloadNames(ctx, "pod", namespace)
	for _, kind := range kube.WorkloadKinds() {
		if strings.HasPrefix(kind, typed) {
			names = append(names, kind+"/")
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

func prefixed(prefix string, names []string) []string {
	out := make([]string, 0, len(names))
	for _, n := range names {
		out = append(out, prefix+n)
	}
	return out
}
