package schema

import "github.com/meshctl/meshctl/internal/analyze"

// Checks are the checks of this folder.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		Invalid,                // IST0106
		Refused,                // IST0106
		InvalidMeshConfig,      // IST0106
		UnknownKubernetesField, // MSH0701
		OldVersion,             // MSH0702
		UnreachableRule,        // IST0130
		IneffectiveMatch,       // IST0131
		Doubtful,               // IST0133
	}
}
