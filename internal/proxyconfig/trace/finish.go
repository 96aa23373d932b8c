package trace

import "strings"

// finish adds to the outcome what does not depend on which step ended the walk.
func (h *httpWalk) finish() {
	o := &h.walk.Outcome
	grpc := isGRPC(h.req.Headers)
	if o.Kind != Undecidable {
		o.Flags = joinFlags(o.Flags, h.flags)
	}
	for i := range o.Clusters {
		t := &o.Clusters[i]
		t.Flags = joinFlags(t.Flags, h.flags)
		if grpc && t.Status != 0 {
			t.Status = 200
		}
	}
	if grpc && o.Status != 0 && o.Status != 200 {
		h.step(Step{Name: "gRPC", State: Note, Text: "a gRPC client gets this as status 200 with grpc-status " + grpcStatus(o.Status)})
		o.Status = 200
	}
}

// isGRPC says whether Envoy takes a request for gRPC: it then answers as gRPC does.
func isGRPC(headers Headers) bool {
	kind, _ := headers.Get("content-type")
	rest, ok := strings.CutPrefix(kind, "application/grpc")
	return ok && (rest == "" || rest[0] == '+')
}

// grpcStatus is what Envoy makes of an HTTP status of its own for a gRPC client.
func grpcStatus(status int) string {
	switch status {
	case 400:
		return "13 (INTERNAL)"
	case 401:
		return "16 (UNAUTHENTICATED)"
	case 403:
		return "7 (PERMISSION_DENIED)"
	case 404:
		return "12 (UNIMPLEMENTED)"
	case 429, 502, 503, 504:
		return "14 (UNAVAILABLE)"
	}
	return "2 (UNKNOWN)"
}

// joinFlags adds flags that are not there yet.
func joinFlags(flags string, more []string) string {
	for _, f := range more {
		switch {
		case flags == "":
			flags = f
		case !strings.Contains(","+flags+",", ","+f+","):
			flags += "," + f
		}
	}
	return flags
}
