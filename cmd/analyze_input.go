package cmd

import (
	"context"
	"os"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/mesh"
)

// readFiles reads the files; objects without a namespace get that of -n, else
// the context's when the cluster counts, else "default".
func (a *analyzeFlags) readFiles(ctx context.Context, f *Factory, args []string, in *analyzeInput) error {
	var files *kube.Files
	var err error
	if a.again {
		files, err = kube.ReadAgain(ctx, args)
	} else {
		files, err = kube.ReadFiles(ctx, args, f.IO.In)
	}
	if err != nil {
		return err
	}
	for _, gone := range files.Gone {
		f.IO.Error(gone, hint.Of(gone))
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
	}
	in.files = files
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
		r.SkippedFiles = append(r.SkippedFiles, analyze.SkippedFile{File: s.Path, Line: s.Line, Reason: s.Reason})
	}
}
