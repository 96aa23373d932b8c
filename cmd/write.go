package cmd

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/meshctl/meshctl/internal/hint"
)

// pendingFile is a file whose new text stands beside it, ready to take its place.
type pendingFile struct {
	path, target, temp string
	before             []byte
}

// writeFiles gives files their new texts: all of them or, when one cannot be
// written, none. A file keeps its mode, and a link stays a link.
func writeFiles(paths []string, text func(path string) []byte) error {
	var pending []pendingFile
	defer func() {
		for _, p := range pending {
			_ = os.Remove(p.temp)
		}
	}()
	for _, path := range paths {
		p, err := prepare(path, text(path))
		if err != nil {
			return hint.Failf("nothing was written", "writing %s: %w", path, err)
		}
		pending = append(pending, p)
	}
	for i, p := range pending {
		if err := os.Rename(p.temp, p.target); err != nil {
			return hint.Failf(undo(pending[:i]), "writing %s: %w", p.path, err)
		}
	}
	return nil
}

// prepare writes the text into a file beside the one it is for.
func prepare(path string, text []byte) (pendingFile, error) {
	p := pendingFile{path: path, target: path}
	mode := fs.FileMode(0o644)
	if target, err := filepath.EvalSymlinks(path); err == nil {
		p.target = target
	}
	info, err := os.Stat(p.target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return p, err
	case !info.Mode().IsRegular():
		return p, errors.New("it is not a regular file")
	case info.Mode().Perm()&0o200 == 0:
		return p, errors.New("it is read-only")
	default:
		mode = info.Mode().Perm()
		if p.before, err = os.ReadFile(p.target); err != nil {
			return p, err
		}
	}
	temp, err := os.CreateTemp(filepath.Dir(p.target), "."+filepath.Base(p.target)+".*")
	if err != nil {
		return p, errors.Unwrap(err)
	}
	p.temp = temp.Name()
	_, err = temp.Write(text)
	err = errors.Join(err, temp.Chmod(mode), temp.Sync(), temp.Close())
	if err != nil {
		_ = os.Remove(p.temp)
	}
	return p, err
}

// undo gives files that were written their old texts back, and says what came of it.
func undo(written []pendingFile) string {
	for _, p := range written {
		if err := os.WriteFile(p.target, p.before, 0o644); err != nil {
			return fmt.Sprintf("%s was written, and getting it back failed: %v", p.path, err)
		}
	}
	return "nothing was written"
}

// resultWriter is stdout, whose failure means that the question has no answer:
// not even "no", which is exit code 1.
type resultWriter struct{ io.Writer }

// Write writes to stdout.
func (w resultWriter) Write(text []byte) (int, error) {
	n, err := w.Writer.Write(text)
	if err != nil && !errors.Is(err, syscall.EPIPE) {
		var pathError *fs.PathError
		if errors.As(err, &pathError) {
			err = pathError.Err
		}
		err = hint.Unanswerablef("make room where stdout goes, and run the command again", "writing the result to stdout: %w", err)
	}
	return n, err
}
