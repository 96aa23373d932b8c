package install

import (
	"bytes"
	"fmt"
	"io"
	"runtime"

	yaml "go.yaml.in/yaml/v2"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// WriteYAML writes objects as one YAML stream, keys sorted.
func WriteYAML(w io.Writer, objects []*unstructured.Unstructured) error {
	docs := make([][]byte, len(objects))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, o := range objects {
		g.Go(func() (err error) {
			if docs[i], err = yaml.Marshal(o.Object); err != nil {
				return fmt.Errorf("writing %s %s as YAML: %w", o.GetKind(), o.GetName(), err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	_, err := w.Write(bytes.Join(docs, []byte("---\n")))
	return err
}
