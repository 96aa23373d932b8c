package ztunnel

import (
	"encoding/json"
	"strings"
)

// text is a string that some versions write as an object of one or two strings.
type text string

// UnmarshalJSON reads "net/10.0.0.1" as well as {"address": {"network": "net",
// "address": "10.0.0.1"}}, and the same of hosts.
func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	if b[0] != '{' {
		err := json.Unmarshal(b, &s) // null stays empty
		*t = text(s)
		return err
	}
	var o map[string]text
	if err := json.Unmarshal(b, &o); err != nil {
		return err
	}
	get := func(names ...string) string {
		for key, value := range o {
			for _, name := range names {
				if strings.EqualFold(key, name) && value != "" {
					return string(value)
				}
			}
		}
		return ""
	}
	value, in := get("hostname", "address", "cidr"), get("namespace", "network")
	if in != "" {
		value = in + "/" + value
	}
	*t = text(value)
	return nil
}

// list is a list of strings that older versions write as a map.
type list []string

// UnmarshalJSON reads the items of a list, or the keys of a map.
func (l *list) UnmarshalJSON(b []byte) error {
	*l = list{}
	if b[0] == '{' {
		var m map[string]nothing
		if err := json.Unmarshal(b, &m); err != nil {
			return err
		}
		for key := range m {
			*l = append(*l, key)
		}
		return nil
	}
	var all []text
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	for _, t := range all {
		*l = append(*l, string(t))
	}
	return nil
}

// MarshalJSON is never null.
func (l list) MarshalJSON() ([]byte, error) {
	if l == nil {
		return []byte("[]"), nil
	}
	return json.Marshal([]string(l))
}

// Gateway is where requests are sent first: a waypoint, or another network's gateway.
type Gateway struct {
	// Name is that of the Service or workload with the destination, or its
	// address where the dump knows neither.
	Name string `json:"name"`
	// Destination is namespace/host or network/address.
	Destination text `json:"destination"`
	Port        int  `json:"hboneMtlsPort,omitempty"`
}

// afterSlash is an address without its network, or a host without its namespace.
func afterSlash(s string) string { return s[strings.IndexByte(s, '/')+1:] }
