package envoyfilter

import "github.com/meshctl/meshctl/internal/analyze"

// Checks are the checks of this folder.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		RelativeOperation,    // IST0151
		ReplaceIneffective,   // IST0152
		AddIneffective,       // IST0153
		RemoveIneffective,    // IST0154
		RelativeToOneVersion, // IST0155
		UnknownField,         // MSH0720
		SelectorUnmatched,    // MSH0721
		NoSuchVersion,        // MSH0722
		NoSuchCluster,        // MSH0723
		DeprecatedField,      // MSH0724
		NewerField,           // MSH0725
		NoSuchFilter,         // MSH0726
		NoSuchContext,        // MSH0727
		NoSuchListener,       // MSH0728
		NoSuchRoutes,         // MSH0729
		NoSuchVirtualHost,    // MSH0730
	}
}
