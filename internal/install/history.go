package install

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/hint"
	istio "github.com/meshctl/meshctl/internal/mesh"
)

// Record is what the history says of a run, beside what was applied.
type Record struct {
	// Action is the command, such as "install".
	Action           string
	Version, Profile string
	// By is the identity, as the API server names it; called only when
	// something is recorded. nil or an error leaves it out.
	By func(context.Context) (string, error)
	// Inputs are the user's, so that an upgrade can start from them.
	Inputs Inputs
	// Now is the time of the run.
	Now time.Time
}

// stored is what a Secret of the history holds.
type stored struct {
	inputs   []byte
	manifest []byte // JSON, compressed when it is written
	digest   string
}

const (
	storedInputs   = "inputs.json"
	storedManifest = "manifest.json.gz"
)

// pack makes the stored form of a manifest. CRDs stay out: no rollback takes them back.
func pack(m *Manifest, version string, in Inputs) (*stored, error) {
	var slim []Component
	sum := sha256.New()
	fmt.Fprintln(sum, version)
	for _, c := range m.Components {
		c.Objects = slices.DeleteFunc(slices.Clone(c.Objects), func(o *unstructured.Unstructured) bool {
			return o.GetKind() == "CustomResourceDefinition"
		})
		slim = append(slim, c)
	}
	text, err := json.Marshal(slim)
	if err != nil {
		return nil, fmt.Errorf("writing the history: %w", err)
	}
	sum.Write(text)
	s := &stored{digest: hex.EncodeToString(sum.Sum(nil))[:16], manifest: text}
	in.KubeVersion = ""
	if s.inputs, err = json.Marshal(in); err != nil {
		return nil, fmt.Errorf("writing the history: %w", err)
	}
	return s, nil
}

// secret is the object that holds entry n.
func (s *stored) secret(inv *Inventory, n int) *unstructured.Unstructured {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(s.manifest) // into memory: it can't fail
	_ = z.Close()
	obj := historyObject(inv, n)
	obj.Object["type"] = "meshctl.io/history.v1"
	obj.Object["data"] = map[string]any{
		storedInputs:   base64.StdEncoding.EncodeToString(s.inputs),
		storedManifest: base64.StdEncoding.EncodeToString(packed.Bytes()),
	}
	obj.SetLabels(map[string]string{LabelInventory: inv.Revision, LabelManagedBy: ManagedBy})
	return obj
}

func historyObject(inv *Inventory, n int) *unstructured.Unstructured {
	obj := &unstructured.Unstructured{Object: map[string]any{}}
	obj.SetGroupVersionKind(secretKind())
	obj.SetNamespace(inv.namespace)
	obj.SetName(HistoryName(inv.Revision, n))
	return obj
}

// Recall reads what entry n applied, without CRDs, and the user's inputs.
func (i *Inventory) Recall(ctx context.Context, c Reader, n int) (*Manifest, Inputs, error) {
	what := fmt.Sprintf("entry %d of revision %s", n, i.Revision)
	obj := historyObject(i, n)
	live, err := c.Get(ctx, obj.GroupVersionKind(), obj.GetNamespace(), obj.GetName())
	switch {
	case apierrors.IsNotFound(err):
		return nil, Inputs{}, hint.Failf("`meshctl history` shows what is kept", "reading %s: %s is gone", what, ident(obj))
	case err != nil:
		return nil, Inputs{}, failure("reading", ident(obj), "get", err)
	}
	var m Manifest
	var in Inputs
	damaged := func(err error) error {
		return hint.Unanswerablef("take another entry: `meshctl history` lists them", "reading %s: %s is damaged: %w", what, ident(obj), err)
	}
	text, err := unpack(live)
	if err == nil {
		err = json.Unmarshal(text, &m.Components)
	}
	if err != nil {
		return nil, in, damaged(err)
	}
	inputs, err := base64.StdEncoding.DecodeString(field(live, "data", storedInputs))
	if err == nil {
		err = json.Unmarshal(inputs, &in)
	}
	if err != nil {
		return nil, in, damaged(err)
	}
	return &m, in, nil
}

func unpack(secret *unstructured.Unstructured) ([]byte, error) {
	packed, err := base64.StdEncoding.DecodeString(field(secret, "data", storedManifest))
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// begin records, before anything is changed, what is about to be ours. What was
// ours stays recorded until it is pruned. A run that is repeated after a
// failure goes on under its number.
func (p *Plan) begin(ctx context.Context, c Cluster, r Record) error {
	inv := p.inventory
	entry := Entry{
		Number: 1, Status: Deploying, Action: r.Action, Version: r.Version, Profile: r.Profile,
		Time: metav1.NewTime(r.Now.UTC().Truncate(time.Second)), Digest: p.stored.digest, Changes: p.changes(),
	}
	if r.By != nil {
		entry.By, _ = r.By(ctx) // who it was is worth knowing, not worth failing for
	}
	if last := inv.Last(); last != nil {
		entry.Number = last.Number + 1
		if last.Digest == entry.Digest && last.Status != Deployed && last.Status != Superseded {
			entry.Number = last.Number
			inv.History = inv.History[:len(inv.History)-1]
		}
	}
	for n := range inv.History {
		if e := &inv.History[n]; e.Status == Deploying {
			e.Status, e.Error = Broken, fmt.Sprintf("it did not end before entry %d began", entry.Number)
		}
	}
	inv.History = append(inv.History, entry)
	inv.add(p.recorded())
	if err := inv.write(ctx, c); err != nil {
		return err
	}
	secret := p.stored.secret(inv, entry.Number)
	err := retry(ctx, func() error { _, err := c.Apply(ctx, secret, false, true); return err }, func(error) {})
	if err != nil {
		return failure("recording", ident(secret), "patch", err)
	}
	return nil
}

// finish records how it went. It has time of its own, for it is most needed
// when the run was interrupted.
func (p *Plan) finish(ctx context.Context, c Cluster, failed error) error {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), finishTime)
	defer stop()
	inv := p.inventory
	last := inv.Last()
	last.Status = Deployed
	if failed != nil {
		last.Status, last.Error = Broken, strings.SplitN(failed.Error(), "\n", 2)[0]
		return inv.write(ctx, c)
	}
	for n := range inv.History[:len(inv.History)-1] {
		if inv.History[n].Status == Deployed {
			inv.History[n].Status = Superseded
		}
	}
	inv.Objects = p.recorded()
	for _, r := range p.held {
		if !inv.has(r) {
			inv.Objects = append(inv.Objects, r)
		}
	}
	inv.sort()
	var old []Entry
	if n := len(inv.History) - HistoryLimit; n > 0 {
		old, inv.History = inv.History[:n], slices.Clone(inv.History[n:])
	}
	if err := inv.write(ctx, c); err != nil {
		return err
	}
	for _, e := range old {
		if err := c.Delete(ctx, historyObject(inv, e.Number), false); err != nil && !apierrors.IsNotFound(err) {
			return failure("deleting", ident(historyObject(inv, e.Number)), "delete", err)
		}
	}
	return nil
}

// finishTime is how long an interrupted run may still take to record that it was.
const finishTime = 5 * time.Second

// isRecorded says whether the record already tells what the plan would have recorded.
func (p *Plan) isRecorded() bool {
	inv := p.inventory
	last := inv.Last()
	if last == nil || last.Status != Deployed || last.Digest != p.stored.digest {
		return false
	}
	want := &Inventory{Objects: append(p.recorded(), p.held...)}
	if len(want.Objects) != len(inv.Objects) {
		return false
	}
	return !slices.ContainsFunc(want.Objects, func(r Recorded) bool { return !inv.has(r) })
}

// recorded are the objects that are ours once the plan is carried out.
func (p *Plan) recorded() []Recorded {
	var all []Recorded
	for _, s := range p.Steps {
		if s.Action != Prune {
			all = append(all, recordedOf(s.Component, s.Object))
		}
	}
	return all
}

// Restore is what entry n applied, as it is to be applied now: the tags, the
// default one too, stay where they point by now.
func (i *Inventory) Restore(ctx context.Context, c Reader, n int) (*Manifest, Inputs, error) {
	m, in, err := i.Recall(ctx, c, n)
	if err == nil {
		err = m.leaveTags(ctx, c, i.Revision)
	}
	if err == nil {
		err = m.KeepDefault(ctx, c, i.Revision)
	}
	return m, in, err
}

// leaveTags takes the tags out of a recalled manifest that point at another
// revision by now: a rollback of one revision does not move what names another.
func (m *Manifest) leaveTags(ctx context.Context, c Reader, revision string) error {
	for i := range m.Components {
		var kept []*unstructured.Unstructured
		for _, obj := range m.Components[i].Objects {
			if obj.GetLabels()[istio.TagLabel] != "" {
				live, err := c.Get(ctx, obj.GroupVersionKind(), obj.GetNamespace(), obj.GetName())
				if err != nil && !apierrors.IsNotFound(err) {
					return failure("reading", ident(obj), "get", err)
				}
				if err == nil && live.GetLabels()[LabelRevision] != revision {
					continue
				}
			}
			kept = append(kept, obj)
		}
		m.Components[i].Objects = kept
	}
	return nil
}
