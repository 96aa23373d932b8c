package kube

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	yamlv2 "go.yaml.in/yaml/v2"
)

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:unmarshal errors:\s*)?(?:line (\d+): )?`)

// yamlError is the line (0 when unknown) and the reason of a parser's error.
func (d *document) yamlError(err error) (int, string) {
	if line := d.conflict(); line > 0 {
		return line, "it has an unresolved merge conflict"
	}
	var located *lineError
	if errors.As(err, &located) {
		return located.line, located.reason
	}
	text := err.Error()
	found := yamlLine.FindStringSubmatch(text)
	line, _ := strconv.Atoi(found[1])
	reason := text[len(found[0]):]
	if line > 0 && fromParser(reason) {
		line++
	}
	if reason == "did not find expected key" || strings.HasPrefix(reason, "did not find expected '-'") {
		line = max(line, d.lineOfProblem())
	}
	return line, "it is not valid YAML: " + reason
}

// fromParser says whether an error is of the library's parser rather than its
// scanner: only the latter counts lines from 1.
func fromParser(reason string) bool {
	rest, found := strings.CutPrefix(reason, "did not find expected ")
	for _, start := range []string{"key", "node content", "','", "'-' indicator", "<"} {
		if found && strings.HasPrefix(rest, start) {
			return true
		}
	}
	return false
}

// lineError is an error at a line of a document.
type lineError struct {
	line   int
	reason string
}

func (e *lineError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.reason) }

// lineOfProblem is the line at which the parser gave up on a mapping or a list,
// where the error of version 3 of the library names the line at which it began.
func (d *document) lineOfProblem() int {
	var value any
	err := yamlv2.Unmarshal(d.text, &value)
	if err == nil {
		return 0
	}
	line, _ := strconv.Atoi(yamlLine.FindStringSubmatch(err.Error())[1])
	return line + 1
}

// conflict is the line of the first mark that git left of a merge; 0 when there is none.
func (d *document) conflict() int {
	line := 0
	for l := range bytes.Lines(d.text) {
		line++
		if bytes.HasPrefix(l, []byte("<<<<<<< ")) {
			return line
		}
	}
	return 0
}

// otherLetters is how an object has a field that it has in other letters only.
func otherLetters(m map[string]any, field string) string {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if key != field && strings.EqualFold(key, field) {
			return key
		}
	}
	return ""
}
