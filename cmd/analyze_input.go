package cmd

import (
	"context"
	"os"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/mesh"
)

// analyzeInput is what analyze looks at.
type analyzeInput struct {
	snapshot *mesh.Snapshot
	files    *kube.Files
	// namespaces are those to report on; nil is all.
	namespaces []string
	// tellMore says how to get a fuller answer.
	tellMore string
}

// load reads the files, the cluster, or both.
func (a *analyzeFlags) load(ctx context.Context, f *Factory, args []string, selected []*analyze.Check) (*analyzeInput, error) {
	in := &analyzeInput{files: &kube.Files{}, tellMore: "--use-kube reads the cluster, too; --complete says that the files are all there is"}
	if !a.useKube && len(args) == 0 {
		return nil, hint.Usagef("name files, directories or - for stdin, or leave out --use-kube=false", "nothing to analyze: no files, and no cluster")
	}
	options := mesh.Options{Complete: a.complete, IstioNamespace: f.IstioNamespace(), Revision: a.revision}
	if err := a.chooseNamespaces(f, in, len(args) > 0); err != nil {
		return nil, err
	}
	if len(args) > 0 {
		if err := a.readFiles(ctx, f, args, in); err != nil {
			return nil, err
		}
	}
	objects := slices.Clone(in.files.Objects)
	if a.useKube {
		live, err := a.readCluster(ctx, f, in, selected)
		if err != nil {
			return nil, err
		}
		options.Read, options.ReadIn, options.Skipped = live.Read, live.ReadIn, live.Skipped
		objects = append(live.Objects, objects...)
	}
	if a.meshConfig != "" {
		o, err := meshConfigFrom(a.meshConfig, options)
		if err != nil {
			return nil, err
		}
		objects = append(objects, o)
	}
	in.snapshot = mesh.New(objects, options)
	return in, nil
}

// chooseNamespaces sets which namespaces to report on: those asked for; of
// files all, unless asked; of a cluster the context's.
func (a *analyzeFlags) chooseNamespaces(f *Factory, in *analyzeInput, files bool) error {
	given := f.GivenNamespace()
	switch {
	case a.allNamespaces && given != "":
		return hint.Usagef("leave one of them out", "--all-namespaces and --namespace contradict each other")
	case a.allNamespaces, given == "" && files && !a.useKube:
		return nil
	}
	namespace, err := f.Namespace()
	if err != nil {
		return err
	}
	in.namespaces = []string{namespace}
	return nil
}

// readFiles reads the files; objects without a namespace get that of -n, else
// the context's when the cluster counts, else "default".
func (a *analyzeFlags) readFiles(ctx context.Context, f *Factory, args []string, in *analyzeInput) error {
	files, err := kube.ReadFiles(ctx, args, f.IO.In)
	if err != nil {
		return err
	}
	namespace := f.GivenNamespace()
	if namespace == "" && a.useKube {
		if namespace, err = f.Namespace(); err != nil {
			return err
		}
	}
	if namespace == "" {
		namespace = "default"
	}
	for _, o := range files.Objects {
		o.InNamespace(namespace)
		if in.namespaces != nil && f.GivenNamespace() == "" && !slices.Contains(in.namespaces, o.Namespace) {
			in.namespaces = append(in.namespaces, o.Namespace)
		}
	}
	in.files = files
	return nil
}

func (a *analyzeFlags) readCluster(ctx context.Context, f *Factory, in *analyzeInput, selected []*analyze.Check) (*kube.Live, error) {
	client, err := f.Client()
	if err != nil {
		return nil, err
	}
	in.tellMore = "name the rest of the mesh with further files, or ask for the permission to read it"
	live, err := client.Read(ctx, kube.ReadOptions{
		Kinds: kindsOf(selected), Namespaces: append(slices.Clone(in.namespaces), f.IstioNamespace()), IstioNamespace: f.IstioNamespace(),
	})
	if err != nil {
		return nil, err
	}
	return live, a.checkNamespace(f, in, live)
}

// checkNamespace refuses a namespace that neither the cluster nor the files
// have: a typing error would otherwise look like a clean mesh.
func (a *analyzeFlags) checkNamespace(f *Factory, in *analyzeInput, live *kube.Live) error {
	if len(in.namespaces) == 0 || !slices.Contains(live.Read, mesh.Namespace) {
		return nil
	}
	var known []string
	for _, o := range slices.Concat(live.Objects, in.files.Objects) {
		if o.Kind == mesh.Namespace {
			known = append(known, o.Name)
		} else if o.Origin.File != "" {
			known = append(known, o.Namespace)
		}
	}
	if wanted := in.namespaces[0]; !slices.Contains(known, wanted) {
		next := hint.DidYouMean(wanted, known)
		if next == "" {
			next = "`kubectl get namespaces` lists them; -A analyzes all"
		}
		return hint.Unanswerablef(next, "analyzing namespace %q: the cluster has no such namespace", wanted)
	}
	return nil
}

// meshConfigFrom is the control plane's ConfigMap with the mesh config of a file.
func meshConfigFrom(path string, o mesh.Options) (*mesh.Object, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, hint.Unanswerablef("check the path", "reading the mesh config: %w", err)
	}
	name := "istio"
	if o.Revision != "" && o.Revision != "default" {
		name += "-" + o.Revision
	}
	object := mesh.NewObject(mesh.ConfigMap, map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": name, "namespace": o.IstioNamespace},
		"data":     map[string]any{"mesh": string(text)},
	}, mesh.Origin{File: path})
	if problem := mesh.New([]*mesh.Object{object}, o).MeshConfig().Problem; problem != "" {
		return nil, hint.Unanswerablef("the file holds a mesh config alone, as under mesh: in the ConfigMap", "reading the mesh config %s: %s", path, problem)
	}
	return object, nil
}

// addTo notes in the report what of the files was not analyzed.
func (in *analyzeInput) addTo(r *analyze.Report) {
	for _, b := range in.files.Broken {
		r.Broken = append(r.Broken, analyze.Broken{Position: b.Position, Reason: b.Reason})
	}
	for _, s := range in.files.Skipped {
		r.SkippedFiles = append(r.SkippedFiles, analyze.SkippedFile{File: s.Path, Reason: s.Reason})
	}
}

// scope is what the report is about, in front of the summary.
func (in *analyzeInput) scope() string {
	switch len(in.namespaces) {
	case 0:
		return ""
	case 1:
		return "namespace " + in.namespaces[0] + ": "
	}
	return "namespaces " + strings.Join(in.namespaces, ", ") + ": "
}
