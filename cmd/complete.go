package cmd

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// completionTimeout is how long a Tab may wait for the cluster.
const completionTimeout = 2 * time.Second

// completeGlobals completes the values of the flags that every command has.
func (f *Factory) completeGlobals(root *cobra.Command) {
	_ = root.RegisterFlagCompletionFunc("namespace", f.completeNamespaces)
	_ = root.RegisterFlagCompletionFunc("istio-namespace", f.completeNamespaces)
	_ = root.RegisterFlagCompletionFunc("context", f.completeContexts)
}

// addCompletionExamples gives cobra's own completion commands what all others have.
func addCompletionExamples(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "completion":
			c.Example = "  # Tab completes commands, flags, pods and namespaces in this shell\n  source <(meshctl completion bash)"
			for _, shell := range c.Commands() {
				shell.Example = "  meshctl completion " + shell.Name() + " > meshctl." + shell.Name()
			}
		case "help":
			c.Example = "  meshctl help proxy-config cluster"
		}
	}
}

// completeNamespaces are the namespaces of the cluster; none when it does not
// answer: a Tab never prints an error.
func (f *Factory) completeNamespaces(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(c.Context(), completionTimeout)
	defer cancel()
	client, err := f.Client()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	k, err := client.Kubernetes()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	list, err := k.CoreV1().Namespaces().List(ctx, metav1.ListOptions{Limit: 500})
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, ns := range list.Items {
		names = append(names, ns.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeContexts are the contexts of the kubeconfig.
func (f *Factory) completeContexts(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	raw, err := f.kubeFlags.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for name := range raw.Contexts {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, cobra.ShellCompDirectiveNoFileComp
}
