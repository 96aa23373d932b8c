package analyze

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// Config is what a configuration file says of findings, under analyze:
//
//	analyze:
//	  suppressions:
//	  - code: IST0101                # or a check's name, Kiali's code, * for all
//	    object: VirtualService shop/*
//	    namespace: shop              # these three narrow it further, * is any text
//	    path: legacy/*
//	    labels: {team: legacy}
//	    reason: the old shop goes in January
//	    expires: 2027-01-31          # the last day on which it holds
//	  severities:
//	    IST0118: warning
type Config struct {
	Suppress   []Suppression
	Severities map[string]Severity
}

// ConfigKeys are the keys of Config below analyze.
func ConfigKeys() []string { return []string{"suppressions", "severities"} }

// ReadConfig reads analyze's part of a configuration file; everything else in
// it is passed over. Whatever is not as it should be is an error with its line.
func ReadConfig(file string, text []byte) (Config, error) {
	c := Config{Severities: map[string]Severity{}}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return c, fmt.Errorf("%s: %w", file, err)
	}
	if len(root.Content) == 0 {
		return c, nil
	}
	section := field(root.Content[0], "analyze")
	if list := field(section, "suppressions"); list != nil {
		if list.Kind != yaml.SequenceNode {
			return c, wrongAt(file, list, "suppressions is a list", "each item has a code, a reason, and what it is about")
		}
		for _, item := range list.Content {
			s, err := readSuppression(file, item)
			if err != nil {
				return c, err
			}
			c.Suppress = append(c.Suppress, s)
		}
	}
	return c, c.readSeverities(file, field(section, "severities"))
}

func readSuppression(file string, item *yaml.Node) (Suppression, error) {
	s := Suppression{Position: &mesh.Position{File: file, Line: item.Line, Column: item.Column}}
	if item.Kind != yaml.MappingNode {
		return s, wrongAt(file, item, "a suppression is an object", "for example {code: IST0101, object: VirtualService shop/*, reason: ...}")
	}
	texts := map[string]*string{"code": &s.Code, "object": &s.Object, "namespace": &s.Namespace, "path": &s.Path, "reason": &s.Reason}
	known := append([]string{"expires", "labels"}, sortedKeys(texts)...)
	for i := 0; i+1 < len(item.Content); i += 2 {
		key, value := item.Content[i], item.Content[i+1]
		var err error
		switch text := texts[key.Value]; {
		case text != nil:
			*text, err = scalarText(file, value)
		case key.Value == "labels":
			if err = value.Decode(&s.Labels); err != nil {
				err = wrongAt(file, value, "labels are texts by name", "for example {team: legacy}")
			}
		case key.Value == "expires":
			if s.Expires, err = time.Parse(time.DateOnly, value.Value); err != nil {
				err = wrongAt(file, value, fmt.Sprintf("%q is no day", value.Value), "write it as 2027-01-31")
			}
		default:
			err = wrongAt(file, key, fmt.Sprintf("unknown key %q in a suppression", key.Value), orList(hint.DidYouMean(key.Value, known), known))
		}
		if err != nil {
			return s, err
		}
	}
	switch {
	case strings.TrimSpace(s.Code) == "":
		return s, wrongAt(file, item, "the suppression names no code", "code is a code, the name of a check, or * for all")
	case strings.TrimSpace(s.Reason) == "":
		return s, wrongAt(file, item, "the suppression has no reason", "reason tells the next reader why the finding is accepted")
	}
	return s, nil
}

func (c *Config) readSeverities(file string, m *yaml.Node) error {
	if m == nil {
		return nil
	}
	if m.Kind != yaml.MappingNode {
		return wrongAt(file, m, "severities is an object", "for example {IST0118: warning}")
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		severity := Severity(strings.ToLower(m.Content[i+1].Value))
		if !slices.Contains(Severities(), severity) {
			return wrongAt(file, m.Content[i+1], fmt.Sprintf("%q is no severity", m.Content[i+1].Value), "one of error, warning, info; --skip leaves a check out")
		}
		c.Severities[strings.ToLower(m.Content[i].Value)] = severity
	}
	return nil
}

func scalarText(file string, n *yaml.Node) (string, error) {
	if n.Kind != yaml.ScalarNode {
		return "", wrongAt(file, n, "here belongs a text", "")
	}
	return strings.TrimSpace(n.Value), nil
}

func wrongAt(file string, n *yaml.Node, what, next string) error {
	return hint.Usagef(next, "reading configuration %s:%d:%d: %s", file, n.Line, n.Column, what)
}

func orList(next string, known []string) string {
	if next != "" {
		return next
	}
	return "the keys are " + strings.Join(known, ", ")
}

// field is the value of a field, nil when there is none.
func field(n *yaml.Node, name string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}
