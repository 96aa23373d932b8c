package kube

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"sync"

	"github.com/meshctl/meshctl/internal/hint"
)

// maxFile is the longest file that is read, in bytes.
const maxFile = 1 << 30

// source is one file to read, or one kustomization to render.
type source struct {
	path string
	// named says that the user gave the file itself, not a directory above it.
	named bool
	// kustomized says that path is a directory to render.
	kustomized    bool
	kustomization *kustomization
	text          []byte
	documents     []*document
	// skipped are what of a kustomization was passed over.
	skipped []SkippedFile
	// err is why a file below a directory cannot be read.
	err error
}

// emptyReason says why a file without objects is passed over.
func (s *source) emptyReason() string {
	for _, d := range s.documents {
		if d.skip != "" {
			return d.skip
		}
	}
	return noObject
}

// template is the text of a file that is a template, otherwise nil.
func (s *source) template() []byte {
	for _, d := range s.documents {
		if d.template() != nil {
			return s.text
		}
	}
	return nil
}

// readDocuments reads the files, splits them and parses the documents on all
// processors.
func readDocuments(ctx context.Context, sources []*source, stdin io.Reader) error {
	var all []*document
	lists := map[*document][]*document{}
	for _, src := range sources {
		if err := src.read(ctx, stdin); err != nil {
			return err
		}
		if src.text != nil {
			src.documents = split(src.path, src.text)
			for _, d := range src.documents {
				if items := d.cutItems(); items != nil {
					lists[d] = items
					all = append(all, items...)
				} else {
					all = append(all, d)
				}
			}
		}
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
		return tooLong(err)
	}
	for d, items := range lists {
		d.join(items)
	}
	return nil
}

// read fills the source's text, or renders it. What was only found below a
// directory spoils nothing but itself.
func (s *source) read(ctx context.Context, stdin io.Reader) error {
	if err := ctx.Err(); err != nil {
		return tooLong(err)
	}
	switch {
	case s.text != nil:
		return nil
	case s.kustomized:
		return s.render(ctx)
	}
	text, err := readBounded(ctx, s.path, stdin)
	switch {
	case err == nil:
		s.text = text
		return nil
	case ctx.Err() != nil:
		return tooLong(ctx.Err())
	case s.named:
		return unreadable(s.path, err)
	}
	s.err = err
	return nil
}

// readBounded reads a file, or stdin for "-".
func readBounded(ctx context.Context, path string, stdin io.Reader) ([]byte, error) {
	if path == "-" {
		return readToEnd(ctx, stdin, maxFile)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return readToEnd(ctx, file, maxFile)
	}
	if info.Size() > maxFile {
		return nil, errTooLarge
	}
	buffer := bytes.NewBuffer(make([]byte, 0, info.Size()+bytes.MinRead))
	n, err := buffer.ReadFrom(io.LimitReader(file, maxFile+1))
	if err == nil && n > maxFile {
		err = errTooLarge
	}
	return buffer.Bytes(), err
}

// readToEnd reads what has no length, such as a pipe, up to a bound. It copies
// nothing before the end is known to come, and ends early what is no text.
func readToEnd(ctx context.Context, r io.Reader, most int) ([]byte, error) {
	var chunks [][]byte
	total := 0
	for size := 64 << 10; ; size = min(2*size, 16<<20) {
		chunk := make([]byte, size)
		n, err := io.ReadFull(r, chunk)
		chunk = chunk[:n]
		chunks = append(chunks, chunk)
		total += n
		switch {
		case total > most:
			return nil, errTooLarge
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return slices.Concat(chunks...), nil
		case err != nil:
			return nil, err
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case bytes.Count(chunk, []byte{0}) == n:
			return nil, errors.New("it goes on with NUL bytes, and is no text")
		}
	}
}

var errTooLarge = errors.New("it is larger than 1 GiB")

func tooLong(err error) error {
	return hint.Unanswerablef("give it longer with --timeout", "reading files: %w", err)
}

// unreadable is the error of a path that cannot be read.
func unreadable(path string, err error) error {
	next := "check the path"
	if errors.Is(err, fs.ErrPermission) {
		next = "check the permissions of the path"
	}
	name := path
	if path == "-" {
		name, next = "stdin", ""
	}
	return hint.Unanswerablef(next, "reading %s: %s", name, reasonOf(err))
}

// reasonOf is an error of the file system without the path.
func reasonOf(err error) string {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err.Error()
	}
	return err.Error()
}

// special is what a file that is no regular one is called; empty for regular files.
func special(mode fs.FileMode) string {
	switch {
	case mode.IsRegular():
		return ""
	case mode&fs.ModeNamedPipe != 0:
		return "named pipe"
	case mode&fs.ModeSocket != 0:
		return "socket"
	case mode&fs.ModeDevice != 0:
		return "device"
	}
	return fmt.Sprintf("special file (%s)", mode.Type())
}
