package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/meshctl/meshctl/internal/deadline"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// Files is what was read from files, directories or stdin.
type Files struct {
	// Objects are all objects in the order of the input.
	Objects []*mesh.Object
	// Broken are the documents that could not be read; the others are in Objects.
	Broken []BrokenDocument
	// Skipped are files, or documents in them, that hold no objects for a
	// cluster, such as Helm templates and values, and why each was passed over.
	Skipped []SkippedFile
	// Gone are the errors of paths that lead to no file any more; see [ReadAgain].
	Gone []error

	// emptyList says that there was a list without objects.
	emptyList bool
}

// BrokenDocument is a document that is no readable object, or a file below a
// directory that cannot be read.
type BrokenDocument struct {
	Position mesh.Position
	// Reason is why, without the position.
	Reason string

	text []byte
}

// SkippedFile is a file, or a document of a file, that was passed over.
type SkippedFile struct {
	Path, Reason string
	// Line is where the document begins; 0 for the whole file.
	Line int

	// text is what may have held objects; nil for what can't, such as values.
	text []byte
}

// ReadFiles reads objects from files, from directories with all below them,
// from globs that no shell has expanded (** is any directories) and from stdin
// for the path "-". A directory with a kustomization is rendered. It fails when
// a path cannot be read or a named file holds no object; a broken document
// spoils nothing but itself. It returns when ctx ends, even if what reads the
// files does not yet.
func ReadFiles(ctx context.Context, paths []string, stdin io.Reader) (*Files, error) {
	files, err := readBeside(ctx, paths, stdin, false)
	if err == nil && files.nothing() {
		s := files.Skipped[max(0, slices.IndexFunc(files.Skipped, func(s SkippedFile) bool { return s.text != nil }))]
		return nil, noObjects(s.Path, s.Reason, len(files.Skipped)-1)
	}
	return files, err
}

// ReadAgain is [ReadFiles] of files that were there before: that some are gone,
// or hold no object any more, is no error but a change.
func ReadAgain(ctx context.Context, paths []string) (*Files, error) {
	return readBeside(ctx, paths, nil, true)
}

// readBeside reads files beside ctx: pipes may never end, and neither file
// systems nor parsers look at it. Paths may be gone when they are read again.
func readBeside(ctx context.Context, paths []string, stdin io.Reader, again bool) (*Files, error) {
	files, err := deadline.Do(ctx, func() (*Files, error) {
		w := newWalker()
		for _, path := range paths {
			var gone *goneError
			switch err := w.add(path); {
			case errors.As(err, &gone) && again:
				w.out.Gone = append(w.out.Gone, gone.error)
			case gone != nil:
				return nil, gone.error
			case err != nil:
				return nil, err
			}
		}
		return readSources(ctx, w.chosen(), stdin, w.out)
	})
	if err != nil && ctx.Err() != nil {
		err = tooLong(ctx.Err())
	}
	return files, err
}

// goneError is the error of a path that leads to no file now.
type goneError struct{ error }

// nothing says that there was neither an object nor anything that may be one:
// whoever named files wants to know of them, and "no findings" would not be true.
func (f *Files) nothing() bool {
	return len(f.Objects) == 0 && len(f.Broken) == 0 && !f.emptyList && len(f.Skipped) > 0
}

// noObjects is the error of files that hold none.
func noObjects(path, reason string, more int) error {
	switch more {
	case 0:
	case 1:
		reason += "; another file was passed over, too"
	default:
		reason += fmt.Sprintf("; %d other files were passed over, too", more)
	}
	if path == "-" {
		path = "stdin"
	}
	return hint.Unanswerablef("name files with Kubernetes objects, or a directory of them", "reading %s: %s", path, reason)
}

// Text is a file that is in memory already.
type Text struct {
	Path string
	Text []byte
}

// ReadTexts reads objects as [ReadFiles] does, from texts in memory.
func ReadTexts(ctx context.Context, texts []Text) (*Files, error) {
	var sources []*source
	for _, t := range texts {
		sources = append(sources, &source{path: t.Path, named: true, text: append([]byte{}, t.Text...)})
	}
	return readSources(ctx, sources, nil, &Files{})
}

func readSources(ctx context.Context, sources []*source, stdin io.Reader, out *Files) (*Files, error) {
	if err := readDocuments(ctx, sources, stdin); err != nil {
		return nil, err
	}
	for _, src := range sources {
		if found := out.take(src); !found {
			out.Skipped = append(out.Skipped, SkippedFile{Path: src.path, Reason: src.emptyReason(), text: src.template()})
		}
	}
	return out, nil
}

// take takes over what a source holds, and says whether it holds anything.
func (f *Files) take(src *source) (found bool) {
	if src.err != nil {
		f.Broken = append(f.Broken, BrokenDocument{Position: mesh.Position{File: src.path}, Reason: reasonOf(src.err)})
	}
	f.Skipped = append(f.Skipped, src.skipped...)
	found = src.err != nil || len(src.skipped) > 0
	for _, doc := range src.documents {
		if !src.named {
			doc.leaveAside()
		}
		f.emptyList = f.emptyList || doc.emptyList
		for _, o := range doc.objects {
			o.Origin.Order = len(f.Objects)
			f.Objects = append(f.Objects, o)
		}
		f.Broken = append(f.Broken, doc.broken...)
		found = found || len(doc.objects) > 0 || len(doc.broken) > 0 || doc.emptyList
	}
	for _, d := range src.documents {
		if found && d.skip != "" {
			f.Skipped = append(f.Skipped, SkippedFile{Path: src.path, Line: d.line, Reason: d.skip, text: d.template()})
		}
	}
	return found
}

// Unreadable is what may hold objects and could not be read.
func (f *Files) Unreadable() []mesh.Unreadable {
	var all []mesh.Unreadable
	for _, b := range f.Broken {
		all = append(all, mesh.Unreadable{Position: b.Position, Reason: b.Reason, Text: string(b.text)})
	}
	for _, s := range f.Skipped {
		if s.text != nil {
			all = append(all, mesh.Unreadable{Position: mesh.Position{File: s.Path, Line: max(s.Line, 1), Column: 1}, Reason: s.Reason, Text: string(s.text)})
		}
	}
	return all
}
