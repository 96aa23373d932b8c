package bed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// stages is the running kwok with what it is told to break. It reads its stages once, so a change restarts it.
type stages struct {
	bed           *Bed
	mu            sync.Mutex
	proc          *process
	port          int
	nodesNotReady bool
	badImages     string // regular expression, "" for none
	podFaults     map[Mode]string
}

// startKwok creates the nodes and starts kwok.
func (b *Bed) startKwok(ctx context.Context) error {
	if err := b.stages.restart(ctx); err != nil {
		return err
	}
	for i := range b.opts.Nodes {
		node := &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("node-%d", i+1), Labels: map[string]string{
				"kubernetes.io/hostname": fmt.Sprintf("node-%d", i+1), "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
				"topology.kubernetes.io/region": "bed", "topology.kubernetes.io/zone": "bed-" + string(rune('a'+i%3)),
			}},
			// A pool of its own for each node: pod addresses are unique in the cluster.
			Spec: corev1.NodeSpec{PodCIDR: fmt.Sprintf("10.%d.%d.0/17", 128+i/2, i%2*128)},
		}
		if _, err := b.client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("creating node %s: %w", node.Name, err)
		}
	}
	return nil
}

// restart writes kwok's configuration and starts it, ending the one that runs.
func (s *stages) restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	config, err := stageConfig(s.nodesNotReady, s.badImages, heldBack(s.bed.opts), s.podFaults)
	if err != nil {
		return fmt.Errorf("writing kwok's stages: %w", err)
	}
	if err := os.WriteFile(s.bed.file("kwok.yaml"), []byte(config), 0o600); err != nil {
		return err
	}
	if s.proc != nil {
		s.proc.kill()
		s.bed.procs.forget(s.proc)
		// The next kwok has another identity: it would wait until the leases of this one run out.
		leases := s.bed.client.CoordinationV1().Leases(corev1.NamespaceNodeLease)
		if err := leases.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
			return fmt.Errorf("taking the nodes over from the last kwok: %w", err)
		}
	}
	s.proc, err = s.bed.procs.start(spec{name: "kwok", path: s.bed.programs.kwok, logTo: s.bed.logs(), args: []string{
		"--kubeconfig=" + s.bed.Kubeconfig(), "--config=" + s.bed.file("kwok.yaml"), "--manage-all-nodes", "--node-ip=127.0.0.1",
		"--node-port=" + strconv.Itoa(s.bed.kubelet.port), "--server-address=" + loopback(s.port), "--node-lease-duration-seconds=40",
	}})
	if err != nil {
		return err
	}
	return s.proc.waitReady(ctx, httpOK("http://"+loopback(s.port)+"/healthz"))
}

// set changes what is broken and tells kwok, when it runs already.
func (s *stages) set(ctx context.Context, change func(*stages)) error {
	s.mu.Lock()
	change(s)
	running := s.proc != nil
	s.mu.Unlock()
	if !running {
		return nil
	}
	if err := s.restart(ctx); err != nil {
		return err
	}
	return s.bed.waitNodes(ctx)
}

// cannotPull says whether kwok keeps the pod from running because of an image.
func (s *stages) cannotPull(pod *corev1.Pod) bool {
	s.mu.Lock()
	bad := regexp.MustCompile(unpullableGo(s.badImages))
	s.mu.Unlock()
	for _, list := range [][]corev1.Container{pod.Spec.Containers, pod.Spec.InitContainers} {
		for _, c := range list {
			if bad.MatchString(c.Image) {
				return true
			}
		}
	}
	return false
}

// waitUsable returns when pods can be created and are scheduled: nodes as they are to be, and the default service account
// there.
func (b *Bed) waitUsable(ctx context.Context) error {
	if err := b.waitNodes(ctx); err != nil {
		return err
	}
	return poll(ctx, func(ctx context.Context) error {
		_, err := b.client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}

// waitNodes returns when every node is Ready, or when that is what is broken, none is.
func (b *Bed) waitNodes(ctx context.Context) error {
	b.stages.mu.Lock()
	ready, proc := !b.stages.nodesNotReady, b.stages.proc
	b.stages.mu.Unlock()
	ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Second, errors.New("nodes have not changed within 30 s"))
	defer cancel()
	return poll(ctx, func(ctx context.Context) error {
		nodes, err := b.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, n := range nodes.Items {
			if nodeReady(&n) != ready {
				return fmt.Errorf("node %s: Ready should be %t; last lines of kwok:\n%s", n.Name, ready, proc.tail(20))
			}
		}
		return nil
	})
}

func nodeReady(n *corev1.Node) bool {
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue && len(n.Spec.Taints) == 0
		}
	}
	return false
}
