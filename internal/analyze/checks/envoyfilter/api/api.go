// Package api says what the releases of Envoy have of its API, and what took the
// place of what is deprecated.
package api

import (
	_ "embed"
	"strconv"
	"strings"
)

//go:generate go run generate.go

//go:embed lacking.txt
var lacking string

//go:embed replaced.txt
var replaced string

// envoyOf is how far the minor version of a release's Envoy is ahead of Istio's:
// Istio 1.18 has Envoy 1.26, see https://istio.io/latest/docs/releases/supported-releases/.
const envoyOf = 8

// OfIstio is the minor version of the Envoy that a minor version of Istio 1 has.
func OfIstio(minor int) int { return minor + envoyOf }

// ToIstio is the first minor version of Istio 1 with a minor version of Envoy 1.
func ToIstio(minor int) int { return minor - envoyOf }

// Absence is where something of Envoy's API is not yet.
type Absence struct {
	// Last is the last minor version of Envoy 1 that surely lacks it, First the
	// first that surely has it. There may be one in between.
	Last, First int
}

// Lacking is what releases lack that later ones have, by the full name of a
// field or message. A message's fields are not listed with it. It goes back to
// Envoy 1.33, which is Istio 1.25: what that has is in no release missing.
func Lacking() map[string]Absence {
	found := map[string]Absence{}
	releases := releases()
	at := -1
	for line := range strings.Lines(lacking) {
		words := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "#") || len(words) == 0:
		case !strings.HasPrefix(line, "\t"):
			at++
		default:
			absence := Absence{Last: releases[at], First: releases[at+1]}
			for _, field := range words[1:] {
				found[words[0]+"."+field] = absence
			}
			if len(words) == 1 {
				found[words[0]] = absence
			}
		}
	}
	return found
}

// releases are the minor versions of lacking.txt, with the one after the last.
func releases() []int {
	var minors []int
	for line := range strings.Lines(lacking) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "1."); ok && !strings.HasPrefix(line, "\t") {
			if minor, err := strconv.Atoi(text); err == nil {
				minors = append(minors, minor)
			}
		}
	}
	return append(minors, minors[len(minors)-1]+1)
}

// Replaced is what Envoy's reference says to use in place of deprecated fields,
// by the field's full name. It does not have them all.
func Replaced() map[string]string {
	found := map[string]string{}
	for line := range strings.Lines(replaced) {
		if name, advice, ok := strings.Cut(strings.TrimSpace(line), " "); ok && !strings.HasPrefix(line, "#") {
			found[name] = advice
		}
	}
	return found
}
