package trace

// networkSNICluster takes the server name for the name of the cluster: that is
// how a gateway between networks forwards (AUTO_PASSTHROUGH).
func networkSNICluster(in *filterInput) filterResult {
	if in.Conn.SNI == "" {
		return filterResult{State: passes}
	}
	in.Conn.Cluster = in.Conn.SNI
	return filterResult{State: passes, Text: "the server name (SNI) is the cluster: " + in.Conn.SNI}
}

// networkDirect closes or answers the connection itself.
func networkDirect(text string) filter {
	return func(*filterInput) filterResult {
		return filterResult{State: answers, Kind: DirectResponse, Text: text}
	}
}
