package install

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/meshctl/meshctl/internal/hint"
	charter "helm.sh/helm/v4/pkg/chart"
	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/engine"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Component is the objects of one part of the mesh.
type Component struct {
	// Name is Base, Pilot, Cni, Ztunnel, IngressGateways, EgressGateways or, for an
	// add-on, addons.kiali. Each gateway is a Component of its own, so those names
	// may come several times.
	Name string
	// Instance is the name of the part's workload, or of the add-on; "" for Base.
	Instance string
	// Namespace is where the namespaced objects go.
	Namespace string
	// Objects are in the order of the chart's files.
	Objects []*unstructured.Unstructured
}

// Manifest is everything that an install consists of.
type Manifest struct {
	Components []Component
	// Warnings are for the user to read before applying.
	Warnings []string
}

// releaseName is what the charts know the install as.
const releaseName = "istio"

// Render runs the charts of all enabled components. The result does not depend
// on anything but the spec. Addons gives the components to append for Spec.Addons.
func Render(s *Spec) (*Manifest, error) {
	comps, err := s.components()
	if err != nil {
		return nil, err
	}
	caps, err := capabilities(s.kubeVersion)
	if err != nil {
		return nil, err
	}
	rendered := make([]Component, len(comps))
	warnings := make([][]string, len(comps))
	errs := make([]error, len(comps))
	var wg sync.WaitGroup
	for i, c := range comps {
		wg.Go(func() { rendered[i], warnings[i], errs[i] = c.render(s, caps) })
	}
	wg.Wait()
	for _, err := range errs { // the first by component, whichever came first
		if err != nil {
			return nil, err
		}
	}
	return &Manifest{
		Components: rendered,
		Warnings:   slices.Concat(append([][]string{s.Warnings}, warnings...)...),
	}, nil
}

func capabilities(kubeVersion string) (*common.Capabilities, error) {
	if kubeVersion == "" {
		kubeVersion = offlineKubeVersion
	}
	v, err := common.ParseKubeVersion(kubeVersion)
	if err != nil {
		return nil, fmt.Errorf("reading the Kubernetes version %q: %w", kubeVersion, err)
	}
	caps := common.DefaultCapabilities.Copy()
	caps.KubeVersion = *v
	return caps, nil
}

func (c *component) render(s *Spec, caps *common.Capabilities) (Component, []string, error) {
	out := Component{Name: c.label, Instance: c.resourceName(), Namespace: c.namespace}
	ch, err := s.charts.load(c.dir)
	if err != nil {
		return out, nil, hint.Failf("", "rendering %s: %w", c.label, err)
	}
	var warnings []string
	out.Objects, warnings, err = c.renderChart(s, ch, caps)
	if err != nil {
		return out, nil, err
	}
	tag, err := s.tagDefault(c, ch, caps, out.Objects)
	if err != nil {
		return out, nil, err
	}
	out.Objects = append(out.Objects, tag...)
	more, err := c.postProcess(s, out.Objects)
	c.own(s, out.Objects)
	return out, append(warnings, more...), err
}

// renderChart gives the objects of a chart, and what the chart warns of.
func (c *component) renderChart(s *Spec, ch *chart.Chart, caps *common.Capabilities) ([]*unstructured.Unstructured, []string, error) {
	files, crds, err := c.runChart(s, ch, caps)
	if err != nil {
		return nil, nil, hint.Usagef("", "rendering %s: %s", c.label, chartReason(err))
	}
	var objects []*unstructured.Unstructured
	var warnings []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if path.Ext(name) == ".txt" {
			warnings = append(warnings, notesWarnings(files[name])...)
			continue
		}
		for _, doc := range splitDocuments(files[name]) {
			m, err := decodeDocument([]byte(doc))
			if err != nil {
				return nil, nil, hint.Failf("", "rendering %s: %s gives no valid YAML: %w", c.label, name, err)
			}
			if crds != nil {
				m = crds.resolve(m)
			}
			if m["kind"] != nil {
				objects = append(objects, &unstructured.Unstructured{Object: m})
			}
		}
	}
	return s.asDefault(c, objects), warnings, nil
}

// runChart is the text that each template gives. The reader is nil if the chart has no CRDs.
func (c *component) runChart(s *Spec, ch *chart.Chart, caps *common.Capabilities) (map[string]string, *crdReader, error) {
	var crds *crdReader
	var eng engine.Engine
	for _, f := range ch.Files {
		if f.Name == crdFile {
			crds = newCRDReader(f.Data)
			eng.CustomTemplateFuncs = crds.funcs()
		}
	}
	top, err := c.templateData(s, ch, caps)
	if err != nil {
		return nil, nil, err
	}
	// Nothing here waits: without a client the templates cannot ask a cluster.
	files, err := eng.RenderWithContext(context.Background(), ch, top)
	return files, crds, err
}

// templateData is what the templates see: the chart's values with ours over
// them, and what Helm tells every chart. Helm's own function for it brings a
// JSON schema library that takes a third of the program's start, and Istio's
// charts have no use for it.
func (c *component) templateData(s *Spec, ch *chart.Chart, caps *common.Capabilities) (common.Values, error) {
	accessor, err := charter.NewAccessor(ch)
	if err != nil {
		return nil, err
	}
	values := cloneMap(ch.Values)
	own := c.values
	if own == nil {
		own = c.helmValues(s)
	}
	mergeInto(values, own)
	return common.Values{
		"Chart":        accessor.MetadataAsMap(),
		"Capabilities": caps,
		"Release": map[string]any{
			"Name": cmp.Or(c.release, releaseName), "Namespace": c.namespace, "Service": "Helm",
			"IsInstall": false, "IsUpgrade": false, "Revision": 0,
		},
		"Values": common.Values(values),
	}, nil
}

// notesWarnings picks the lines that a chart's notes mark as warnings.
func notesWarnings(notes string) []string {
	var out []string
	for line := range strings.Lines(notes) {
		if w, ok := strings.CutPrefix(strings.TrimSpace(line), "WARNING: "); ok {
			out = append(out, w)
		}
	}
	return out
}

// chartReason is what a chart complained about, on one line.
func chartReason(err error) string {
	s := strings.Join(strings.Fields(err.Error()), " ")
	if _, after, ok := strings.Cut(s, "execution error at "); ok {
		s = after
	}
	return s
}
