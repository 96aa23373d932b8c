package cmd

import (
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/output"
)

// enum is a flag with a closed set of values; the first one is not
// necessarily the default. Unknown values are usage errors.
type enum struct {
	value   string
	allowed []string
}

func newEnum(value string, allowed ...string) *enum { return &enum{value, allowed} }

func (e *enum) String() string { return e.value }
func (e *enum) Type() string   { return "string" }
func (e *enum) Set(s string) error {
	i := slices.IndexFunc(e.allowed, func(word string) bool { return strings.EqualFold(word, s) })
	if i < 0 {
		next := hint.DidYouMean(s, e.allowed)
		if next == "" {
			next = "one of " + strings.Join(e.allowed, ", ")
		}
		return hint.Usagef(next, "%q is not one of %s", s, strings.Join(e.allowed, ", "))
	}
	e.value = e.allowed[i]
	return nil
}

// addEnum registers an enum flag with completion.
func addEnum(c *cobra.Command, e *enum, name, short, usage string) {
	c.Flags().VarP(e, name, short, usage+": "+strings.Join(e.allowed, ", "))
	_ = c.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(e.allowed, cobra.ShellCompDirectiveNoFileComp))
}

// outputFlags are -o and --no-headers.
type outputFlags struct {
	format    *enum
	noHeaders bool
	// stream says that this is one of many results.
	stream bool
}

// addOutput registers -o with the common formats and those in extra, and --no-headers.
func addOutput(c *cobra.Command, extra ...string) *outputFlags {
	var all []string
	for _, f := range output.Formats() {
		all = append(all, string(f))
	}
	o := &outputFlags{format: newEnum(string(output.AsTable), append(all, extra...)...)}
	addEnum(c, o.format, "output", "o", "format of the result")
	c.Flags().BoolVar(&o.noHeaders, "no-headers", false, "leave out the header of tables")
	return o
}

// print writes the result of a command to stdout.
func (f *Factory) print(o *outputFlags, d output.Document) error {
	return output.Write(f.IO.Out, f.outputOptions(o), d)
}

func (f *Factory) outputOptions(o *outputFlags) output.Options {
	return output.Options{
		Format:    output.Format(o.format.value),
		NoHeaders: o.noHeaders,
		Color:     f.IO.OutColor(),
		Stream:    o.stream,
	}
}

// exactArgs refuses any other number of arguments with a usage error that
// says what they are.
func exactArgs(what ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == len(what) {
			return nil
		}
		want := "no arguments"
		if len(what) > 0 {
			want = strings.Join(what, " and ")
		}
		return hint.Usagef("`"+c.CommandPath()+" --help` shows examples", "%s takes %s, got %s", c.CommandPath(), want, quoted(args))
	}
}

// maxArgs refuses more than n arguments.
func maxArgs(n int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) <= n {
			return nil
		}
		return hint.Usagef("`"+c.CommandPath()+" --help` shows examples", "%s takes at most %s, got %s", c.CommandPath(), what, quoted(args))
	}
}

// quoted is what was given, as one would type it.
func quoted(args []string) string {
	if len(args) == 0 {
		return "none"
	}
	var q []string
	for _, a := range args {
		q = append(q, strconv.Quote(a))
	}
	return strings.Join(q, " ")
}

func flagNames(c *cobra.Command) []string {
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}
