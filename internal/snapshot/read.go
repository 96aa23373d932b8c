package snapshot

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// errForeign is a file that is something else.
var errForeign = errors.New("it is not a snapshot of meshctl")

// Open reads a file that [Save] wrote.
func Open(path string) (*Snapshot, error) {
	f, err := os.Open(path)
	if err != nil {
		var where *os.PathError
		if errors.As(err, &where) {
			err = where.Err
		}
		return nil, hint.Unanswerablef("check the path; `meshctl snapshot save FILE` writes one", "reading the snapshot %s: %w", path, err)
	}
	defer f.Close()
	s, err := read(bufio.NewReader(f), path)
	switch {
	case errors.Is(err, errForeign):
		return nil, hint.Unanswerablef("`meshctl snapshot save FILE` writes one; files with objects are read as arguments: meshctl analyze FILE", "reading %s: %w", path, err)
	case err != nil:
		return nil, hint.Unanswerablef("save it, or copy it, again", "reading the snapshot %s: %w", path, err)
	}
	return s, nil
}

// Read reads what [Write] wrote; its files can't be opened then.
func Read(from io.Reader) (*Snapshot, error) { return read(from, "") }

func read(from io.Reader, path string) (*Snapshot, error) {
	zip, err := gzip.NewReader(from)
	if err != nil {
		return nil, errForeign
	}
	r := &reader{tar: tar.NewReader(zip), path: path}
	for !r.whole {
		if err := r.part(); err != nil {
			return nil, err
		}
	}
	// The checksum is at the very end.
	if _, err := io.Copy(io.Discard, zip); err != nil {
		return nil, damaged(err)
	}
	return r.s, nil
}

func damaged(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it is cut off")
	}
	return fmt.Errorf("it is damaged: %w", err)
}

// reader reads part after part.
type reader struct {
	tar            *tar.Reader
	s              *Snapshot
	path           string
	count, objects int
	whole          bool
}

func (r *reader) part() error {
	h, err := r.tar.Next()
	if err != nil && r.s == nil {
		return errForeign
	}
	if err != nil {
		return damaged(err)
	}
	if r.s == nil && h.Name != headPart {
		return errForeign
	}
	if r.passes(h.Name) {
		r.count++
		if _, err := io.Copy(io.Discard, r.tar); err != nil {
			return damaged(err)
		}
		return nil
	}
	data, err := io.ReadAll(io.LimitReader(r.tar, maxPart+1))
	switch {
	case err != nil:
		return damaged(err)
	case len(data) > maxPart:
		return fmt.Errorf("its part %s is larger than %d MB", h.Name, maxPart>>20)
	}
	if err := r.take(h.Name, data); err != nil {
		return err
	}
	r.count++
	return nil
}

// passes says whether a part is read when it is asked for, or never.
func (r *reader) passes(name string) bool {
	folder, file := path.Split(name)
	if name == headPart || name == endPart {
		return false
	}
	return strings.Count(folder, "/") != 2 || file != clusterPart && file != inventoryPart && !strings.HasPrefix(file, "objects-")
}

func (r *reader) take(name string, data []byte) error {
	folder, file := path.Split(name)
	switch {
	case name == headPart:
		return r.head(data)
	case name == endPart:
		var e end
		if err := json.Unmarshal(data, &e); err != nil || e.Parts != r.count || e.Objects != r.objects {
			return fmt.Errorf("it is damaged: parts are missing: %d of %d, %d of %d objects", r.count, e.Parts, r.objects, e.Objects)
		}
		r.whole = true
		return nil
	case !strings.HasPrefix(folder, "clusters/"):
		return nil // of a newer meshctl
	}
	i, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(folder, "clusters/"), "/"))
	if err != nil || i < 0 || i >= len(r.s.Clusters) {
		return nil //nolint:nilerr // of a newer meshctl
	}
	c := &r.s.Clusters[i]
	switch {
	case file == clusterPart:
		err = readCluster(c, data)
	case file == inventoryPart:
		r.s.Inventories = append(r.s.Inventories, make([]Inventory, i+1-min(i+1, len(r.s.Inventories)))...)
		r.s.Inventories[i], err = readInventory(data, r.path, folder)
	case strings.HasPrefix(file, "objects-"):
		err = r.lines(c, data)
	}
	if err != nil {
		return fmt.Errorf("it is damaged: %s: %w", name, err)
	}
	return nil
}

func (r *reader) head(data []byte) error {
	var h head
	if err := json.Unmarshal(data, &h); err != nil || h.Kind != kind {
		return errForeign
	}
	if h.APIVersion != apiVersion {
		return fmt.Errorf("it is a %s of %s, this meshctl reads %s", h.Kind, h.APIVersion, apiVersion)
	}
	r.s = &Snapshot{Taken: h.Taken, By: h.By, IstioNamespace: h.IstioNamespace, Missing: h.Missing}
	for _, name := range h.Clusters {
		r.s.Clusters = append(r.s.Clusters, mesh.Cluster{Name: name})
	}
	return nil
}

func readCluster(c *mesh.Cluster, data []byte) error {
	var h clusterHead
	if err := json.Unmarshal(data, &h); err != nil {
		return err
	}
	c.ReadIn = map[mesh.Kind][]string{}
	for _, name := range h.Read {
		c.Read = append(c.Read, kindNamed(name))
	}
	for name, namespaces := range h.ReadIn {
		c.ReadIn[kindNamed(name)] = namespaces
	}
	for _, s := range h.Skipped {
		c.Skipped = append(c.Skipped, mesh.Skip{Kind: kindNamed(s.Kind), Reason: s.Reason})
	}
	return nil
}

func (r *reader) lines(c *mesh.Cluster, data []byte) error {
	for line := range bytes.Lines(data) {
		raw, err := parsed(line)
		if err != nil {
			return err
		}
		apiVersion, _ := raw["apiVersion"].(string)
		name, _ := raw["kind"].(string)
		k, known := mesh.KindOf(apiVersion, name)
		if !known {
			k = mesh.ForeignKind(apiVersion, name)
		}
		o := mesh.NewObject(k, raw, mesh.Origin{Cluster: c.Name})
		o.Reread(func() map[string]any {
			raw, _ := parsed(line)
			return raw
		})
		c.Objects = append(c.Objects, o)
		r.objects++
	}
	return nil
}

func parsed(line []byte) (map[string]any, error) {
	var raw map[string]any
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.UseNumber()
	if err := dec.Decode(&raw); err != nil {
		return nil, err
	}
	raw, _ = numbers(raw).(map[string]any)
	return raw, nil
}

// numbers turns numbers into those that a client of Kubernetes returns: whole
// ones are int64.
func numbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, item := range v {
			v[k] = numbers(item)
		}
	case []any:
		for i, item := range v {
			v[i] = numbers(item)
		}
	case json.Number:
		if whole, err := v.Int64(); err == nil {
			return whole
		}
		f, _ := v.Float64()
		return f
	}
	return v
}
