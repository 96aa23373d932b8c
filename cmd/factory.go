package cmd

import (
	"fmt"
	"sync"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/ui"
)

// Factory has what commands depend on. What costs something is a function,
// made on first call.
type Factory struct {
	IO      *ui.IO
	Browser ui.Browser
	// Now is the clock.
	Now func() time.Time
	// Client is the cluster that the global flags name.
	Client func() (*kube.Client, error)

	kubeFlags      *genericclioptions.ConfigFlags
	istioNamespace string
	requestTimeout time.Duration
	noColor        bool
	saved          *savedMeshes
}

// newFactory makes the factory of the real program around its streams.
func newFactory(io *ui.IO) *Factory {
	f := &Factory{IO: io, Browser: ui.SystemBrowser{}, Now: time.Now, kubeFlags: kubeFlags(), saved: &savedMeshes{}}
	f.Client = sync.OnceValues(func() (*kube.Client, error) {
		if name := *f.kubeFlags.Context; name != "" {
			return f.ContextClient(name)
		}
		return kube.NewClient(f.kubeFlags, f.requestTimeout), nil
	})
	return f
}

// ContextClient is the cluster of another context, otherwise as the global
// flags say.
func (f *Factory) ContextClient(context string) (*kube.Client, error) {
	return kube.NewContextClient(f.kubeFlags, context, f.requestTimeout)
}

// kubeFlags are kubectl's flags that choose the cluster and the identity; the
// others stay out, because meshctl's commands have no use for them.
func kubeFlags() *genericclioptions.ConfigFlags {
	k := genericclioptions.NewConfigFlags(true)
	k.CacheDir, k.Insecure, k.TLSServerName, k.CAFile, k.CertFile, k.KeyFile = nil, nil, nil, nil, nil, nil
	k.BearerToken, k.APIServer, k.ClusterName, k.AuthInfoName, k.Timeout, k.DisableCompression = nil, nil, nil, nil, nil, nil
	k.Username, k.Password, k.ImpersonateUserExtra = nil, nil, nil
	k.Namespace, k.KubeConfig = ptr(""), ptr("")
	return k
}

func ptr[T any](v T) *T { return &v }

// addGlobalFlags registers the flags that every command has.
func (f *Factory) addGlobalFlags(fs *pflag.FlagSet) {
	k := f.kubeFlags
	fs.StringVarP(k.KubeConfig, "kubeconfig", "c", "", "path of the kubeconfig file")
	fs.StringVar(k.Context, "context", "", "context of the kubeconfig to use")
	fs.StringVarP(k.Namespace, "namespace", "n", "", "namespace to work in (default: the context's)")
	fs.StringVar(k.Impersonate, "as", "", "user to impersonate")
	fs.StringVar(k.ImpersonateUID, "as-uid", "", "UID to impersonate")
	fs.StringArrayVar(k.ImpersonateGroup, "as-group", nil, "group to impersonate; may be repeated")
	fs.StringVarP(&f.istioNamespace, "istio-namespace", "i", "istio-system", "namespace of the control plane")
	fs.DurationVar(&f.requestTimeout, "request-timeout", 15*time.Second, "longest wait for one answer of the API server")
	fs.BoolVarP(&f.IO.Quiet, "quiet", "q", false, "no progress on stderr; warnings and hints stay")
	fs.BoolVar(&f.noColor, "no-color", false, "no colour, as with NO_COLOR set")
	fs.SetNormalizeFunc(peerFlagNames)
}

// peerFlagNames accepts istioctl's spelling of global flags.
func peerFlagNames(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	switch name {
	case "istioNamespace":
		name = "istio-namespace"
	case "kubeclient-timeout":
		name = "request-timeout"
	}
	return pflag.NormalizedName(name)
}

// Namespace is the namespace of -n, else of the context, else "default".
func (f *Factory) Namespace() (string, error) {
	ns, _, err := f.kubeFlags.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return "", hint.Unanswerablef("check the file, or name another with --kubeconfig", "reading the kubeconfig: %w", err)
	}
	return ns, nil
}

// GivenNamespace is the value of -n, empty when it was not given.
func (f *Factory) GivenNamespace() string { return *f.kubeFlags.Namespace }

// IstioNamespace is the namespace of the control plane.
func (f *Factory) IstioNamespace() string { return f.istioNamespace }

// progress writes a line of progress to stderr unless --quiet.
func (f *Factory) progress(format string, args ...any) {
	if !f.IO.Quiet {
		fmt.Fprintf(f.IO.Err, format+"\n", args...)
	}
}
