package analyze

import (
	"github.com/meshctl/meshctl/internal/mesh"
)

// edit is a change that a check is sure of.
type edit struct {
	object *mesh.Object
	mesh.Edit
}

// Replace is a safe fix: --fix gives the scalar at the location this value, a
// text, a bool or an int. Like the other edits it is attached only where nobody
// could have meant anything else, and beside a Suggest that says the same.
func (f *Finding) Replace(at mesh.Location, value any) *Finding {
	return f.edit(mesh.Replace, at, value)
}

// Rename is a safe fix: --fix gives the field at the location another name.
func (f *Finding) Rename(at mesh.Location, name string) *Finding {
	return f.edit(mesh.Rename, at, name)
}

// Remove is a safe fix: --fix takes the field away, with its value.
func (f *Finding) Remove(at mesh.Location) *Finding {
	return f.edit(mesh.Remove, at, nil)
}

// Insert is a safe fix: --fix adds the field, whose parent is there.
func (f *Finding) Insert(at mesh.Location, value any) *Finding {
	return f.edit(mesh.Insert, at, value)
}

func (f *Finding) edit(action mesh.Action, at mesh.Location, value any) *Finding {
	if at.Object != nil {
		f.wanted = append(f.wanted, edit{at.Object, mesh.Edit{Action: action, Path: mesh.ParsePath(at.Path), Value: value}})
	}
	return f
}

// workOutEdits turns the wanted edits into changes of text: all of them or none.
func (f *Finding) workOutEdits() {
	f.Edits = []mesh.Change{}
	for _, e := range f.wanted {
		change, ok := e.object.Change(e.Edit)
		if !ok {
			f.Edits = []mesh.Change{}
			return
		}
		f.Edits = append(f.Edits, change)
	}
}
