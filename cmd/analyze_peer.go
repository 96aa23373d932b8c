package cmd

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// addPeerFlags registers istioctl's flags of analyze that have no other name
// here, and those that ask for what is done anyway.
func (a *analyzeFlags) addPeerFlags(c *cobra.Command, f *Factory) {
	fs := c.Flags()
	addIdle(fs, "recursive", "R")
	addIdle(fs, "verbose", "v")
	fs.String("vklog", "", "")
	_ = fs.MarkHidden("vklog")
	fs.BoolVar(&a.color, "color", false, "")
	_ = fs.MarkHidden("color")
	fs.StringSliceVar(&a.remoteContexts, "remote-contexts", nil, "contexts of further clusters to read as one mesh with the current one")
	_ = c.RegisterFlagCompletionFunc("remote-contexts", f.completeContexts)
}

// addIdle accepts a flag that asks for what is done anyway.
func addIdle(fs *pflag.FlagSet, name, short string) {
	fs.BoolP(name, short, false, "")
	_ = fs.MarkHidden(name)
}

// peerAnalyzeFlags accepts istioctl's names of analyze's flags.
func peerAnalyzeFlags(fs *pflag.FlagSet, name string) pflag.NormalizedName {
	switch name {
	case "analyzer":
		name = "only"
	case "list-analyzers":
		name = "list-checks"
	case "failure-threshold":
		name = "fail-on"
	case "meshConfigFile":
		name = "mesh-config"
	}
	return peerFlagNames(fs, name)
}

// applyPeerFlags makes of istioctl's flags what they mean here.
func (a *analyzeFlags) applyPeerFlags(c *cobra.Command, f *Factory) {
	a.only, a.skip = ofPeerAnalyzers(a.only), ofPeerAnalyzers(a.skip)
	if !c.Flags().Changed("color") {
		return
	}
	f.IO.Color = a.color && !f.noColor
	f.IO.OutTTY = f.IO.OutTTY || a.color // asked for, also into a pipe
}

// ofPeerAnalyzers puts the checks of istioctl's analyzers in their places.
func ofPeerAnalyzers(words []string) []string {
	var all []string
	known := peerAnalyzers()
	for _, word := range words {
		if codes, ok := known[strings.ToLower(word)]; ok {
			all = append(all, strings.Fields(codes)...)
		} else {
			all = append(all, word)
		}
	}
	return all
}

// peerAnalyzers are the checks of each of istioctl's analyzers, by its name in
// lower case. Those of a schema run over all kinds.
func peerAnalyzers() map[string]string {
	all := map[string]string{
		"annotations.K8sAnalyzer":                              "IST0107 IST0108 IST0125 IST0135",
		"applicationUID.Analyzer":                              "IST0144",
		"auth.AuthorizationPoliciesAnalyzer":                   "IST0127 missing-source-namespace",
		"authn.BlockedCIDRsAnalyzer":                           "IST0175",
		"conditions.ConditionAnalyzer":                         "IST0171",
		"deployment.MultiServiceAnalyzer":                      "IST0116 IST0137",
		"deprecation.DeprecationAnalyzer":                      "deprecated-fault-percent deprecated-egress-proxy deprecated-rbac-crds",
		"destinationrule.CaCertificateAnalyzer":                "IST0128 IST0129",
		"destinationrule.SubsetSelectPodAnalyzer":              "IST0173 IST0174",
		"envoyfilter.EnvoyPatchAnalyzer":                       "IST0151 IST0152 IST0153 IST0154 IST0155",
		"externalcontrolplane.ExternalControlPlaneAnalyzer":    "IST0163 IST0164",
		"gateway.CertificateAnalyzer":                          "IST0138",
		"gateway.ConflictingGatewayAnalyzer":                   "IST0145",
		"gateway.IngressGatewayPortAnalyzer":                   "gateway-without-workloads IST0162",
		"gateway.SecretAnalyzer":                               "gateway-without-workloads missing-credential IST0161",
		"injection.Analyzer":                                   "IST0102 IST0103 IST0123 IST0148",
		"injection.ImageAnalyzer":                              "IST0158",
		"injection.ImageAutoAnalyzer":                          "IST0146 IST0147",
		"k8sgateway.CRDVersionAnalyzer":                        "IST0176",
		"k8sgateway.SelectorAnalyzer":                          "IST0166",
		"meshnetworks.MeshNetworksAnalyzer":                    "IST0126",
		"service.PortNameAnalyzer":                             "IST0118 IST0150",
		"serviceentry.Analyzer":                                "IST0134",
		"serviceentry.ConflictingServiceEntryProtocolAnalyzer": "IST0177",
		"services.MultiClusterServiceAnalyzer":                 "IST0170",
		"sidecar.SelectorAnalyzer":                             "sidecar-without-workloads IST0110 IST0111 IST0167",
		"telemetry.DefaultSelectorAnalyzer":                    "IST0160",
		"telemetry.LightstepAnalyzer":                          "deprecated-lightstep",
		"telemetry.ProviderAnalyzer":                           "IST0157",
		"telemetry.SelectorAnalyzer":                           "telemetry-without-workloads IST0159",
		"virtualservice.ConflictingMeshGatewayHostsAnalyzer":   "IST0109",
		"virtualservice.DestinationHostAnalyzer":               "missing-host missing-port IST0112 IST0140",
		"virtualservice.DestinationRuleAnalyzer":               "missing-subset",
		"virtualservice.GatewayAnalyzer":                       "missing-gateway IST0132 IST0165",
		"virtualservice.JWTClaimRouteAnalyzer":                 "IST0149",
		"webhook.Analyzer":                                     "IST0139",
		"schema.ValidationAnalyzer.VirtualService":             "IST0106 IST0133 IST0130 IST0131",
	}
	for _, kind := range []string{
		"AuthorizationPolicy", "DestinationRule", "EnvoyFilter", "Gateway", "MeshConfig", "MeshNetworks", "PeerAuthentication", "ProxyConfig", "RequestAuthentication",
		"ServiceEntry", "Sidecar", "Telemetry", "TrafficExtension", "WasmPlugin", "WorkloadEntry", "WorkloadGroup",
	} {
		all["schema.ValidationAnalyzer."+kind] = "IST0106 IST0133"
	}
	for _, name := range slices.Collect(maps.Keys(all)) {
		all[strings.ToLower(name)] = all[name]
	}
	return all
}
