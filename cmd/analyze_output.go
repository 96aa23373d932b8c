package cmd

import (
	"bytes"
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/deadline"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/output"
)

// reportFlags are -o of a command whose result may go to several places at
// once: -o table -o sarif=out.sarif.
type reportFlags struct {
	*outputFlags
	// toStdout says whether stdout gets something, in outputFlags' format.
	toStdout bool
	files    []reportFile
	given    bool
}

// reportFile is a file, and the format it gets.
type reportFile struct {
	format output.Format
	path   string
}

// addReportOutput registers -o and --no-headers for a report.
func addReportOutput(c *cobra.Command) *reportFlags {
	r := &reportFlags{outputFlags: &outputFlags{format: newEnum(string(output.AsTable))}, toStdout: true}
	for _, f := range slices.Concat(output.Formats(), analyze.Formats()) {
		r.format.allowed = append(r.format.allowed, string(f))
	}
	names := strings.Join(r.format.allowed, ", ")
	r.format.allowed = append(r.format.allowed, "log") // istioctl's name of its table
	c.Flags().VarP(r, "output", "o", "format of the result, or format=FILE; may be repeated, one at most for stdout: "+names)
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(r.format.allowed, cobra.ShellCompDirectiveNoFileComp))
	c.Flags().BoolVar(&r.noHeaders, "no-headers", false, "leave out the header of tables")
	return r
}

func (r *reportFlags) String() string { return r.format.value }

// Type is the word that the help shows for the value.
func (r *reportFlags) Type() string { return "format[=file]" }

// Set reads format or format=FILE, or several with commas between.
func (r *reportFlags) Set(s string) error {
	if !r.given {
		r.given, r.toStdout = true, false
	}
	for one := range strings.SplitSeq(s, ",") {
		name, path, toFile := strings.Cut(one, "=")
		format := newEnum("", r.format.allowed...)
		if err := format.Set(name); err != nil {
			return err
		}
		if format.value == "log" {
			format.value = string(output.AsTable)
		}
		switch {
		case toFile && path == "":
			return hint.Usagef("for example "+name+"=report."+name, "%q names no file", one)
		case toFile && path != "-":
			r.files = append(r.files, reportFile{output.Format(format.value), path})
		case r.toStdout:
			return hint.Usagef("write all but one to files: -o "+name+"=FILE", "stdout takes one format, and %q is the second", name)
		default:
			r.toStdout, r.format.value = true, format.value
		}
	}
	return nil
}

// printReport writes a result to every place that -o names: files first, all
// or none of them. Once all is worked out, writing takes the time it takes.
func (f *Factory) printReport(ctx context.Context, r *reportFlags, d output.Document) error {
	return f.printReports(ctx, r, d, d)
}

// printReports is printReport with another result for stdout.
func (f *Factory) printReports(ctx context.Context, r *reportFlags, d, shown output.Document) error {
	texts, err := deadline.Do(ctx, func() (*reportTexts, error) { return r.texts(f, d, shown) })
	if err != nil {
		if ctx.Err() != nil {
			err = hint.Unanswerablef("give it longer with --timeout, or ask for less with -n or --only", "writing the report: %w", err)
		}
		return err
	}
	if err := writeFiles(texts.paths, func(path string) []byte { return texts.files[path] }); err != nil {
		return hint.Unanswerablef(hint.Of(err), "%w", err)
	}
	_, err = f.IO.Out.Write(texts.stdout)
	return err
}

// reportTexts are the bytes of a report for each place that it goes to.
type reportTexts struct {
	stdout []byte
	paths  []string
	files  map[string][]byte
}

func (r *reportFlags) texts(f *Factory, d, shown output.Document) (*reportTexts, error) {
	t := &reportTexts{files: map[string][]byte{}}
	same := map[string]bool{}
	for _, file := range r.files {
		var b bytes.Buffer
		if err := output.Write(&b, output.Options{Format: file.format, NoHeaders: r.noHeaders}, d); err != nil {
			return nil, err
		}
		real, err := filepath.Abs(file.path)
		if err != nil {
			return nil, err
		}
		if target, err := filepath.EvalSymlinks(real); err == nil {
			real = target
		}
		if same[real] {
			return nil, hint.Usagef("name another file for one of them", "two formats are to be written to %s", file.path)
		}
		same[real], t.files[file.path] = true, b.Bytes()
		t.paths = append(t.paths, file.path)
	}
	if !r.toStdout {
		return t, nil
	}
	var b bytes.Buffer
	err := output.Write(&b, f.outputOptions(r.outputFlags), shown)
	t.stdout = b.Bytes()
	return t, err
}
