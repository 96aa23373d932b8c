package bed

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sort"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
)

// runtime is the bed's container runtime: it watches pods and runs the program behind each one it knows.
type runtime struct {
	bed      *Bed
	programs []program
	pods     cache.Indexer
	services corelisters.ServiceLister

	mu   sync.Mutex
	runs map[types.NamespacedName]*podRun
}

// program is what the runtime starts for the pods that match. start returns when it answers, having said in run which
// ports reach it; it is tried again when it fails.
type program struct {
	name  string
	match func(*corev1.Pod) bool
	start func(ctx context.Context, pod *corev1.Pod, run *podRun) error
}

func newRuntime(b *Bed) *runtime {
	r := &runtime{bed: b, runs: map[types.NamespacedName]*podRun{}}
	b.stages = &stages{bed: b, podFaults: map[Mode]string{}}
	r.programs = append([]program{r.istiod()}, r.addons()...)
	if !b.opts.NoEnvoy {
		r.programs = append(r.programs, r.envoy())
	}
	return r
}

const byIP = "ip"

// run watches until life ends; it returns when the first list is in.
func (r *runtime) run(ctx, life context.Context) error {
	f := informers.NewSharedInformerFactoryWithOptions(r.bed.client, 0, informers.WithTransform(dropManagedFields))
	pods := f.Core().V1().Pods().Informer()
	if err := pods.AddIndexers(cache.Indexers{byIP: func(obj any) ([]string, error) {
		return []string{obj.(*corev1.Pod).Status.PodIP}, nil
	}}); err != nil {
		return err
	}
	r.pods, r.services = pods.GetIndexer(), f.Core().V1().Services().Lister()
	_, err := pods.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(obj any) { r.seen(life, obj.(*corev1.Pod)) },
		UpdateFunc: func(_, obj any) { r.seen(life, obj.(*corev1.Pod)) },
		DeleteFunc: func(obj any) {
			if gone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
				obj = gone.Obj
			}
			if pod, ok := obj.(*corev1.Pod); ok {
				r.gone(pod)
			}
		},
	})
	if err != nil {
		return err
	}
	f.Start(life.Done())
	for kind, ok := range f.WaitForCacheSync(ctx.Done()) {
		if !ok {
			return fmt.Errorf("watching %s: %w", kind, context.Cause(ctx))
		}
	}
	return nil
}

func dropManagedFields(obj any) (any, error) {
	if o, ok := obj.(metav1.Object); ok {
		o.SetManagedFields(nil)
	}
	return obj, nil
}

// seen starts the programs of a pod once it has an address.
func (r *runtime) seen(life context.Context, pod *corev1.Pod) {
	if pod.Status.PodIP == "" || pod.DeletionTimestamp != nil || r.bed.stages.cannotPull(pod) {
		return
	}
	if _, faulty := r.bed.stages.faulty(pod.Namespace); faulty {
		return
	}
	var mine []program
	for _, p := range r.programs {
		if p.match(pod) {
			mine = append(mine, p)
		}
	}
	key := types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name}
	r.mu.Lock()
	defer r.mu.Unlock()
	if old := r.runs[key]; len(mine) == 0 || old != nil && old.uid == pod.UID {
		return
	} else if old != nil {
		go old.end()
	}
	ctx, cancel := context.WithCancel(life)
	run := &podRun{bed: r.bed, key: key, uid: pod.UID, program: mine[0].name, ctx: ctx, cancel: cancel, ports: map[int32]dialer{}}
	r.runs[key] = run
	go r.play(ctx, pod, run, mine)
}

// recheck looks at every pod again, after something outside the pods has changed.
func (r *runtime) recheck() {
	if r.pods == nil {
		return
	}
	for _, obj := range r.pods.List() {
		r.seen(r.bed.life, obj.(*corev1.Pod))
	}
}

// play starts the programs, then lets the pod become Ready.
func (r *runtime) play(ctx context.Context, pod *corev1.Pod, run *podRun, programs []program) {
	if err := os.MkdirAll(run.dir(), 0o755); err != nil {
		run.fail(err)
		return
	}
	slow := time.AfterFunc(probesFailAfter, func() { r.annotate(ctx, run, probingAnnotation) })
	defer slow.Stop()
	for _, p := range programs {
		for {
			err := p.start(ctx, pod, run)
			if run.fail(err); err == nil {
				break
			}
			run.endProcesses()
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Second):
			}
		}
	}
	slow.Stop()
	r.annotate(ctx, run, startedAnnotation)
}

// probesFailAfter is how long a program may take until the kubelet would say that its probes fail.
const probesFailAfter = 3 * time.Second

// annotate notes on a pod when something has become of its program.
func (r *runtime) annotate(ctx context.Context, run *podRun, what string) {
	patch := fmt.Appendf(nil, `{"metadata":{"uid":%q,"annotations":{%q:%q}}}`, run.uid, what, time.Now().UTC().Format(time.RFC3339))
	if _, err := r.bed.client.CoreV1().Pods(run.key.Namespace).Patch(ctx, run.key.Name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		run.fail(fmt.Errorf("telling the cluster how pod %s runs: %w", run.key, err))
	}
}

func (r *runtime) gone(pod *corev1.Pod) {
	key := types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name}
	r.mu.Lock()
	run := r.runs[key]
	if run == nil || run.uid != pod.UID {
		r.mu.Unlock()
		return
	}
	delete(r.runs, key)
	r.mu.Unlock()
	go run.end()
}

// all returns the runs ordered by pod.
func (r *runtime) all() []*podRun {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []*podRun
	for _, run := range r.runs {
		out = append(out, run)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].key.String() < out[j].key.String() })
	return out
}

func (r *runtime) get(key types.NamespacedName) *podRun {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.runs[key]
}

func (r *runtime) logOf(key types.NamespacedName, container string) string {
	if run := r.get(key); run != nil {
		return run.logOf(container)
	}
	return ""
}

// dial connects to a port of a pod's program.
func (r *runtime) dial(ctx context.Context, key types.NamespacedName, port int32) (net.Conn, error) {
	run := r.get(key)
	if run == nil {
		return nil, fmt.Errorf("dialing port %d of pod %s: the bed runs no program for it", port, key)
	}
	return run.dial(ctx, port)
}

// dialAddress connects to a pod's or a Service's address.
func (r *runtime) dialAddress(ctx context.Context, host string, port int32) (net.Conn, error) {
	if r.pods == nil {
		return nil, errors.New("the bed is still starting")
	}
	if found, _ := r.pods.ByIndex(byIP, host); len(found) > 0 {
		pod := found[0].(*corev1.Pod)
		return r.dial(ctx, types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name}, port)
	}
	services, err := r.services.List(labels.Everything())
	if err != nil {
		return nil, err
	}
	for _, s := range services {
		if s.Spec.ClusterIP == host {
			return r.dialService(ctx, s, port)
		}
	}
	return nil, fmt.Errorf("no pod or Service has the address %s", host)
}

// dialService connects to the first pod behind a Service whose program answers.
func (r *runtime) dialService(ctx context.Context, s *corev1.Service, port int32) (net.Conn, error) {
	target := int32(-1)
	var named string
	for _, p := range s.Spec.Ports {
		if p.Port == port {
			target, named = p.TargetPort.IntVal, p.TargetPort.StrVal
			if target == 0 && named == "" {
				target = port
			}
		}
	}
	if target < 0 {
		return nil, fmt.Errorf("service %s/%s has no port %d", s.Namespace, s.Name, port)
	}
	err := fmt.Errorf("service %s/%s has no pod with a program", s.Namespace, s.Name)
	for _, pod := range r.podsOf(s) {
		run := r.get(types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name})
		if run == nil {
			continue
		}
		if named != "" {
			target = namedPort(pod, named)
		}
		conn, dialErr := run.dial(ctx, target)
		if dialErr == nil {
			return conn, nil
		}
		err = dialErr
	}
	return nil, err
}

func (r *runtime) podsOf(s *corev1.Service) []*corev1.Pod {
	if len(s.Spec.Selector) == 0 {
		return nil
	}
	found, _ := r.pods.ByIndex(cache.NamespaceIndex, s.Namespace)
	var out []*corev1.Pod
	for _, obj := range found {
		if pod := obj.(*corev1.Pod); labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(pod.Labels)) {
			out = append(out, pod)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

func namedPort(pod *corev1.Pod, name string) int32 {
	for _, c := range pod.Spec.Containers {
		for _, p := range c.Ports {
			if p.Name == name {
				return p.ContainerPort
			}
		}
	}
	return -1
}

func runDir(b *Bed, key types.NamespacedName) string {
	return filepath.Join(b.dir, "pods", key.Namespace+"_"+key.Name)
}
