package trace

import (
	"slices"
	"strings"
	"testing"

	"github.com/meshctl/meshctl/internal/hint"
)

// TestEveryCodeIsToldWhole holds the table to its form: short, whole, and each
// name once.
func TestEveryCodeIsToldWhole(t *testing.T) {
	t.Parallel()
	steps := []string{atListener, atChain, atFilter, atVirtualHost, atRoute, atCluster, atTLS, atEndpoint, atServer, ""}
	seen := map[string]bool{}
	for _, c := range Codes() {
		for _, name := range []string{c.Name, c.Long} {
			if key := strings.ToLower(name); key != "" && seen[key] {
				t.Errorf("%s is there twice", name)
			} else {
				seen[key] = true
			}
		}
		if c.Details == (c.Long != "") && c.Name != "-" {
			t.Errorf("%s: flags have a long name, details none; it has %q", c.Name, c.Long)
		}
		if !strings.HasSuffix(c.Meaning, ".") || len(c.Meaning) > 220 {
			t.Errorf("%s: the meaning is no sentence, or longer than 220 characters: %q", c.Name, c.Meaning)
		}
		if len(c.Causes) == 0 || len(c.Next) == 0 {
			t.Errorf("%s has no causes or nothing to do next", c.Name)
		}
		if !slices.Contains(steps, c.Step) {
			t.Errorf("%s points to step %q", c.Name, c.Step)
		}
		for _, cause := range c.Causes {
			if strings.HasSuffix(cause, ".") || len(cause) > 170 {
				t.Errorf("%s: the cause ends with a full stop or is longer than 170 characters: %q", c.Name, cause)
			}
		}
	}
}

// TestEnvoyFlags are the flags that Envoy 1.40's documentation lists.
func TestEnvoyFlags(t *testing.T) {
	t.Parallel()
	for word := range strings.FieldsSeq(`NoHealthyUpstream/UH UpstreamConnectionFailure/UF UpstreamOverflow/UO NoRouteFound/NR
		UpstreamRetryLimitExceeded/URX NoClusterFound/NC DurationTimeout/DT DownstreamConnectionTermination/DC
		FailedLocalHealthCheck/LH UpstreamRequestTimeout/UT LocalReset/LR UpstreamRemoteReset/UR
		UpstreamConnectionTermination/UC DelayInjected/DI FaultInjected/FI RateLimited/RL UnauthorizedExternalService/UAEX
		RateLimitServiceError/RLSE InvalidEnvoyRequestHeaders/IH StreamIdleTimeout/SI DownstreamProtocolError/DPE
		UpstreamProtocolError/UPE UpstreamMaxStreamDurationReached/UMSDR ResponseFromCacheFilter/RFCF
		NoFilterConfigFound/NFCF OverloadManagerTerminated/OM DnsResolutionFailed/DF DropOverload/DO
		DownstreamRemoteReset/DR UnconditionalDropOverload/UDO`) {
		long, short, _ := strings.Cut(word, "/")
		for _, name := range []string{long, short, strings.ToLower(short)} {
			codes, err := ExplainCodes(name)
			if err != nil || len(codes) != 1 || codes[0].Name != short || codes[0].Long != long {
				t.Errorf("%s: got %+v, %v", name, codes, err)
			}
		}
	}
}

func TestExplainCodes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		word  string
		names string // with commas
		part  string // a piece of the last one's PartMeaning
	}{
		{"UF,URX", "UF,URX", ""},
		{" nr ", "NR", ""},
		{"-", "-", ""},
		{`"UF,URX" via_upstream`, "UF,URX,via_upstream", ""},
		{"RBAC", "rbac_access_denied_matched_policy", ""},
		{"rbac_access_denied_matched_policy[none]", "rbac_access_denied_matched_policy", "No policy matched"},
		{"rbac_access_denied_matched_policy[ns[shop]-policy[no-admin]-rule[2]]", "rbac_access_denied_matched_policy", "AuthorizationPolicy no-admin.shop matched: rule 2"},
		{"rbac_access_denied_matched_policy[mine]", "rbac_access_denied_matched_policy", "istiod did not make it"},
		{"jwt_authn_access_denied{Jwt_is_expired}", "jwt_authn_access_denied", "exp is in the past"},
		{"jwt_authn_access_denied{Jwks_doesn't_have_key_to_match_kid_or_alg_from_Jwt}", "jwt_authn_access_denied", "No key of jwksUri"},
		{"upstream_reset_before_response_started{connection_termination}", "upstream_reset_before_response_started", "The server's side closed the connection."},
		{
			"upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}",
			"upstream_reset_before_response_started", "Nothing listens on that address and port.",
		},
		{
			"upstream_reset_before_response_started{connection_failure,TLS_error:|268435703:SSL_routines:OPENSSL_internal:WRONG_VERSION_NUMBER}",
			"upstream_reset_before_response_started", "plain text where TLS was expected",
		},
		{"503 UF", "", ""},
		{"XYZ", "", ""},
		{",", "", ""},
		{"", "", ""},
	} {
		codes, err := ExplainCodes(test.word)
		if test.names == "" {
			if err == nil || hint.ClassOf(err) != hint.Usage || hint.Of(err) == "" {
				t.Errorf("%q: got %v, %v; want a usage error with a hint", test.word, codes, err)
			}
			continue
		}
		var names []string
		for _, c := range codes {
			names = append(names, c.Name)
		}
		if err != nil || strings.Join(names, ",") != test.names {
			t.Errorf("%q: got %v, %v; want %s", test.word, names, err, test.names)
			continue
		}
		if got := codes[len(codes)-1].PartMeaning; !strings.Contains(got, test.part) || (test.part == "") != (got == "") {
			t.Errorf("%q: the part says %q; want %q", test.word, got, test.part)
		}
	}
}

func TestUnknownCodeProposesTheNearest(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{"URXX": "URX", "NoRoutFound": "NoRouteFound", "route_notfound": "route_not_found", "404": "the flag that stands beside"} {
		if _, err := ExplainCodes(word); err == nil || !strings.Contains(hint.Of(err), want) {
			t.Errorf("%s: got %v, hint %q; want %s in it", word, err, hint.Of(err), want)
		}
	}
}

func FuzzExplainCodes(f *testing.F) {
	for _, seed := range []string{"UF,URX", "rbac_access_denied_matched_policy[ns[a]-policy[b]-rule[0]]", "x{y", "]]{", "\"-\" é,"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, word string) {
		codes, err := ExplainCodes(word)
		if (err == nil) == (len(codes) == 0) {
			t.Errorf("%q: %d codes and the error %v", word, len(codes), err)
		}
	})
}
