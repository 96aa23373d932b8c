package proxyconfig

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/hint"
)

// A bug report of istioctl is a tar.gz that has, among much else, for every
// proxy proxies/NAMESPACE/POD/config_dump?include_eds and .../clusters, the
// latter as text.

// tarMagic stands at byte 257 of a tar.
const tarMagic = "ustar"

// unzipped is what r has, unpacked when it is gzip.
func unzipped(r *bufio.Reader) (*bufio.Reader, error) {
	head, _ := r.Peek(2)
	if !bytes.Equal(head, []byte{0x1f, 0x8b}) {
		return r, nil
	}
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	return bufio.NewReaderSize(z, 64<<10), nil
}

// IsArchive says whether a file begins as a tar does, compressed or not.
func IsArchive(file io.Reader) bool {
	r, err := unzipped(bufio.NewReader(file))
	if err != nil {
		return false
	}
	return isTar(r)
}

func isTar(r *bufio.Reader) bool {
	head, _ := r.Peek(262)
	return len(head) == 262 && string(head[257:]) == tarMagic
}

// proxyFile splits the name of a proxy's file in an archive into POD.NAMESPACE
// and the file.
func proxyFile(name string) (proxy, file string, ok bool) {
	parts := strings.Split(path.Clean(name), "/")
	at := slices.Index(parts, "proxies")
	if at < 0 || len(parts) != at+4 {
		return "", "", false
	}
	file, _, _ = strings.Cut(parts[at+3], "?")
	return parts[at+2] + "." + parts[at+1], file, true
}

// ArchivedProxies are the proxies, as POD.NAMESPACE, whose config dump is in
// the archive called name.
func ArchivedProxies(name string, archive io.Reader) ([]string, error) {
	var proxies []string
	err := walkTar(name, archive, func(entry string, _ io.Reader) error {
		if proxy, file, ok := proxyFile(entry); ok && file == "config_dump" {
			proxies = append(proxies, proxy)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(proxies) == 0 {
		return nil, hint.Unanswerablef("a bug report has proxies/NAMESPACE/POD/config_dump for each", "%s is an archive without a proxy's config dump", name)
	}
	slices.Sort(proxies)
	return slices.Compact(proxies), nil
}

// FromArchive opens what an archive has of a proxy for an admin path.
func FromArchive(name string, archive io.Reader, proxy, adminPath string) (io.Reader, error) {
	want, fallback := "config_dump", "config_dump"
	if strings.HasPrefix(adminPath, "/clusters") {
		want = "clusters"
	}
	var found, other []byte
	err := walkTar(name, archive, func(entry string, r io.Reader) (err error) {
		of, file, ok := proxyFile(entry)
		switch {
		case !ok || of != proxy:
		case file == want:
			if found, err = io.ReadAll(io.LimitReader(r, maxElement)); err == nil {
				return io.EOF
			}
		case file == fallback:
			other, err = io.ReadAll(io.LimitReader(r, maxElement))
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case len(found) > 0:
		return bytes.NewReader(found), nil
	case len(other) > 0:
		return bytes.NewReader(other), nil
	}
	return nil, hint.Unanswerablef("it could not be read when the report was made", "%s has nothing of the configuration of %s", name, proxy)
}

// walkTar calls see for every file; io.EOF from it ends the walk.
func walkTar(name string, archive io.Reader, see func(entry string, r io.Reader) error) error {
	r, err := unzipped(bufio.NewReaderSize(archive, 64<<10))
	if err != nil {
		return archiveError(name, err)
	}
	for t := tar.NewReader(r); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && h.Typeflag == tar.TypeReg {
			err = see(h.Name, t)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return archiveError(name, err)
		}
	}
}

func archiveError(name string, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("it ends in the middle")
	}
	return hint.Unanswerablef("it was cut off or damaged: take it again", "reading the archive %s: %w", name, err)
}
