package cmd

// Where commands get what Envoys run from. A dump is one proxy's
// configuration, named but not read yet. [Factory.podDumps] makes dumps of
// what a person calls a pod ("pod", "pod.ns", "deploy/x", "svc/x",
// "gateway/x") or FILE:POD in a saved snapshot, [Factory.selectedDumps] of a label selector and
// [Factory.fileDumps] of a file, stdin or a bug report. Finding is cheap; dump.open asks the
// pod for an admin path, such as proxyconfig.ClustersPath, and may be called
// again with another one. A file is what it is, whatever the path. dump.read
// opens, hands a proxyconfig.Source to a parser, and says so when the deadline
// passed.

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

// dump is one proxy's configuration, not read yet.
type dump struct {
	// name is POD.NAMESPACE, the path of a file, or stdin.
	name string
	// open asks for an admin path, such as proxyconfig.ClustersPath.
	open func(ctx context.Context, path string) (io.ReadCloser, error)
}

// dumpRead says how a dump is read.
type dumpRead struct {
	// path is what to ask a pod for.
	path string
	// timeout bounds the reading; 0 is no bound of its own.
	timeout time.Duration
	// keep keeps Envoy's own JSON of what is read.
	keep bool
}

// read opens the dump and hands it to parse.
func (d dump) read(ctx context.Context, how dumpRead, parse func(proxyconfig.Source) error) error {
	if how.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, how.timeout)
		defer cancel()
	}
	body, err := d.open(ctx, how.path)
	if err == nil {
		defer func() { _ = body.Close() }()
		err = parse(proxyconfig.Source{Name: d.name, Reader: body, KeepConfig: how.keep})
	}
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return hint.Unanswerablef("give it longer with --timeout", "reading the configuration of %s: it took longer than %s", d.name, how.timeout)
	}
	return err
}

// podDumps are the dumps of what arg names: one pod, of several a ready one;
// with all those of every pod that has not ended.
func (f *Factory) podDumps(ctx context.Context, arg string, adminPort int, all bool) ([]dump, error) {
	saved, pod, err := f.savedMesh(arg)
	if err != nil {
		return nil, err
	}
	if saved != nil {
		return saved.podDumps(pod, f.GivenNamespace(), pod != arg, all)
	}
	client, err := f.Client()
	if err != nil {
		return nil, err
	}
	namespace, err := f.Namespace()
	if err != nil {
		return nil, err
	}
	if all {
		pods, err := client.FindPods(ctx, arg, namespace)
		return dumpsOf(client, pods, adminPort), err
	}
	one, err := client.FindPod(ctx, arg, namespace)
	if err != nil {
		return nil, err
	}
	return dumpsOf(client, []*corev1.Pod{one}, adminPort), nil
}

// selectedDumps are the dumps of the pods of a namespace ("" is all) that a
// label selector matches and that have not ended.
func (f *Factory) selectedDumps(ctx context.Context, namespace, selector string, adminPort int) ([]dump, error) {
	saved, _, err := f.savedMesh("")
	switch {
	case err != nil:
		return nil, err
	case saved != nil && f.GivenNamespace() == "":
		return saved.selected("", selector)
	case saved != nil:
		return saved.selected(namespace, selector)
	}
	client, err := f.Client()
	if err != nil {
		return nil, err
	}
	pods, err := client.PodsBySelector(ctx, namespace, selector)
	if err != nil {
		return nil, err
	}
	if len(pods) == 0 {
		where := "any namespace"
		if namespace != "" {
			where = fmt.Sprintf("namespace %q", namespace)
		}
		return nil, hint.Unanswerablef("`kubectl get pods --show-labels` shows the labels; another namespace is named with -n, all with -A",
			"no pod in %s has the labels %s", where, selector)
	}
	return dumpsOf(client, pods, adminPort), nil
}

func dumpsOf(client *kube.Client, pods []*corev1.Pod, adminPort int) []dump {
	dumps := make([]dump, 0, len(pods))
	for _, pod := range pods {
		if ended := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed; ended && len(pods) > 1 {
			continue
		}
		dumps = append(dumps, dump{
			name: pod.Name + "." + pod.Namespace,
			open: func(ctx context.Context, path string) (io.ReadCloser, error) {
				return openPod(ctx, client, pod, adminPort, path)
			},
		})
	}
	return dumps
}

func openPod(ctx context.Context, client *kube.Client, pod *corev1.Pod, adminPort int, path string) (io.ReadCloser, error) {
	if err := kube.MustRun(pod); err != nil {
		return nil, err
	}
	get := func(ctx context.Context, path string) (io.ReadCloser, error) {
		return client.PodGet(ctx, pod.Namespace, pod.Name, adminPort, path)
	}
	body, err := wholeDump(ctx, get, path)
	var status *kube.StatusError
	if errors.As(err, &status) && status.Code == http.StatusBadRequest {
		// Envoy refuses a mask that fits no part of its configuration, such as
		// that of routes where it has none; the whole dump says so.
		body, err = wholeDump(ctx, get, proxyconfig.AllPath)
	}
	if err != nil && ctx.Err() == nil && !kube.HasProxy(pod) {
		absent := noProxy(pod)
		err = hint.Unanswerablef(hint.Of(absent), "%w", absent)
	}
	return body, err
}

// fileDumps are the dumps in a file; - is stdin. Of an archive, such as a bug
// report, these are those of the proxies named, or of the only one.
func (f *Factory) fileDumps(path string, proxies ...string) ([]dump, error) {
	if path == "-" {
		return []dump{{name: "stdin", open: func(context.Context, string) (io.ReadCloser, error) {
			return io.NopCloser(bufio.NewReader(f.IO.In)), nil
		}}}, nil
	}
	file, err := openFile(path)
	if err != nil {
		return nil, err
	}
	archive := proxyconfig.IsArchive(file)
	_ = file.Close()
	if archive {
		return archiveDumps(path, proxies)
	}
	if len(proxies) > 0 {
		return nil, hint.Usagef("leave one of them out; only of an archive, such as a bug report, a proxy can be chosen",
			"--file %s is the dump of one proxy: it cannot be read as that of %s", path, strings.Join(proxies, ", "))
	}
	return []dump{{name: path, open: func(context.Context, string) (io.ReadCloser, error) { return openFile(path) }}}, nil
}

func openFile(path string) (*os.File, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, hint.Unanswerablef("check the path; - reads stdin", "reading %s: there is no such file", path)
	case err != nil:
		return nil, hint.Unanswerablef("", "reading the dump: %w", err)
	case info.IsDir():
		return nil, hint.Unanswerablef("name a file in it", "reading %s: it is a directory", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, hint.Unanswerablef("", "reading the dump: %w", err)
	}
	return file, nil
}

// archiveDumps are the dumps of proxies in an archive.
func archiveDumps(path string, wanted []string) ([]dump, error) {
	file, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	there, err := proxyconfig.ArchivedProxies(path, file)
	if err != nil {
		return nil, err
	}
	if len(wanted) == 0 {
		if len(there) > 1 {
			return nil, hint.Usagef("name one of them, such as "+there[0], "%s has the dumps of %d proxies: %s", path, len(there), strings.Join(there, ", "))
		}
		wanted = there
	}
	dumps := make([]dump, 0, len(wanted))
	for _, arg := range wanted {
		proxy, found := archived(there, arg)
		if !found {
			next := hint.DidYouMean(arg, there)
			if _, isWorkload := archived(there, "deploy/"+arg); isWorkload {
				next = "did you mean deploy/" + arg + "?"
			} else if next == "" {
				next = "it has " + strings.Join(there, ", ")
			}
			return nil, hint.Unanswerablef(next, "%s has no dump of %q", path, arg)
		}
		dumps = append(dumps, dump{name: proxy, open: func(_ context.Context, adminPath string) (io.ReadCloser, error) {
			file, err := openFile(path)
			if err != nil {
				return nil, err
			}
			defer func() { _ = file.Close() }()
			r, err := proxyconfig.FromArchive(path, file, proxy, adminPath)
			if err != nil {
				return nil, err
			}
			return io.NopCloser(r), nil
		}})
	}
	return dumps, nil
}

// archived is the first of proxies that a person calls so: POD.NAMESPACE, POD,
// or TYPE/NAME, whose pods have its name in front.
func archived(proxies []string, arg string) (string, bool) {
	_, name, typed := strings.Cut(arg, "/")
	for _, p := range proxies {
		pod, _, _ := strings.Cut(p, ".")
		if p == arg || pod == arg || typed && (p == name || pod == name || strings.HasPrefix(p, name+"-")) {
			return p, true
		}
	}
	return "", false
}
