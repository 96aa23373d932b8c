package kube

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// Files is what was read from files, directories or stdin.
type Files struct {
	// Objects are all objects in the order of the input.
	Objects []*mesh.Object
	// Broken are the documents that could not be read; the others are in Objects.
	Broken []BrokenDocument
	// Skipped are files that hold no objects for a cluster, such as Helm
	// templates and values, and why each was passed over.
	Skipped []SkippedFile
}

// BrokenDocument is a document that is no readable object.
type BrokenDocument struct {
	Position mesh.Position
	// Reason is why, without the position.
	Reason string
}

// SkippedFile is a file that was passed over.
type SkippedFile struct {
	Path, Reason string
}

// ReadFiles reads objects from files, from directories with all below them,
// and from stdin for the path "-". It fails when a path cannot be read or a
// named file holds no object; a broken document spoils nothing but itself.
func ReadFiles(ctx context.Context, paths []string, stdin io.Reader) (*Files, error) {
	out := &Files{}
	var sources []source
	for _, path := range paths {
		more, err := sourcesAt(path, stdin, out)
		if err != nil {
			return nil, err
		}
		sources = append(sources, more...)
	}
	return readSources(ctx, sources, out)
}

// Text is a file that is in memory already.
type Text struct {
	Path string
	Text []byte
}

// ReadTexts reads objects as [ReadFiles] does, from texts in memory.
func ReadTexts(ctx context.Context, texts []Text) (*Files, error) {
	var sources []source
	for _, t := range texts {
		sources = append(sources, source{path: t.Path, text: append([]byte{}, t.Text...)})
	}
	return readSources(ctx, sources, &Files{})
}

func readSources(ctx context.Context, sources []source, out *Files) (*Files, error) {
	documents, err := readDocuments(ctx, sources, out)
	if err != nil {
		return nil, err
	}
	for _, src := range documents {
		found := false
		for _, doc := range src.documents {
			for _, o := range doc.objects {
				o.Origin.Order = len(out.Objects)
				out.Objects = append(out.Objects, o)
			}
			if doc.broken != nil {
				out.Broken = append(out.Broken, *doc.broken)
			}
			found = found || len(doc.objects) > 0 || doc.broken != nil || doc.emptyList
		}
		if found {
			continue
		}
		if reason := src.emptyReason(); !src.named {
			out.Skipped = append(out.Skipped, SkippedFile{src.path, reason})
		} else {
			return nil, hint.Unanswerablef("name files with Kubernetes objects, or a directory of them", "reading %s: %s", src.path, reason)
		}
	}
	return out, nil
}

// source is one file to read.
type source struct {
	path string
	// named says that the user gave the file itself, not a directory above it.
	named     bool
	text      []byte
	documents []*document
}

// emptyReason says why a file without objects is passed over.
func (s *source) emptyReason() string {
	for _, d := range s.documents {
		if d.skip != "" {
			return d.skip
		}
	}
	return "it holds no object with apiVersion and kind"
}

// readDocuments reads the files, splits them and parses the documents on all
// processors.
func readDocuments(ctx context.Context, sources []source, out *Files) ([]source, error) {
	var all []*document
	kept := sources[:0]
	for _, src := range sources {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("reading files: %w", err)
		}
		if src.text == nil {
			text, err := os.ReadFile(src.path)
			if err != nil {
				return nil, unreadable(src.path, err)
			}
			src.text = text
		}
		src.documents = split(src.path, src.text)
		all = append(all, src.documents...)
		kept = append(kept, src)
	}
	next := make(chan []*document)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for batch := range next {
				for _, d := range batch {
					d.parse()
				}
			}
		})
	}
	const batch = 32
	for from := 0; from < len(all) && ctx.Err() == nil; from += batch {
		next <- all[from:min(from+batch, len(all))]
	}
	close(next)
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("reading files: %w", err)
	}
	return kept, nil
}
