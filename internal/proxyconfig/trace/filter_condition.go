package trace

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// condition is a Permission or a Principal of Envoy's RBAC; both are trees of
// the same form, with leaves of their own.
type condition struct {
	Any      bool          `json:"any"`
	AndRules *conditions   `json:"and_rules"`
	AndIDs   *conditions   `json:"and_ids"`
	OrRules  *conditions   `json:"or_rules"`
	OrIDs    *conditions   `json:"or_ids"`
	NotRule  *condition    `json:"not_rule"`
	NotID    *condition    `json:"not_id"`
	Header   *rbacHeader   `json:"header"`
	Path     *pathOnly     `json:"url_path"`
	Template *uriTemplate  `json:"uri_template"`
	SNI      *rbacText     `json:"requested_server_name"`
	Metadata *rbacMetadata `json:"metadata"`
	Sourced  *struct {
		Matcher rbacMetadata `json:"metadata_matcher"`
		Source  string       `json:"metadata_source"`
	} `json:"sourced_metadata"`

	DestinationIP    *cidr      `json:"destination_ip"`
	DestinationPort  *int       `json:"destination_port"`
	DestinationPorts *portRange `json:"destination_port_range"`

	Authenticated *struct {
		Name *stringMatcher `json:"principal_name"`
	} `json:"authenticated"`
	SourceIP *cidr           `json:"source_ip"`
	DirectIP *cidr           `json:"direct_remote_ip"`
	RemoteIP *cidr           `json:"remote_ip"`
	State    *filterStateIs  `json:"filter_state"`
	Matcher  json.RawMessage `json:"matcher"`
	Custom   json.RawMessage `json:"custom"`
}

// conditions are members of an and or an or.
type conditions struct {
	Rules []condition `json:"rules"`
	IDs   []condition `json:"ids"`
}

func (c *conditions) list() []condition { return append(slices.Clip(c.Rules), c.IDs...) }

type (
	rbacHeader   = headerMatcher
	rbacText     = stringMatcher
	rbacMetadata = metadataMatcher
)

type pathOnly struct {
	Path *stringMatcher `json:"path"`
}

type uriTemplate struct {
	Config struct {
		Template string `json:"path_template"`
	} `json:"typed_config"`
}

type portRange struct {
	Start int `json:"start"`
	End   int `json:"end"`
}

type filterStateIs struct {
	Key    string         `json:"key"`
	String *stringMatcher `json:"string_match"`
	IP     *struct {
		Ranges []cidr `json:"cidr_ranges"`
	} `json:"address_match"`
}

// match says whether the condition holds for what is known of the request and
// its connection.
func (c *condition) match(in *filterInput) Verdict {
	switch {
	case c.AndRules != nil:
		return matchAll(c.AndRules.list(), in)
	case c.AndIDs != nil:
		return matchAll(c.AndIDs.list(), in)
	case c.OrRules != nil:
		return matchAny(c.OrRules.list(), in)
	case c.OrIDs != nil:
		return matchAny(c.OrIDs.list(), in)
	case c.NotRule != nil:
		return c.NotRule.excluded(in)
	case c.NotID != nil:
		return c.NotID.excluded(in)
	case c.Any:
		return yes()
	}
	return c.matchLeaf(in)
}

func matchAll(list []condition, in *filterInput) Verdict {
	unsure := yes()
	for i := range list {
		if unsure = all(unsure, list[i].match(in)); unsure.Answer == No {
			return unsure
		}
	}
	return unsure
}

// matchAny says of alternatives about the same thing, such as paths, what it
// is and all that it could have been.
func matchAny(list []condition, in *filterInput) Verdict {
	verdicts := make([]Verdict, len(list))
	for i := range list {
		if verdicts[i] = list[i].match(in); verdicts[i].Answer == Yes {
			return verdicts[i]
		}
	}
	return anyOf(orWhy(list, verdicts, in), verdicts...)
}

func orWhy(list []condition, verdicts []Verdict, in *filterInput) string {
	if len(list) == 1 {
		return verdicts[0].Why
	}
	var wants, whys []string
	subject := ""
	for i := range list {
		what, want := list[i].about(in)
		if i > 0 && what != subject {
			what = ""
		}
		subject = what
		wants = append(wants, want)
		if !slices.Contains(whys, verdicts[i].Why) {
			whys = append(whys, verdicts[i].Why)
		}
	}
	if subject != "" {
		return subject + ", not " + strings.Join(wants, " or ")
	}
	return strings.Join(whys, ", and ")
}

// excluded is the opposite of the condition.
func (c *condition) excluded(in *filterInput) Verdict {
	v := c.match(in)
	why := "what is excluded is there"
	for _, one := range c.flat() {
		if one.match(in).Answer == Yes {
			if what, want := one.about(in); what != "" {
				why = what + ", and " + want + " is excluded"
			}
			break
		}
	}
	return v.not(why)
}

// flat are the alternatives of an or, or the condition itself.
func (c *condition) flat() []condition {
	switch {
	case c.OrRules != nil:
		return c.OrRules.list()
	case c.OrIDs != nil:
		return c.OrIDs.list()
	}
	return []condition{*c}
}

// about is what a leaf's subject is ("path is \"/x\"") and what the leaf wants
// it to be; "" for what has no such form.
func (c *condition) about(in *filterInput) (what, want string) {
	switch {
	case c.Path != nil && c.Path.Path != nil && in.Call != nil:
		return fmt.Sprintf("the path is %q", barePath(in.Call.Path)), c.Path.Path.String()
	case c.Template != nil && in.Call != nil:
		return fmt.Sprintf("the path is %q", barePath(in.Call.Path)), c.Template.Config.Template
	case c.Header != nil && c.Header.text() != nil && !c.Header.Invert && in.Call != nil:
		value, present, _ := in.Call.header(strings.ToLower(c.Header.Name))
		if !present {
			return headerName(c.Header.Name) + " is missing", c.Header.text().String()
		}
		return fmt.Sprintf("%s is %q", headerName(c.Header.Name), value), c.Header.text().String()
	case c.Authenticated != nil && c.Authenticated.Name != nil:
		return "the caller is " + callerText(in.Conn), principalText(c.Authenticated.Name)
	case c.SNI != nil:
		return fmt.Sprintf("the SNI is %q", in.Conn.SNI), c.SNI.String()
	case c.DestinationPort != nil:
		return fmt.Sprintf("the port is %d", in.Conn.Port), strconv.Itoa(*c.DestinationPort)
	case c.DestinationIP != nil:
		return "the destination is " + in.Conn.Destination.String(), c.DestinationIP.String()
	case c.SourceIP != nil:
		return "the peer's address is " + in.Conn.Source.Addr().String(), c.SourceIP.String()
	case c.DirectIP != nil:
		return "the peer's address is " + in.Conn.Source.Addr().String(), c.DirectIP.String()
	case c.RemoteIP != nil:
		ip, _ := clientAddress(in)
		return "the client's address is " + ip.String(), c.RemoteIP.String()
	case c.Metadata != nil && c.Metadata.Value != nil:
		value, present := c.Metadata.find(in.metadata())
		if !present {
			return "there is no " + c.Metadata.what(), c.Metadata.Value.String()
		}
		return c.Metadata.what() + " is " + valueText(value), c.Metadata.Value.String()
	}
	return "", ""
}

// headerName is a header as people call it: pseudo headers have other names.
func headerName(name string) string {
	switch strings.ToLower(name) {
	case ":method":
		return "the method"
	case ":authority", "host":
		return "the host"
	case ":path":
		return "the path with its query"
	case ":scheme":
		return "the scheme"
	}
	return "header " + strings.ToLower(name)
}

// inRange says whether ip is in the range; what names it in the reasons.
func inRange(what, unknown string, ip netip.Addr, c *cidr) Verdict {
	p, ok := c.prefix()
	switch {
	case !ok:
		return no(fmt.Sprintf("%s is no range of addresses", c))
	case p.Bits() == 0 && ip.IsValid():
		return yes()
	case !ip.IsValid():
		return maybe(unknown)
	case p.Contains(ip.Unmap()):
		return yes()
	}
	return no(fmt.Sprintf("%s is %s, not in %s", what, ip, c))
}
