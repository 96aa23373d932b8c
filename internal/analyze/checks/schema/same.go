package schema

import (
	"slices"
	"strings"
	"unicode"

	"github.com/meshctl/meshctl/internal/analyze/crd"
)

// toldBy says whether what istiod's validator says is told by a refusal of the
// API server, which has the exact place: both hold most of Istio's rules, in
// words of their own.
func toldBy(found []crd.Refusal, message string) bool {
	said := words(message)
	return slices.ContainsFunc(found, func(r crd.Refusal) bool {
		if r.Missing != "" && slices.Contains(said, strings.ToLower(r.Missing)) {
			return true
		}
		shared := 0
		for _, word := range words(r.Path + " " + r.Message) {
			if slices.Contains(said, word) {
				shared++
			}
		}
		return shared >= 2
	})
}

// words are the words of a text that say what it is about, each once, in lower
// case and without plural: those of names such as jwksUri too.
func words(text string) []string {
	const empty = " the and for are not can cannot one only must may should than with this that set has have be valid invalid value object field spec rule http https "
	var all []string
	add := func(word string) {
		word = strings.TrimSuffix(strings.ToLower(word), "s")
		if strings.HasPrefix(word, "duplicate") || word == "already" || word == "unique" {
			word = "duplicate"
		}
		if len(word) >= 3 && !strings.Contains(empty, " "+word+" ") && !slices.Contains(all, word) {
			all = append(all, word)
		}
	}
	for _, name := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		from := 0
		for i, r := range name {
			if i > 0 && unicode.IsUpper(r) && unicode.IsLower(rune(name[i-1])) {
				add(name[from:i])
				from = i
			}
		}
		add(name[from:])
		if from > 0 {
			add(name)
		}
	}
	return all
}
