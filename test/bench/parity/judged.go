package parity

import "strings"

// Judged is an input that one of the tools takes and the other refuses, and why.
type Judged struct {
	Case
	Why string
}

func setting(settings ...string) Case {
	c := Case{Name: strings.Join(settings, " ")}
	for _, s := range settings {
		c.set(s)
	}
	return c
}

func file(name, spec string) Case { return Case{Name: name, Files: []string{spec}} }

// Stricter are inputs that istioctl takes and meshctl refuses.
func Stricter() []Judged {
	const typo = "istioctl passes over what it does not know; a misspelt key must not be silent"
	return []Judged{
		{setting("meshConfig.accessLogFil=/dev/stdout"), typo},
		{file("an unknown key of meshConfig", "meshConfig: {defaultConfig: {proxyMetadta: {A: b}}}"), typo},
		{setting("profile"), "istioctl sets an empty text where = is missing"},
		{setting("hub=https://quay.io/x"), "no image reference has a scheme; the pods could not start"},
		{setting("revision=Upper"), "Kubernetes refuses the name istiod-Upper"},
		{file("an open bracket in an overlay's path",
			"components: {pilot: {k8s: {overlays: [{kind: Deployment, name: istiod, patches: [{path: 'spec.[0', value: 1}]}]}}}"),
			"istioctl leaves a patch out that it cannot read, and says nothing"},
		{file("a tag that is a fraction", "tag: 1.10"), "YAML reads 1.10 as the number 1.1, and istioctl installs that; in quotes it is a text"},
		{file("two gateways of one name", "components: {ingressGateways: [{name: a}, {name: a}]}"), "the objects of the second would take the place of the first's"},
		{file("a namespace that cannot be", "components: {cni: {enabled: true, namespace: A_B}}"), "Kubernetes refuses the name"},
		{file("a key twice", "hub: a.example.com\nhub: b.example.com"), "istioctl takes the last; one of the two is a mistake"},
	}
}

// Laxer are inputs that istioctl refuses and meshctl takes.
func Laxer() []Judged {
	const number = "istioctl makes a number of the setting and then wants a text; meshctl knows that a text is wanted"
	const chart = "the charts read the key, and istioctl does not know it"
	return []Judged{
		{setting("values.global.proxy.excludeOutboundPorts=3306"), number},
		{setting("values.global.proxy.resources.limits.cpu=1"), number},
		{setting("values.global.network=1"), number},
		{setting("meshConfig.trustDomain=1"), number},
		{setting("components.pilot.k8s.podAnnotations.cost=1.10"), number},
		{setting("components.pilot.k8s.nodeSelector.gpu=true"), number},
		{setting("values.cni.terminationGracePeriodSeconds=9"), chart},
		{setting("values.pilot.pdb.minAvailable=2"), chart},
		{setting("values.pilot.trustedZtunnelName=zt"), chart},
		{setting("values.cni.tolerations[0].key=a"), chart},
		{setting("values.global.waypoint.tolerations[0].key=a"), chart},
		{file("selectors of gateways' anti-affinity",
			"values: {gateways: {istio-ingressgateway: {podAntiAffinityLabelSelector: [{key: app, operator: In, values: edge, topologyKey: zone}]}}}"),
			"istioctl wants a label selector there, which the chart cannot read"},
		{setting("addons.kiali.enabled=true", "profile=minimal"), "add-ons are meshctl's own"},
		{setting("spec.hub=quay.io/x"), "settings stand under spec; naming it is harmless"},
		{setting("hub=quay.io/x,tag=1.31.0"), "several settings may stand in one flag where that is unambiguous"},
		{Case{Name: "a file without a kind", Args: []string{"-f", "testdata/nokind.yaml"}}, "an input file can be nothing but an IstioOperator"},
	}
}

// Divergent are inputs that both take and render differently.
func Divergent() []Judged {
	patched := func(name, kind, object, patch string) Case {
		return file(name, "components: {pilot: {k8s: {overlays: [{kind: "+kind+", name: "+object+", patches: ["+patch+"]}]}}}")
	}
	const typed = "istioctl makes a number or a boolean of every text that could be one; meshctl only where the text would come back the same"
	return []Judged{
		{setting("components.ingressGateways[1].name=edge"),
			"istioctl forgets the profile's list when an element of it is set: the gateway that the profile has is gone; meshctl adds to the list"},
		{setting("components.egressGateways[0].enabled=true"), "for the same reason istioctl renders a gateway whose objects have no name"},
		{setting("values.pilot.env.A=1.10"), typed},
		{setting("values.pilot.env.A=007"), typed},
		{setting("values.pilot.env.A=1e3"), typed},
		{setting("values.pilot.podAnnotations.a=t"), typed},
		{setting("components.pilot.tag=1.10"), "so istioctl makes 1.1 of a component's tag, even of one that is in quotes in a file"},
		{file("a component's tag in a file", `components: {pilot: {tag: "1.30"}}`), "the same"},
		{Case{Name: "a setting below a null of a file", Args: []string{"--set", "values.pilot.resources.requests.cpu=1m"}, Files: []string{"values: {pilot: {resources: null}}"}},
			"istioctl loses the setting"},
		{patched("dots in the brackets of an overlay's path", "MutatingWebhookConfiguration", "istio-sidecar-injector",
			"{path: 'webhooks.[name:object.sidecar-injector.istio.io].failurePolicy', value: Ignore}"),
			"istioctl cuts the path at the dots, finds nothing, and says nothing; with a backslash before each dot both do the same"},
		{patched("an overlay removes what is not there", "Deployment", "istiod", "{path: spec.nosuch.deeper}"),
			"istioctl leaves an empty map where it looked, which the API server may refuse"},
		{patched("an overlay makes a list", "Deployment", "istiod", "{path: 'spec.template.spec.hostAliases.[0].ip', value: 192.0.2.1}"),
			"istioctl makes a map with the key [0] where a list is missing, which the API server refuses"},
		{patched("an overlay's text that looks like YAML", "ConfigMap", "istio", "{path: data.mesh, value: 'accessLogFile: /dev/stdout'}"),
			"istioctl makes a map of it even where Kubernetes takes a text only: data of ConfigMaps and Secrets, annotations, labels, arguments, environment variables"},
	}
}

// Rejected are inputs that both tools must refuse.
func Rejected() []Case {
	set := setting
	return []Case{
		set("profile=nosuch"),
		set("hub=UPPER CASE"),
		set("tag=a:b"),
		set("tag=a b"),
		set("revision=1.31"),
		set("compatibilityVersion=1.2"),
		set("componets.pilot.enabled=true"),
		set("components.pilots.enabled=true"),
		set("components.pilot.enabled=maybe"),
		set("components.pilot.k8s.replicas=2"),
		set("components.pilot.k8s.replicaCount=two"),
		set("components.pilot.k8s.replicaCount=-1"),
		set("components.pilot.k8s.hpaSpec.minReplica=2"),
		set("components.pilot.k8s.hpaSpec.minReplicas=two"),
		set("components.pilot.k8s.resources.requests.cpu=ten"),
		set("components.ingressGateways[name:nosuch].enabled=true"),
		set("components.ingressGateways.[x].enabled=true"),
		set("values.pilot.autoscaleMn=2"),
		set("values.pilot.autoscaleMin=two"),
		set("values.pilot.autoscaleEnabled=maybe"),
		set("values.global.resourceScope=everything"),
		set("values.global.proxy.tracer=nosuch"),
		set("values.global.platform=nosuch"),
		set("values.profile=nosuch"),
		set("values.global.pilotCertProvider=kubernetes"),
		set("values.global.proxy.includeIPRanges=10.0.0.0"),
		set("values.global.proxy.excludeIPRanges=nonsense"),
		set("values.global.proxy.includeInboundPorts=http"),
		set("values.global.proxy.excludeInboundPorts=70000"),
		set("values.nosuch.x=y"),
		set("meshConfig.accessLogEncoding=XML"),
		set("meshConfig.connectTimeout=5 minutes"),
		set("meshConfig.enableTracing=maybe"),
		set("meshConfig.defaultConfig.concurrency=many"),
		file("a map for the gateways", "components: {ingressGateways: {name: x}}"),
		file("a list for the values", "values: [a]"),
		file("a text for a component", "components: {pilot: on-please}"),
		file("imagePullSecrets as objects", "values: {global: {imagePullSecrets: [{name: registry}]}}"),
		file("a port below 1024", "components: {ingressGateways: [{name: x, k8s: {service: {ports: [{name: http, port: 80, targetPort: 80}]}}}]}"),
		file("a port below 1024 by default", "components: {ingressGateways: [{name: x, k8s: {service: {ports: [{name: http, port: 80}]}}}]}"),
		file("ingressPorts below 1024", "values: {gateways: {istio-ingressgateway: {ingressPorts: [{name: x, port: 80, targetPort: 80}]}}}"),
		file("a gateway's name", "components: {ingressGateways: [{name: Upper Case}]}"),
		file("unknown field of affinity", "components: {pilot: {k8s: {affinity: {nodeAfinity: {}}}}}"),
		file("unknown field of an overlay", "components: {pilot: {k8s: {overlays: [{kind: Deployment, nam: istiod}]}}}"),
		file("unknown field of values' affinity", "values: {pilot: {affinity: {nodeAfinity: {}}}}"),
		file("unknown field of values' toleration", "values: {pilot: {tolerations: [{keey: a}]}}"),
		file("unknown field of values' volume", "values: {pilot: {volumes: [{nam: a}]}}"),
		file("unknown field of seccompProfile", "values: {global: {proxy: {seccompProfile: {typ: RuntimeDefault}}}}"),
		file("unknown field of a selector", "values: {sidecarInjectorWebhook: {neverInjectSelector: [{matchLabel: {a: b}}]}}"),
		file("unknown field of lifecycle", "values: {global: {proxy: {lifecycle: {preStp: {}}}}}"),
		file("unknown field of topologySpreadConstraints", "values: {pilot: {topologySpreadConstraints: [{maxSkw: 1}]}}"),
		file("a number for a label", "components: {ingressGateways: [{name: x, label: {a: 1}}]}"),
		file("a number for a node's label", "components: {pilot: {k8s: {nodeSelector: {size: 2}}}}"),
		file("a number for an annotation", "components: {pilot: {k8s: {podAnnotations: {cost: 1.10}}}}"),
		file("an environment variable that is a boolean", "components: {pilot: {k8s: {env: [{name: A, value: true}]}}}"),
		file("a text that is not a duration", "meshConfig: {dnsRefreshRate: never}"),
		file("the wrong case of an enum", "meshConfig: {outboundTrafficPolicy: {mode: registry_only}}"),
		file("a boolean as a text in values", `values: {global: {logAsJson: "maybe"}}`),
		file("a list for one", "values: {pilot: {env: [A]}}"),
		file("a map for a text", "values: {global: {hub: {a: b}}}"),
		{Name: "two documents", Args: []string{"-f", "testdata/two.yaml"}},
		{Name: "another kind", Args: []string{"-f", "testdata/deployment.yaml"}},
		{Name: "no such file", Args: []string{"-f", "testdata/nosuch.yaml"}},
		{Name: "stdin before a file", Args: []string{"-f", "-", "-f", "testdata/override.yaml"}},
		{Name: "no such manifests", Args: []string{"--manifests", "testdata/nosuch"}},
	}
}
