package cmd

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/proxyconfig"
	"github.com/meshctl/meshctl/internal/snapshot"
)

// How many files are read at once and how many wait to be written, how long
// one may take, and how large it may be.
const (
	fetchAtOnce  = 4
	fetchAhead   = 8
	fetchTimeout = 30 * time.Second
	fetchMost    = 512 << 20
)

// fetcher reads files ahead of who writes them into the snapshot: several at
// once, packed as they come, without their secrets.
type fetcher struct {
	ctx     context.Context
	files   []*fetched
	working chan struct{} // places for those that are read now
	waiting chan struct{} // places for those that are read or wait to be written
}

// fetched is one file that is read, or will be.
type fetched struct {
	file   *snapshot.File
	read   func(ctx context.Context, to io.Writer) error
	done   chan struct{}
	packed bytes.Buffer
	err    error
}

func newFetcher(ctx context.Context) *fetcher {
	return &fetcher{ctx: ctx, working: make(chan struct{}, fetchAtOnce), waiting: make(chan struct{}, fetchAhead)}
}

// add adds a file that read writes, without secrets.
func (f *fetcher) add(name string, read func(ctx context.Context, to io.Writer) error) *snapshot.File {
	one := &fetched{read: read, done: make(chan struct{})}
	one.file = &snapshot.File{Name: name, Open: func() (io.ReadCloser, error) { return f.open(one) }}
	f.files = append(f.files, one)
	return one.file
}

// json adds a file of JSON that get opens.
func (f *fetcher) json(name string, get func(ctx context.Context) (io.ReadCloser, error)) *snapshot.File {
	return f.add(name, func(ctx context.Context, to io.Writer) error {
		body, err := get(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = body.Close() }()
		return proxyconfig.Redact(to, &limited{from: body, left: fetchMost})
	})
}

// text adds a file of text that get reads.
func (f *fetcher) text(name string, get func(ctx context.Context) (string, error)) *snapshot.File {
	return f.add(name, func(ctx context.Context, to io.Writer) error {
		text, err := get(ctx)
		if err == nil {
			_, err = io.WriteString(to, snapshot.Text(proxyconfig.RedactText(text)))
		}
		return err
	})
}

// start begins to read, in the order in which files are written.
func (f *fetcher) start() {
	go func() {
		for _, one := range f.files {
			f.waiting <- struct{}{}
			f.working <- struct{}{}
			go func() {
				defer close(one.done)
				defer func() { <-f.working }()
				one.err = one.fetch(f.ctx)
			}()
		}
	}()
}

func (one *fetched) fetch(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	if ctx.Err() != nil {
		return errors.New("the time was up: give it longer with --timeout")
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	pack, err := flate.NewWriter(&one.packed, flate.BestSpeed)
	if err == nil {
		err = errors.Join(one.read(ctx, pack), pack.Close())
	}
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %s", fetchTimeout)
	}
	return err
}

// open waits until the file is read.
func (f *fetcher) open(one *fetched) (io.ReadCloser, error) {
	<-one.done
	if one.err != nil {
		<-f.waiting
		return nil, one.err
	}
	return struct {
		io.Reader
		io.Closer
	}{flate.NewReader(&one.packed), closer(func() error {
		one.packed = bytes.Buffer{}
		<-f.waiting
		return nil
	})}, nil
}

// limited fails when there is more to read than it may be.
type limited struct {
	from io.Reader
	left int64
}

// Read reads on.
func (l *limited) Read(p []byte) (int, error) {
	n, err := l.from.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, hint.Failf("", "it is larger than %d MB", fetchMost>>20)
	}
	return n, err
}

// failedFiles are the errors of files by what they are about, such as
// proxies/frontend-1.shop: the same reason once.
func failedFiles(files []*snapshot.File) (about []string, reasons map[string]string) {
	reasons = map[string]string{}
	for _, f := range files {
		if f.Error == "" {
			continue
		}
		name := f.Name
		if parts := strings.SplitN(name, "/", 3); len(parts) == 3 {
			name = parts[1]
		}
		if reasons[name] == "" {
			about = append(about, name)
			reasons[name] = f.Error
		}
	}
	return about, reasons
}
