package cmd

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

// podsFlags name any number of pods and how to reach their Envoys.
type podsFlags struct {
	f             *Factory
	selector      string
	allNamespaces bool
	adminPort     int
	timeout       time.Duration
}

// add registers the flags, and completes and checks the arguments.
func (o *podsFlags) add(c *cobra.Command) {
	c.Flags().StringVarP(&o.selector, "selector", "l", "", "all pods with these labels, such as app=reviews")
	c.Flags().BoolVarP(&o.allNamespaces, "all-namespaces", "A", false, "with --selector: pods of all namespaces")
	c.Flags().IntVar(&o.adminPort, "proxy-admin-port", 15000, "port of Envoy's admin interface in the pods")
	c.Flags().DurationVar(&o.timeout, "timeout", 15*time.Second, "longest wait for one proxy")
	c.ValidArgsFunction = o.f.completePod
	c.Args = func(c *cobra.Command, args []string) error {
		switch {
		case len(args) == 0 && o.selector == "":
			return hint.Usagef("name a pod, such as "+c.CommandPath()+" deploy/NAME, or several with --selector", "%s needs a pod", c.CommandPath())
		case len(args) > 0 && o.selector != "":
			return hint.Usagef("leave one of them out", "%s takes pods or --selector, not both", c.CommandPath())
		case o.allNamespaces && o.selector == "":
			return hint.Usagef("name a pod of another namespace as POD.NAMESPACE", "--all-namespaces needs --selector")
		}
		return nil
	}
}

// pods are the pods that args name, all of each, or those that the selector matches.
func (o *podsFlags) pods(ctx context.Context, client *kube.Client, args []string) ([]*corev1.Pod, error) {
	namespace, err := o.f.Namespace()
	if err != nil {
		return nil, err
	}
	if o.allNamespaces {
		namespace = ""
	}
	if o.selector != "" {
		pods, err := client.PodsBySelector(ctx, namespace, o.selector)
		if err == nil && len(pods) == 0 {
			err = hint.Unanswerablef("`kubectl get pods --show-labels` shows the labels; another namespace is named with -n, all with -A", "no pod has the labels %s", o.selector)
		}
		return pods, err
	}
	var all []*corev1.Pod
	seen := map[string]bool{}
	for _, arg := range args {
		pods, err := client.FindPods(ctx, arg, namespace)
		if err != nil {
			return nil, err
		}
		for _, p := range pods {
			if key := p.Namespace + "/" + p.Name; !seen[key] {
				seen[key] = true
				all = append(all, p)
			}
		}
	}
	return all, nil
}

// admins are the admin interfaces of the pods that args and flags name; done
// ends the connections to them.
func (o *podsFlags) admins(ctx context.Context, args []string) (all []proxyconfig.AdminProxy, done func(), err error) {
	client, err := o.f.Client()
	if err != nil {
		return nil, nil, err
	}
	pods, err := o.pods(ctx, client, args)
	if err != nil {
		return nil, nil, err
	}
	var admins []*podAdmin
	for _, p := range pods {
		a := &podAdmin{client: client, pod: p, port: o.adminPort}
		admins = append(admins, a)
		all = append(all, proxyconfig.AdminProxy{Name: p.Name + "." + p.Namespace, Admin: a})
	}
	return all, func() {
		for _, a := range admins {
			if a.tunnel != nil {
				_ = a.tunnel.Close()
			}
		}
	}, nil
}

// podAdmin is the admin interface of a pod's Envoy, over one tunnel for all requests.
type podAdmin struct {
	client *kube.Client
	pod    *corev1.Pod
	port   int
	tunnel *kube.Tunnel
}

// Get reads an admin path.
func (a *podAdmin) Get(ctx context.Context, path string) (io.ReadCloser, error) {
	return a.request(ctx, path, (*kube.Tunnel).Get)
}

// Post sends an empty POST request.
func (a *podAdmin) Post(ctx context.Context, path string) (io.ReadCloser, error) {
	return a.request(ctx, path, (*kube.Tunnel).Post)
}

func (a *podAdmin) request(ctx context.Context, path string, send func(*kube.Tunnel, context.Context, int, string) (io.ReadCloser, error)) (io.ReadCloser, error) {
	if err := kube.MustRun(a.pod); err != nil {
		return nil, err
	}
	body, err := a.try(ctx, path, send)
	if err != nil && ctx.Err() == nil && !kube.HasProxy(a.pod) {
		absent := noProxy(a.pod)
		return nil, hint.Unanswerablef(hint.Of(absent), "%w", absent)
	}
	return body, err
}

func (a *podAdmin) try(ctx context.Context, path string, send func(*kube.Tunnel, context.Context, int, string) (io.ReadCloser, error)) (io.ReadCloser, error) {
	if a.tunnel == nil {
		var err error
		if a.tunnel, err = a.client.Tunnel(ctx, a.pod.Namespace, a.pod.Name); err != nil {
			return nil, err
		}
	}
	return send(a.tunnel, ctx, a.port, path)
}
