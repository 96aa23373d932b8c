package install

import (
	"context"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// racing is a cluster in which a controller writes the status of what is tried,
// each time just before, as often as writes says. What is tried is there already.
type racing struct {
	*memory
	writes, tries int
}

func (r *racing) Apply(ctx context.Context, obj *unstructured.Unstructured, dryRun, force bool) (*unstructured.Unstructured, error) {
	if obj.GetKind() != "PodDisruptionBudget" {
		return r.memory.Apply(ctx, obj, dryRun, force)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	live := r.objects[ident(obj)]
	if r.tries++; r.tries <= r.writes {
		live.Object["status"] = map[string]any{"currentHealthy": int64(r.tries)}
		r.put(live)
	}
	return live.DeepCopy(), nil
}

// What somebody else writes between reading and trying is no change of ours.
func TestAStatusThatIsWrittenMeanwhileIsNoChange(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		writes, tries int
		want          Action
	}{
		{0, 1, Keep},
		{1, 2, Keep},
		{2, 3, Keep},
		{9, 3, Change}, // it has to end
	} {
		r := &racing{memory: newMemory(), writes: c.writes}
		budget := object("PodDisruptionBudget", "istio-system", "istiod")
		budget.Object["spec"] = map[string]any{"minAvailable": int64(1)}
		r.put(budget.DeepCopy())
		p, err := NewPlan(t.Context(), r, &Manifest{Components: []Component{{Name: "Pilot", Objects: []*unstructured.Unstructured{budget}}}}, PlanOptions{})
		if err != nil {
			t.Fatal(err)
		}
		got := Action("")
		for _, step := range p.Steps {
			if step.Object.GetKind() == budget.GetKind() {
				got = step.Action
			}
		}
		if got != c.want || r.tries != c.tries {
			t.Errorf("%d writes: %s after %d tries, want %s after %d", c.writes, got, r.tries, c.want, c.tries)
		}
	}
}
