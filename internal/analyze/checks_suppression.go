package analyze

// UnusedSuppression finds suppressions that silence nothing. What runs is the
// engine, after all other checks.
var UnusedSuppression = &Check{
	Code: "MSH1001", Name: "unused-suppression", Severity: Info,
	Doc: Doc{
		What: "A suppression in an annotation, in .meshctl.yaml or on the command line suppresses nothing: the checks that it names ran over the objects that it names, and found nothing; or an annotation names a check that does not exist.",
		Why:  "The defect is gone, or the suppression never fitted. What is left of it would hide the same defect when it comes back.",
		Fix:  "Remove the suppression, or correct the code and the object that it names.",
	},
	Run: func(*Pass) {},
}

// ExpiredSuppression finds suppressions whose last day has passed.
var ExpiredSuppression = &Check{
	Code: "MSH1002", Name: "expired-suppression", Severity: Warning,
	Doc: Doc{
		What: "A suppression in .meshctl.yaml was to end on a day that has passed.",
		Why:  "It suppresses nothing any more: the findings that it was for are in the report again, if there still are any.",
		Fix:  "Mend what was to be mended by then and remove the suppression, or give it another day.",
	},
	Run: func(*Pass) {},
}
