package parity

// Case is one rendering to compare.
type Case struct {
	// Name of the case: that of the profile, or what varies.
	Name string
	// Args of `manifest generate`, for both.
	Args []string
	// Files are specs of IstioOperator documents, given with -f in order after
	// those in Args.
	Files []string
	// PeerArgs are what the peer must be told besides to mean the same, and
	// PeerWhy says why.
	PeerArgs []string
	PeerWhy  string
}

// Profiles are the cases that must be equal field by field.
func Profiles() []Case {
	var out []Case
	for _, p := range profileNames() {
		out = append(out, Case{Name: p, Args: []string{"--set", "profile=" + p}})
	}
	return out
}

func profileNames() []string {
	return []string{
		"default", "demo", "minimal", "remote", "empty", "preview", "ambient", "stable", "openshift", "openshift-ambient",
	}
}

// Variants are settings over profiles. File names are relative to this folder.
func Variants() []Case {
	set := func(name string, settings ...string) Case {
		c := Case{Name: name}
		for _, s := range settings {
			c.Args = append(c.Args, "--set", s)
		}
		return c
	}
	egress := set("egress gateway by index", "components.egressGateways[0].enabled=true")
	egress.PeerArgs = []string{"--set", "components.egressGateways[0].name=istio-egressgateway"}
	egress.PeerWhy = "istioctl forgets the profile's list when one of its elements is set, and renders objects without a name"
	return []Case{
		set("hub and tag", "hub=quay.io/acme/istio", "tag=1.10"),
		set("revision", "revision=canary"),
		{Name: "revision by flag, stable", Args: []string{"--revision", "1-31", "--set", "profile=stable"}},
		set("mesh config", "meshConfig.accessLogFile=/dev/stdout", "meshConfig.defaultConfig.proxyMetadata.A_B=1.10"),
		set("proxy resources", "values.global.proxy.resources.requests.cpu=10m", "values.global.proxy.resources.limits.memory=2Gi"),
		egress,
		set("replicas", "components.pilot.k8s.replicaCount=2"),
		set("another namespace", "values.global.istioNamespace=mesh"),
		set("ambient, GKE, compatible with 1.28", "profile=ambient", "values.global.platform=gke", "compatibilityVersion=1.28"),
		set("remote control plane", "profile=remote", "values.istiodRemote.injectionURL=https://istiod.example.com/inject",
			"values.global.remotePilotAddress=192.0.2.7"),
		set("escaped dots", `values.sidecarInjectorWebhook.injectedAnnotations.example\.com/a=b`, "values.global.logAsJson=true"),
		{Name: "production file", Args: []string{"-f", "testdata/production.yaml"}},
		{Name: "production file, revision", Args: []string{"-f", "testdata/production.yaml", "--revision", "canary"}},
		{Name: "two files and settings", Args: []string{
			"-f", "testdata/production.yaml", "-f", "testdata/override.yaml", "--set", "values.pilot.autoscaleMin=3"}},
	}
}

// Accepted is a difference of one field that stays, wherever it comes up.
type Accepted struct {
	Kind, Path, Ours, Peer, Why string
}

// AcceptedDifferences are those that may come up in any case.
func AcceptedDifferences() []Accepted {
	return []Accepted{{
		Kind: "PodDisruptionBudget", Path: "spec.minAvailable", Ours: absent, Peer: "<nil>",
		Why: "istioctl writes null for the field that maxUnavailable displaces; we leave the field out",
	}, {
		Kind: "Deployment", Path: "spec.template.spec.containers[0].image",
		Ours: `"docker.io/istio/proxyv2:1.30"`, Peer: `"docker.io/istio/proxyv2:1.3"`,
		Why: `istioctl makes a number of a component's tag, even of one in quotes: "1.30" becomes 1.3`,
	}}
}
