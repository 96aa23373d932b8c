package upgrade

// checks runs what no rule can say.
func (p *planner) checks() error {
	p.way()
	if err := p.kubernetes(); err != nil {
		return err
	}
	if err := p.gatewayAPI(); err != nil {
		return err
	}
	if err := p.crds(); err != nil {
		return err
	}
	p.envoyFilters()
	if err := p.guards(); err != nil {
		return err
	}
	p.apiVersions()
	p.deprecatedFields()
	if err := p.deprecatedValues(); err != nil {
		return err
	}
	p.oldProxies()
	p.unknownProxies()
	return nil
}

// CheckIDs are the findings that are no rules.
func CheckIDs() []string {
	return []string{
		"downgrade", "skips-a-minor", "skips-minors", "older-releases", "kubernetes-version", "gateway-api-crds", "crds-lose", "crds-gain",
		"envoy-filters", "envoy-filter-unknown", "envoy-filter-deprecated", "envoy-filter-proxy-version", "envoy-runtime-guards", "old-api-versions", "deprecated-fields",
		"deprecated-values", "old-proxies", "unknown-proxies",
	}
}

// current says whether the target is a release of the minor version whose
// CRDs and Envoy API this program holds.
func (p *planner) current() bool {
	embedded, err := ParseVersion(p.in.Embedded)
	return err == nil && p.plan.To.Minor() == embedded.Minor()
}
