package snapshot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/hint"
)

// Inventory is what was saved of a cluster beside its objects.
type Inventory struct {
	// Kubernetes is the version of the API server, "" when not known.
	Kubernetes string `json:"kubernetes,omitempty"`
	// Proxies are those whose configuration was saved, or should have been: the
	// Error of their files says so.
	Proxies []Proxy `json:"proxies"`
	// LeftOut is how many more proxies there are.
	LeftOut int `json:"leftOut"`
	// Notes are what could not be read, and why.
	Notes []string `json:"notes"`
	Files []*File  `json:"files"`
}

// Proxy is a pod with an Envoy.
type Proxy struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	// Workload is KIND/NAME of what the pod belongs to, such as deploy/frontend.
	Workload string            `json:"workload"`
	Labels   map[string]string `json:"labels"`
	// Why it was chosen: named, out of sync, gateway, or one of its workload.
	Why string `json:"why"`
}

// ID is the proxy as name.namespace.
func (p Proxy) ID() string { return p.Name + "." + p.Namespace }

// File is a text in the snapshot, such as proxies/frontend-1.shop/config_dump.json.
type File struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
	Parts int    `json:"parts"`
	// Error is why it is not there.
	Error string `json:"error,omitempty"`

	// Open opens it. While writing it is called once; its text must be without
	// secrets already. That it fails is noted in the snapshot, no more, unless
	// it was cancelled.
	Open func() (io.ReadCloser, error) `json:"-"`
}

// File is a file of a cluster; one that is not there is an error that says why.
func (s *Snapshot) File(cluster int, name string) (io.ReadCloser, error) {
	if cluster < len(s.Inventories) {
		files := s.Inventories[cluster].Files
		i := slices.IndexFunc(files, func(f *File) bool { return f.Name == name })
		switch {
		case i < 0:
		case files[i].Error != "":
			return nil, hint.Unanswerablef("save a new snapshot once it can be read", "%s could not be saved: %s", name, files[i].Error)
		default:
			return files[i].Open()
		}
	}
	return nil, hint.Unanswerablef("save a new snapshot with `meshctl snapshot save --proxies all`", "%s is not in the snapshot", name)
}

// inventoryPart is the last part of a cluster.
const inventoryPart = "inventory.json"

// filePart is about how many bytes of a file are in one part, maxFiles how
// many bytes all files may have.
const (
	filePart = 8 << 20
	maxFiles = 2 << 30
)

// inventory writes a cluster's files and what they are.
func (p *parts) inventory(folder string, inv *Inventory) error {
	for _, f := range inv.Files {
		if f.Open == nil {
			continue
		}
		if p.files >= p.limit {
			f.Error = fmt.Sprintf("left out: the snapshot has %d MB already", p.files>>20)
			continue
		}
		if err := p.file(folder, f); err != nil {
			return err
		}
	}
	inv.Proxies, inv.Notes, inv.Files = append([]Proxy{}, inv.Proxies...), append([]string{}, inv.Notes...), append([]*File{}, inv.Files...)
	return p.json(folder+inventoryPart, inv)
}

// file writes one file in parts: the first has its name, the others a number
// behind it. What can't be read to its end is not told from what is whole by
// its parts, so the error is noted.
func (p *parts) file(folder string, f *File) error {
	body, err := f.Open()
	if errors.Is(err, context.Canceled) {
		return err
	}
	if err != nil {
		f.Error = oneLine(err.Error())
		return nil
	}
	defer body.Close()
	buffer := make([]byte, filePart)
	for {
		n, err := io.ReadFull(body, buffer)
		end := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !end {
			f.Error = oneLine(err.Error())
			return nil
		}
		if n > 0 || f.Parts == 0 {
			if err := p.write(partName(folder+f.Name, f.Parts), buffer[:n]); err != nil {
				return err
			}
			f.Bytes += int64(n)
			f.Parts++
			p.files += int64(n)
		}
		if end {
			return nil
		}
	}
}

func partName(name string, i int) string {
	if i == 0 {
		return name
	}
	return fmt.Sprintf("%s.%04d", name, i)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// readInventory reads what [parts.inventory] wrote; path is the snapshot's.
func readInventory(data []byte, path, folder string) (Inventory, error) {
	var inv Inventory
	if err := json.Unmarshal(data, &inv); err != nil {
		return inv, err
	}
	for _, f := range inv.Files {
		if f.Error == "" {
			f.Open = func() (io.ReadCloser, error) { return openFile(path, folder, f) }
		}
	}
	return inv, nil
}
