package install

// DefaultRevision is the revision of a control plane installed without one.
const DefaultRevision = "default"

// guard tells the base chart which revision is the default. By that it brings
// the webhook istiod-default-validator, through which istiod validates objects
// that name no revision: nearly all of them.
func (s *Spec) guard(c *component, values map[string]any) {
	if s.guarded && c.key == "base" && s.Revision == DefaultRevision {
		values["defaultRevision"] = DefaultRevision
	}
}
