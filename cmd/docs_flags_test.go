package cmd

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/proxyconfig/trace"
)

// TestResponseFlagsPage compares docs/response-flags.md with the codes that
// trace --explain-code knows; -update rewrites it.
func TestResponseFlagsPage(t *testing.T) {
	t.Parallel()
	const page = "../docs/response-flags.md"
	var b strings.Builder
	b.WriteString(`# What an access log's flags mean

The table of ` + "`meshctl trace --explain-code`" + `, which takes a flag (` + "`UF`" + `), several (` + "`UF,URX`" + `), a long name (` + "`NoRouteFound`" + `) or response code details with what
stands in brackets behind them. Generated: ` + "`go test ./cmd -run TestResponseFlagsPage -update`" + `.

The flag is ` + "`%RESPONSE_FLAGS%`" + `, the details are ` + "`%RESPONSE_CODE_DETAILS%`" + ` of an access log's format; Istio's own format has both. "Closed" is a
connection that ends without a status. A denial by RBAC or JWT has details and no flag of its own.
`)
	flags, details := []trace.Code{}, []trace.Code{}
	for _, c := range trace.Codes() {
		if c.Details {
			details = append(details, c)
		} else {
			flags = append(flags, c)
		}
	}
	b.WriteString("\n## Response flags\n")
	writeCodes(&b, flags)
	b.WriteString("\n## Response code details\n")
	writeCodes(&b, details)
	if *update {
		if err := os.WriteFile(page, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(text), b.String()); diff != "" {
		t.Errorf("%s is stale: go test ./cmd -run TestResponseFlagsPage -update\n%s", page, diff)
	}
}

func writeCodes(b *strings.Builder, codes []trace.Code) {
	b.WriteString("\n| code | the client gets | what happened | usual causes | step of the trace |\n|---|---|---|---|---|\n")
	cell := func(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
	for _, c := range codes {
		name := "`" + c.Name + "`"
		if c.Long != "" {
			name += "<br>" + c.Long
		}
		b.WriteString("| " + strings.Join([]string{name, cell(c.Status), cell(c.Meaning), cell(strings.Join(c.Causes, "; ")), c.Step}, " | ") + " |\n")
	}
}

// TestNextCommandsExist holds what --explain-code proposes to the command
// line: each command is there, with its flags.
func TestNextCommandsExist(t *testing.T) {
	t.Parallel()
	for _, c := range trace.Codes() {
		for _, next := range c.Next {
			words := strings.Fields(next)
			if words[0] != "meshctl" {
				continue
			}
			found, rest, err := tree().Find(words[1:])
			if err != nil || !found.Runnable() || found.HasSubCommands() {
				t.Errorf("%s: %q is no command: %v", c.Name, next, err)
				continue
			}
			if err := found.ParseFlags(strings.Fields(strings.ReplaceAll(strings.Join(rest, " "), " PORT", " 8080"))); err != nil {
				t.Errorf("%s: %q: %v", c.Name, next, err)
			}
		}
	}
}
