package bed

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Mode is a way the bed is broken on purpose: a name, and for some after "=" what it concerns.
//
//	nodes-not-ready       no node is Ready: its network plugin never comes up
//	image-pull=REGEXP     images that match (default "istio/") are not found: ErrImagePull, then ImagePullBackOff
//	quota=NAMESPACE       a ResourceQuota of no pods in the namespace (default istio-system, created if need be)
//	webhook=RESOURCE      a validating webhook refuses to create or update it in istio-system (default deployments)
//	istiod-dead=POD       that istiod's process (default: every one) is dead though its pod stays Ready
//	istiod-hung=POD       that istiod's process (default: every one) takes connections and answers nothing
//	crash-loop=NAMESPACE  containers there end with code 1 again and again, and leave a log
//	oom=NAMESPACE         containers there are killed for the memory they use
//	init-failing=NAMESPACE    init containers there fail
//	probe-failing=NAMESPACE   containers there run and their readiness probes fail
//	missing-config=NAMESPACE  containers there need a Secret that is not there
//	evicted=NAMESPACE     pods there are evicted, as their nodes run out of memory
//	pod-security=NAMESPACE    the API server enforces the restricted standard there
//	pvc-pending=NAMESPACE     a claim there, bed-data, names a storage class that is not there
//	webhook-dead=NAMESPACE    a webhook without a server keeps pods from being created there
//	taint                 every node is tainted
//	daemonset-no-node     every node says it is Windows
//	api-server-gone       the API server is stopped
//
// A NAMESPACE is istio-system by default.
type Mode string

const (
	NodesNotReady Mode = "nodes-not-ready"
	ImagePull     Mode = "image-pull"
	Quota         Mode = "quota"
	Webhook       Mode = "webhook"
	IstiodDead    Mode = "istiod-dead"
	IstiodHung    Mode = "istiod-hung"
	CrashLoop     Mode = "crash-loop"
	OOM           Mode = "oom"
	InitFailing   Mode = "init-failing"
	ProbeFailing  Mode = "probe-failing"
	MissingConfig Mode = "missing-config"
	Evicted       Mode = "evicted"
	PodSecurity   Mode = "pod-security"
	PVCPending    Mode = "pvc-pending"
	WebhookDead   Mode = "webhook-dead"
	Taint         Mode = "taint"
	NoNode        Mode = "daemonset-no-node"
	APIServerGone Mode = "api-server-gone"
)

// Modes lists the names.
func Modes() []Mode {
	return []Mode{NodesNotReady, ImagePull, Quota, Webhook, IstiodDead, IstiodHung, CrashLoop, OOM, InitFailing, ProbeFailing, MissingConfig, Evicted,
		PodSecurity, PVCPending, WebhookDead, Taint, NoNode, APIServerGone}
}

func (m Mode) split() (name Mode, arg string) {
	n, arg, _ := strings.Cut(string(m), "=")
	return Mode(n), arg
}

func (m Mode) valid() error {
	name, arg := m.split()
	if !slices.Contains(Modes(), name) {
		return fmt.Errorf("no such way to break a bed as %q: there are %v", name, Modes())
	}
	if name == ImagePull {
		if _, err := regexp.Compile(arg); err != nil {
			return fmt.Errorf("%s: %w", m, err)
		}
	}
	return nil
}

const meshNamespace = "istio-system"

// faults is what is broken now.
type faults struct {
	bed *Bed
	mu  sync.Mutex
	now map[Mode]string // argument
}

func newFaults(b *Bed) *faults { return &faults{bed: b, now: map[Mode]string{}} }

func (f *faults) list() []Mode {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := []Mode{}
	for name, arg := range f.now {
		if arg != "" {
			name += Mode("=" + arg)
		}
		out = append(out, name)
	}
	sort.Slice(out, func(i, j int) bool { return out[i] < out[j] })
	return out
}

// Break breaks the bed in one way until Mend.
func (b *Bed) Break(ctx context.Context, m Mode) error { return b.switchMode(ctx, m, true) }

// Mend ends what Break did.
func (b *Bed) Mend(ctx context.Context, m Mode) error { return b.switchMode(ctx, m, false) }

func (b *Bed) switchMode(ctx context.Context, m Mode, broken bool) error {
	if err := m.valid(); err != nil {
		return err
	}
	name, arg := m.split()
	b.faults.mu.Lock()
	defer b.faults.mu.Unlock()
	if !broken && arg == "" {
		arg = b.faults.now[name]
	}
	var err error
	switch name {
	case NodesNotReady:
		err = b.stages.set(ctx, func(s *stages) { s.nodesNotReady = broken })
	case ImagePull:
		err = b.breakImages(ctx, arg, broken)
	case Quota:
		err = b.breakQuota(ctx, orDefault(arg, meshNamespace), broken)
	case Webhook:
		err = b.breakWebhook(ctx, orDefault(arg, "deployments"), broken)
	case IstiodDead:
		err = b.breakIstiod(arg, broken, func(run *podRun) error { return run.setDead(ctx, broken) })
	case IstiodHung:
		err = b.breakIstiod(arg, broken, func(run *podRun) error { return run.setHung(broken) })
	case CrashLoop, OOM, InitFailing, ProbeFailing, MissingConfig, Evicted:
		err = b.breakPods(ctx, name, orDefault(arg, meshNamespace), broken)
	case PodSecurity:
		err = b.breakSecurity(ctx, orDefault(arg, meshNamespace), broken)
	case PVCPending:
		err = b.breakClaim(ctx, orDefault(arg, meshNamespace), broken)
	case WebhookDead:
		err = b.breakWebhookServer(ctx, orDefault(arg, meshNamespace), broken)
	case Taint:
		err = b.taint(ctx, broken)
	case NoNode:
		err = b.relabel(ctx, broken)
	case APIServerGone:
		err = b.breakAPIServer(ctx, broken)
	}
	if err != nil {
		return fmt.Errorf("switching %s: %w", m, err)
	}
	if broken {
		b.faults.now[name] = arg
	} else {
		delete(b.faults.now, name)
	}
	return nil
}

func orDefault(s, d string) string {
	if s == "" {
		return d
	}
	return s
}

func (b *Bed) breakImages(ctx context.Context, pattern string, broken bool) error {
	if broken {
		pattern = orDefault(pattern, "istio/")
	} else {
		pattern = ""
	}
	if err := b.stages.set(ctx, func(s *stages) { s.badImages = pattern }); err != nil {
		return err
	}
	b.runtime.recheck()
	return nil
}

// breakQuota allows no further pod in the namespace; those that are there stay.
func (b *Bed) breakQuota(ctx context.Context, namespace string, broken bool) error {
	quotas := b.client.CoreV1().ResourceQuotas(namespace)
	if !broken {
		return ignoreNotFound(quotas.Delete(ctx, "bed-no-pods", metav1.DeleteOptions{}))
	}
	if err := b.ensureNamespace(ctx, namespace); err != nil {
		return err
	}
	_, err := quotas.Create(ctx, &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "bed-no-pods"},
		Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("0")}}}, metav1.CreateOptions{})
	return ignoreExists(err)
}

// breakIstiod does something to one istiod, or to all.
func (b *Bed) breakIstiod(pod string, broken bool, do func(*podRun) error) error {
	found := false
	for _, run := range b.runtime.all() {
		if run.program == "istiod" && (pod == "" || run.key.Name == pod) {
			if err := do(run); err != nil {
				return err
			}
			found = true
		}
	}
	if !found && broken {
		return fmt.Errorf("the bed runs no istiod %s", pod)
	}
	return nil
}

func (b *Bed) ensureNamespace(ctx context.Context, name string) error {
	_, err := b.client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	return ignoreExists(err)
}

func ignoreExists(err error) error {
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
