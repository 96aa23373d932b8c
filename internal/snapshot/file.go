package snapshot

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"errors"
	"io"
	"os"

	"github.com/meshctl/meshctl/internal/hint"
)

// openFile opens a file inside the snapshot at path, whose parts begin with
// folder. The snapshot was read once and so is known to be whole.
func openFile(path, folder string, f *File) (io.ReadCloser, error) {
	fail := func(err error) error {
		return hint.Unanswerablef("check that the snapshot is still there", "reading %s in the snapshot %s: %w", f.Name, path, err)
	}
	if path == "" {
		return nil, fail(errors.New("it was read as a stream"))
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fail(err)
	}
	zip, err := gzip.NewReader(bufio.NewReaderSize(file, 256<<10))
	if err != nil {
		_ = file.Close()
		return nil, fail(err)
	}
	return &partReader{file: file, tar: tar.NewReader(zip), name: folder + f.Name, parts: f.Parts}, nil
}

// partReader reads the parts of one file, one after another.
type partReader struct {
	file  *os.File
	tar   *tar.Reader
	name  string
	parts int
	next  int // the part to look for
	open  bool
}

// Read reads on.
func (r *partReader) Read(p []byte) (int, error) {
	for {
		if r.open {
			n, err := r.tar.Read(p)
			if errors.Is(err, io.EOF) { // of this part
				r.open, err = false, nil
			}
			if n > 0 || err != nil {
				return n, err
			}
		}
		if r.next == r.parts {
			return 0, io.EOF
		}
		h, err := r.tar.Next()
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return 0, err
		}
		if h.Name == partName(r.name, r.next) {
			r.open = true
			r.next++
		}
	}
}

// Close closes the snapshot.
func (r *partReader) Close() error { return r.file.Close() }
