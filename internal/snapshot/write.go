package snapshot

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// Save writes a snapshot to a file that only its owner may read. The file is
// there whole or not at all: it gets its name when everything is written.
func Save(path string, s *Snapshot) error {
	fail := func(err error) error {
		return hint.Failf("check that the directory exists and has space", "writing the snapshot %s: %w", path, err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fail(err)
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone after the rename
	if err = Write(f, s); err == nil {
		err = f.Sync()
	}
	if err = cmp.Or(err, f.Close()); err != nil {
		return fail(err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fail(err)
	}
	return nil
}

// Write writes a snapshot without its secrets. Files of the inventories that
// can't be read get an Error.
func Write(w io.Writer, s *Snapshot) error {
	zip := gzip.NewWriter(w)
	p := &parts{tar: tar.NewWriter(zip), s: s, known: map[string]string{}, limit: maxFiles}
	names := []string{}
	for _, c := range s.Clusters {
		names = append(names, c.Name)
	}
	err := p.json(headPart, head{
		APIVersion: apiVersion, Kind: kind, Taken: s.Taken.UTC(), By: s.By, IstioNamespace: s.IstioNamespace,
		Clusters: names, Missing: append([]Missing{}, s.Missing...),
	})
	for i := 0; err == nil && i < len(s.Clusters); i++ {
		folder := fmt.Sprintf("clusters/%d/", i)
		err = p.cluster(folder, s.Clusters[i])
		if err == nil && i < len(s.Inventories) {
			err = p.inventory(folder, &s.Inventories[i])
		}
	}
	if err == nil {
		err = p.json(endPart, end{Parts: p.count, Objects: p.objects})
	}
	if err == nil {
		err = p.tar.Close()
	}
	if err == nil {
		err = zip.Close()
	}
	return err
}

// parts writes the named parts of a file.
type parts struct {
	tar            *tar.Writer
	s              *Snapshot
	count, objects int
	known          map[string]string // replacements of secrets
	files, limit   int64             // bytes of files, and how many there may be
}

func (p *parts) write(name string, data []byte) error {
	p.count++
	err := p.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(data)), ModTime: p.s.Taken, Format: tar.FormatPAX})
	if err == nil {
		_, err = p.tar.Write(data)
	}
	return err
}

func (p *parts) json(name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return p.write(name, data)
}

func (p *parts) cluster(folder string, c mesh.Cluster) error {
	h := clusterHead{Name: c.Name, Read: []string{}, ReadIn: map[string][]string{}, Skipped: []skipped{}}
	for _, k := range c.Read {
		h.Read = append(h.Read, kindName(k))
	}
	for k, namespaces := range c.ReadIn {
		h.ReadIn[kindName(k)] = namespaces
	}
	for _, s := range c.Skipped {
		h.Skipped = append(h.Skipped, skipped{kindName(s.Kind), s.Reason})
	}
	if err := p.json(folder+clusterPart, h); err != nil {
		return err
	}
	objects := slices.SortedFunc(slices.Values(c.Objects), func(a, b *mesh.Object) int { return a.Compare(b.Ref) })
	var lines bytes.Buffer
	for i, n := 0, 0; i < len(objects); i++ {
		text, err := json.Marshal(redacted(objects[i], p.known))
		if err != nil {
			return fmt.Errorf("%s: %w", objects[i].Ref, err)
		}
		lines.Write(append(text, '\n'))
		if lines.Len() < partSize && i < len(objects)-1 {
			continue
		}
		if err := p.write(fmt.Sprintf("%sobjects-%04d.jsonl", folder, n), lines.Bytes()); err != nil {
			return err
		}
		lines.Reset()
		n++
	}
	p.objects += len(objects)
	return nil
}
