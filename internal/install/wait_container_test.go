package install

import (
	"strings"
	"testing"
)

func TestWhyContainers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]whyCase{
		"crash loop": {
			seen:  []string{container(`restartCount: 4, state: {waiting: {reason: CrashLoopBackOff, message: back-off 40s}}, lastState: {terminated: {exitCode: 1, reason: Error, finishedAt: "2026-01-01T00:00:48Z"}}`), event("p", "BackOff", "Back-off restarting failed container")},
			log:   "info\tstarting\nerror\tfailed to create discovery service: bad mesh config\n",
			where: oneCont, reason: "CrashLoopBackOff", says: "exited with code 1; restarts: 4", next: "kubectl logs istiod-2-a -n ns -c discovery --previous",
			proof: "  | error\tfailed to create discovery service: bad mesh config", terminal: true,
		},
		"first crash": {
			seen:  []string{container(`restartCount: 0, state: {terminated: {exitCode: 2, reason: Error, finishedAt: "2026-01-01T00:00:59Z"}}`)},
			log:   "panic: x",
			where: oneCont, reason: "CrashLoopBackOff", says: "exited with code 2", next: "kubectl logs istiod-2-a -n ns -c discovery`",
			proof: "status terminated (1s ago): exit code 2, reason Error",
		},
		"started again a moment ago": {
			seen:  []string{container(`restartCount: 3, ready: false, state: {running: {startedAt: "2026-01-01T00:00:58Z"}}, lastState: {terminated: {exitCode: 1}}`)},
			log:   "x",
			where: oneCont, reason: "CrashLoopBackOff", says: "exited with code 1; restarts: 3", terminal: true,
		},
		"started again and stays": {
			seen:  []string{container(`restartCount: 3, ready: false, state: {running: {startedAt: "2026-01-01T00:00:45Z"}}, lastState: {terminated: {exitCode: 1}}`)},
			where: onePod, reason: "Waiting", says: "container discovery is running and not ready yet",
		},
		"ended by itself": {
			seen:  []string{container(`restartCount: 1, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 0, reason: Completed}}`)},
			log:   "bye",
			where: oneCont, reason: "CrashLoopBackOff", says: "ended by itself (exit code 0), though it should stay; restarts: 1",
		},
		"logs that may not be read": {
			seen:  []string{container(`restartCount: 1, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 1}}`)},
			where: oneCont, reason: "CrashLoopBackOff", says: "exited with code 1; restarts: 1", proof: "  | (not readable: no log)",
		},
		"out of memory": {
			seen:  []string{container(`restartCount: 5, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 137, reason: OOMKilled}}`)},
			log:   "x",
			where: oneCont, reason: "OOMKilled", says: "killed for using more memory than its limit of 64Mi; restarts: 5", next: "resources.limits.memory", terminal: true,
		},
		"init container": {
			seen:  []string{pod("nodeName: n1, initContainers: [{name: istio-init}]", `initContainerStatuses: [{name: istio-init, restartCount: 3, state: {terminated: {exitCode: 1, reason: Error, message: "iptables: permission denied"}}}], containerStatuses: [{name: discovery, state: {waiting: {reason: PodInitializing}}}]`)},
			log:   "iptables-restore: unable to initialize table 'nat'",
			where: "Pod ns/istiod-2-a, container istio-init", reason: "CrashLoopBackOff", says: "init container istio-init: exited with code 1: iptables: permission denied; restarts: 3",
			next: "-c istio-init", proof: "  | iptables-restore: unable to initialize table 'nat'", terminal: true,
		},
		"init container that works": {
			seen:  []string{pod("nodeName: n1, initContainers: [{name: istio-init}]", `initContainerStatuses: [{name: istio-init, ready: false, state: {running: {}}}], containerStatuses: [{name: discovery, state: {waiting: {reason: PodInitializing}}}]`)},
			where: onePod, reason: "Waiting", says: "init container istio-init is running",
		},
		"readiness probe": {
			seen:  []string{container(`ready: false, state: {running: {}}`), event("p", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")},
			log:   "warn\tnot yet synced",
			where: oneCont, reason: "Unhealthy", says: "Readiness probe failed: HTTP probe failed with statuscode: 503", next: "kubectl logs istiod-2-a -n ns -c discovery",
			proof: "event Unhealthy (5s ago, 7 times): Readiness probe failed: HTTP probe failed with statuscode: 503",
		},
		"probe that fails while it starts": {
			seen:  []string{container(`ready: false, state: {running: {}}`), strings.Replace(event("p", "Unhealthy", "Readiness probe failed: refused"), "00:00:05Z", "00:00:57Z", 1)},
			where: onePod, reason: "Waiting", says: "container discovery is running and not ready yet",
		},
		"liveness probe": {
			seen: []string{container(`restartCount: 3, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 143}}`), event("p", "Killing", "Container discovery failed liveness probe, will be restarted")},
			log:  "x", where: oneCont, reason: "CrashLoopBackOff", says: "exited with code 143; restarts: 3", terminal: true,
			proof: "event Killing (5s ago, 7 times): Container discovery failed liveness probe, will be restarted",
		},
		"missing secret": {
			seen:  []string{container(`state: {waiting: {reason: CreateContainerConfigError, message: 'secret "cacerts" not found'}}`)},
			where: oneCont, reason: "CreateContainerConfigError", says: "it needs Secret ns/cacerts, which is not there", next: "kubectl create secret generic cacerts -n ns",
			proof: `status CreateContainerConfigError: secret "cacerts" not found`, terminal: true,
		},
		"missing key": {
			seen:  []string{container(`state: {waiting: {reason: CreateContainerConfigError, message: "couldn't find key root.pem in Secret ns/cacerts"}}`)},
			where: oneCont, reason: "CreateContainerConfigError", says: "couldn't find key root.pem in Secret ns/cacerts", next: "kubectl describe pod istiod-2-a -n ns", terminal: true,
		},
		"mount": {
			seen:  []string{container(`state: {waiting: {reason: ContainerCreating}}`), event("p", "FailedMount", `MountVolume.SetUp failed for volume x : configmap \"mine\" not found`)},
			where: onePod, reason: "FailedMount", says: "a volume needs ConfigMap ns/mine, which is not there", next: "kubectl create configmap mine -n ns", terminal: true,
		},
		"mount of what istiod brings": {
			seen:  []string{container(`state: {waiting: {reason: ContainerCreating}}`), event("p", "FailedMount", `configmap \"istio-ca-root-cert\" not found`)},
			where: onePod, reason: "FailedMount", says: `configmap "istio-ca-root-cert" not found`, next: "istiod writes this ConfigMap",
		},
		"network plugin": {
			seen:  []string{container(`state: {waiting: {reason: ContainerCreating}}`), event("p", "FailedCreatePodSandBox", `failed to setup network for sandbox: plugin type=istio-cni failed`)},
			where: onePod, reason: "FailedCreatePodSandBox", says: "failed to setup network for sandbox: plugin type=istio-cni failed", next: "network plugin of node n1",
		},
		"evicted": {
			seen:  []string{pod("nodeName: n1", `phase: Failed, reason: Evicted, message: "The node was low on resource: memory. Threshold quantity: 100Mi, available: 20Mi. "`)},
			where: onePod, reason: "Evicted", says: "its node threw the pod out: The node was low on resource: memory.", next: "kubectl describe node n1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.check(t)
		})
	}
}

func TestWhyImages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		told     string
		says     string
		next     string
		terminal bool
	}{
		"not found": {
			`failed to pull and unpack image "x/pilot:1": failed to resolve reference "x/pilot:1": x/pilot:1: not found`,
			"image x/pilot:1 cannot be pulled: not found", "no such image", true,
		},
		"manifest unknown": {
			"rpc error: code = Unknown desc = reading manifest 1 in x/pilot: manifest unknown",
			"image x/pilot:1 cannot be pulled: reading manifest 1 in x/pilot: manifest unknown", "no such image", true,
		},
		"denied": {
			`failed to resolve reference "x/pilot:1": pull access denied, repository does not exist or may require authorization`,
			"image x/pilot:1 cannot be pulled: pull access denied, repository does not exist or may require authorization", "imagePullSecrets", true,
		},
		"rate limit": {
			`failed to copy: httpReadSeeker: unexpected status code https://x/v2/pilot/manifests/sha256: 429 Too Many Requests - toomanyrequests: manifest not found for you`,
			"image x/pilot:1 cannot be pulled: failed to copy: httpReadSeeker: unexpected status code https://x/v2/pilot/manifests/sha256: 429 Too Many Requests - toomanyrequests: manifest not found for you", "limits pulls", false,
		},
		"timeout": {
			`failed to resolve reference "x/pilot:1": failed to do request: Head "https://x/v2/pilot/manifests/1": dial tcp 10.0.0.1:443: i/o timeout`,
			`image x/pilot:1 cannot be pulled: failed to do request: Head "https://x/v2/pilot/manifests/1": dial tcp 10.0.0.1:443: i/o timeout`, "DNS, firewall and proxy", false,
		},
		"no answer yet": {
			`Back-off pulling image "x/pilot:1"`, "image x/pilot:1 cannot be pulled", "can pull x/pilot:1", false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			quoted := strings.ReplaceAll(c.told, `'`, `''`)
			case1 := whyCase{where: oneCont, reason: "ErrImagePull", says: c.says, next: c.next, terminal: c.terminal,
				seen: []string{
					container(`state: {waiting: {reason: ErrImagePull, message: '` + quoted + `'}}`),
					container(`state: {waiting: {reason: ImagePullBackOff, message: Back-off}}`), // its reason is remembered
				}}
			case1.check(t)
		})
	}
	whyCase{
		seen:  []string{container(`state: {waiting: {reason: InvalidImageName, message: couldn't parse image}}`)},
		where: oneCont, reason: "InvalidImageName", says: "x/pilot:1 is no image name: couldn't parse image", terminal: true,
	}.check(t)
}
