package install

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/hint"
)

// LabelInventory is on the ConfigMap that records what was applied for a
// revision, and on the Secrets of its history; the value is the revision.
const LabelInventory = "meshctl.io/inventory"

// HistoryLimit is how many entries of a revision's history are kept.
const HistoryLimit = 10

const inventoryKey = "inventory.json"

// Inventory is the record of one revision, kept in a ConfigMap in the control
// plane's namespace: the objects that are ours, and what was installed when.
type Inventory struct {
	Revision string     `json:"revision"`
	Objects  []Recorded `json:"objects"`
	// History is in the order of the numbers, the latest last.
	History []Entry `json:"history"`

	namespace string
	version   string // the ConfigMap's resourceVersion, "" when there is none yet
}

// Recorded is an object that an install applied.
type Recorded struct {
	Component  string `json:"component"`
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
}

// EntryStatus is how an install ended.
type EntryStatus string

// The states of an entry. One that stays Deploying was killed.
const (
	Deploying  EntryStatus = "deploying"
	Deployed   EntryStatus = "deployed"
	Superseded EntryStatus = "superseded"
	Broken     EntryStatus = "failed"
)

// Entry is one install, upgrade or rollback.
type Entry struct {
	Number int         `json:"number"`
	Status EntryStatus `json:"status"`
	// Action is what was done, such as "install" or "rollback to 3".
	Action  string `json:"action"`
	Version string `json:"version"`
	Profile string `json:"profile,omitempty"`
	// Time is when it began, By who did it as the API server knows them.
	Time metav1.Time `json:"time"`
	By   string      `json:"by,omitempty"`
	// Changes sums up what was written; Error says why it failed.
	Changes string `json:"changes,omitempty"`
	Error   string `json:"error,omitempty"`
	// Digest tells whether two entries apply the same objects.
	Digest string `json:"digest"`
}

// InventoryName is the name of the ConfigMap that records a revision.
func InventoryName(revision string) string { return "meshctl-inventory-" + revision }

// HistoryName is the name of the Secret with what entry n of a revision applied.
func HistoryName(revision string, n int) string {
	return fmt.Sprintf("meshctl-history-%s-%d", revision, n)
}

// Inventories reads what is recorded in a namespace, sorted by revision.
func Inventories(ctx context.Context, c Reader, namespace string) ([]*Inventory, error) {
	list, err := c.List(ctx, configMapKind(), namespace, LabelInventory)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, failure("reading", "the inventories in namespace "+namespace, "list", err)
	}
	var all []*Inventory
	for _, obj := range list {
		inv, err := parseInventory(obj)
		if err != nil {
			return nil, err
		}
		all = append(all, inv)
	}
	slices.SortFunc(all, func(a, b *Inventory) int { return strings.Compare(a.Revision, b.Revision) })
	return all, nil
}

func parseInventory(obj *unstructured.Unstructured) (*Inventory, error) {
	inv := &Inventory{namespace: obj.GetNamespace(), version: obj.GetResourceVersion()}
	err := json.Unmarshal([]byte(field(obj, "data", inventoryKey)), inv)
	if err == nil && (inv.Revision == "" || InventoryName(inv.Revision) != obj.GetName()) {
		err = fmt.Errorf("it records revision %q", inv.Revision)
	}
	if err != nil {
		return nil, hint.Unanswerablef("restore it, or delete it: then nothing is pruned, and what is installed is recorded anew",
			"reading the inventory %s: %w", ident(obj), err)
	}
	return inv, nil
}

func configMapKind() schema.GroupVersionKind {
	return schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}
}

func secretKind() schema.GroupVersionKind {
	return schema.GroupVersionKind{Version: "v1", Kind: "Secret"}
}

// object is the inventory as it is kept in the cluster.
func (i *Inventory) object() *unstructured.Unstructured {
	data, err := json.Marshal(i)
	if err != nil {
		panic(err) // it has strings and numbers only
	}
	obj := &unstructured.Unstructured{Object: map[string]any{"data": map[string]any{inventoryKey: string(data)}}}
	obj.SetGroupVersionKind(configMapKind())
	obj.SetNamespace(i.namespace)
	obj.SetName(InventoryName(i.Revision))
	obj.SetLabels(map[string]string{LabelInventory: i.Revision, LabelManagedBy: ManagedBy})
	obj.SetResourceVersion(i.version) // so that two runs at once do not overwrite each other's
	return obj
}

// write keeps the inventory in the cluster.
func (i *Inventory) write(ctx context.Context, c Applier) error {
	var got *unstructured.Unstructured
	err := retry(ctx, func() (err error) {
		got, err = c.Apply(ctx, i.object(), false, true)
		if apierrors.IsConflict(err) {
			return hint.Failf("when the other one is done, running the same command again continues",
				"recording revision %s: another meshctl is changing it at the same time", i.Revision)
		}
		return err
	}, func(error) {})
	if err != nil {
		return failure("recording", "ConfigMap "+i.namespace+"/"+InventoryName(i.Revision), "patch", err)
	}
	i.version = got.GetResourceVersion()
	return nil
}

// Current is the latest entry that was wholly applied, nil when there is none.
func (i *Inventory) Current() *Entry {
	for n := len(i.History) - 1; n >= 0; n-- {
		if i.History[n].Status == Deployed {
			return &i.History[n]
		}
	}
	return nil
}

// Last is the latest entry, nil when there is none.
func (i *Inventory) Last() *Entry {
	if len(i.History) == 0 {
		return nil
	}
	return &i.History[len(i.History)-1]
}

// Entry is the one with a number, nil when it is not kept.
func (i *Inventory) Entry(number int) *Entry {
	for n := range i.History {
		if i.History[n].Number == number {
			return &i.History[n]
		}
	}
	return nil
}

// has says whether an object is recorded.
func (i *Inventory) has(r Recorded) bool {
	return slices.ContainsFunc(i.Objects, func(o Recorded) bool { return o.id() == r.id() })
}

// add records objects beside those that are there.
func (i *Inventory) add(objects []Recorded) {
	for _, r := range objects {
		if !i.has(r) {
			i.Objects = append(i.Objects, r)
		}
	}
	i.sort()
}

func (i *Inventory) sort() {
	slices.SortFunc(i.Objects, func(a, b Recorded) int {
		return cmp.Or(strings.Compare(a.Component, b.Component), strings.Compare(a.id(), b.id()))
	})
}

// id is what makes an object the same in any version of its kind.
func (r Recorded) id() string {
	return r.gvk().GroupKind().String() + "/" + r.Namespace + "/" + r.Name
}

func (r Recorded) gvk() schema.GroupVersionKind {
	return schema.FromAPIVersionAndKind(r.APIVersion, r.Kind)
}

// bare is an object with nothing but its identity.
func (r Recorded) bare() *unstructured.Unstructured {
	obj := &unstructured.Unstructured{Object: map[string]any{}}
	obj.SetAPIVersion(r.APIVersion)
	obj.SetKind(r.Kind)
	obj.SetNamespace(r.Namespace)
	obj.SetName(r.Name)
	return obj
}

// Ident names the object: Kind namespace/name.
func (r Recorded) Ident() string { return ident(r.bare()) }

func recordedOf(component string, obj *unstructured.Unstructured) Recorded {
	return Recorded{Component: component, APIVersion: obj.GetAPIVersion(), Kind: obj.GetKind(), Namespace: obj.GetNamespace(), Name: obj.GetName()}
}

// kept says whether an object stays when a plan no longer has it: with a CRD go
// all custom resources, with a namespace everything in it.
func (r Recorded) kept() bool {
	return r.Kind == "CustomResourceDefinition" || r.Kind == "Namespace"
}

// Previous is the entry that a rollback goes to: the latest good one before the
// last, whether or not that one is good.
func (i *Inventory) Previous() *Entry {
	for n := len(i.History) - 2; n >= 0; n-- {
		if e := &i.History[n]; e.Status == Deployed || e.Status == Superseded {
			return e
		}
	}
	return nil
}
