package bed

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

const serviceCIDR, podCIDR = "10.96.0.0/14", "10.128.0.0/9"

// insecure reads health pages of our own children on loopback.
func insecureClient() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // loopback, our own child
}

func httpOK(url string) func(context.Context) error {
	client := insecureClient()
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return stopPolling{err}
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 300))
		if resp.StatusCode/100 != 2 {
			return fmt.Errorf("%s: %s: %s", url, resp.Status, body)
		}
		return nil
	}
}

func (b *Bed) startEtcd(ctx context.Context) error {
	p, err := b.ports.takeN(2)
	if err != nil {
		return err
	}
	client, peer := "http://"+loopback(p[0]), "http://"+loopback(p[1])
	b.etcd = client
	proc, err := b.procs.start(spec{name: "etcd", path: b.programs.etcd, logTo: b.logs(), args: []string{
		"--name=bed", "--data-dir=" + filepath.Join(b.dir, "etcd"), "--unsafe-no-fsync", "--log-level=warn",
		"--listen-client-urls=" + client, "--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer, "--initial-cluster=bed=" + peer,
		"--quota-backend-bytes=4294967296",
	}})
	if err != nil {
		return err
	}
	b.notePorts("etcd", p...)
	return proc.waitReady(ctx, httpOK(client+"/health"))
}

func (b *Bed) startAPIServer(ctx context.Context) error {
	port, err := b.ports.take()
	if err != nil {
		return err
	}
	egress := fmt.Sprintf(`apiVersion: apiserver.k8s.io/v1beta1
kind: EgressSelectorConfiguration
egressSelections:
- name: cluster
  connection:
    proxyProtocol: HTTPConnect
    transport: {uds: {udsName: %s}}
`, b.socket("egress"))
	if err := os.WriteFile(b.file("egress.yaml"), []byte(egress), 0o600); err != nil {
		return err
	}
	b.notePorts("kube-apiserver", port)
	if err := b.writeKubeconfig("https://" + loopback(port)); err != nil {
		return err
	}
	b.apiserverPort = port
	return b.runAPIServer(ctx)
}

// runAPIServer starts the API server, the first time or again.
func (b *Bed) runAPIServer(ctx context.Context) error {
	proc, err := b.procs.start(spec{name: "kube-apiserver", path: b.programs.apiserver, logTo: b.logs(), args: []string{
		"--etcd-servers=" + b.etcd, "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--secure-port=" + strconv.Itoa(b.apiserverPort),
		"--tls-cert-file=" + b.file("server.crt"), "--tls-private-key-file=" + b.file("server.key"),
		"--token-auth-file=" + b.file("tokens.csv"), "--authorization-mode=RBAC", "--allow-privileged=true",
		"--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file=" + b.file("sa.key"),
		"--service-account-signing-key-file=" + b.file("sa.key"), "--service-cluster-ip-range=" + serviceCIDR,
		"--endpoint-reconciler-type=none", "--egress-selector-config-file=" + b.file("egress.yaml"), "--profiling=false",
	}})
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.apiserver = proc
	b.mu.Unlock()
	return proc.waitReady(ctx, func(ctx context.Context) error {
		return b.client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	})
}

// writeKubeconfig gives the user's way in, as administrator.
func (b *Bed) writeKubeconfig(server string) error {
	name := "bed-" + b.opts.Name
	c := api.NewConfig()
	c.Clusters[name] = &api.Cluster{Server: server, CertificateAuthorityData: b.creds.ca.pem}
	c.AuthInfos[name] = &api.AuthInfo{Token: b.creds.adminToken}
	c.Contexts[name] = &api.Context{Cluster: name, AuthInfo: name}
	c.CurrentContext = name
	if err := clientcmd.WriteToFile(*c, b.Kubeconfig()); err != nil {
		return err
	}
	b.rest = &rest.Config{Host: server, BearerToken: b.creds.adminToken, QPS: 500, Burst: 1000,
		TLSClientConfig: rest.TLSClientConfig{CAData: b.creds.ca.pem}}
	return b.newClient()
}

// startControllers starts the controller manager and the scheduler side by side.
func (b *Bed) startControllers(ctx context.Context) error {
	p, err := b.ports.takeN(2)
	if err != nil {
		return err
	}
	common := func(port int) []string {
		return []string{"--kubeconfig=" + b.Kubeconfig(), "--leader-elect=false", "--bind-address=127.0.0.1", "--secure-port=" + strconv.Itoa(port),
			"--kube-api-qps=300", "--kube-api-burst=600", "--profiling=false"}
	}
	manager, err := b.procs.start(spec{name: "kube-controller-manager", path: b.programs.controllerManager, logTo: b.logs(),
		args: append(common(p[0]), "--service-account-private-key-file="+b.file("sa.key"), "--root-ca-file="+b.file("ca.crt"),
			"--cluster-cidr="+podCIDR, "--service-cluster-ip-range="+serviceCIDR)})
	if err != nil {
		return err
	}
	scheduler, err := b.procs.start(spec{name: "kube-scheduler", path: b.programs.scheduler, logTo: b.logs(), args: common(p[1])})
	if err != nil {
		return err
	}
	b.notePorts("kube-controller-manager", p[0])
	b.notePorts("kube-scheduler", p[1])
	if err := manager.waitReady(ctx, httpOK("https://"+loopback(p[0])+"/healthz")); err != nil {
		return err
	}
	return scheduler.waitReady(ctx, httpOK("https://"+loopback(p[1])+"/readyz"))
}

const stopGrace = 2 * time.Second
