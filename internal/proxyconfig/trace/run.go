package trace

// Run walks the request through the client's proxy and, where it is sent to
// the server of which there is a dump, through that one; either may be nil.
func Run(client, server *Dump, r *Request) *Report {
	report := &Report{Request: r}
	if client != nil {
		report.Client = Outbound(client, r)
		report.Outcome = report.Client.Outcome
	}
	return report
}
