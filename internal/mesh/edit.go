package mesh

// Action is what an [Edit] does to a field.
type Action int

// The actions.
const (
	// Replace gives a scalar another value.
	Replace Action = iota
	// Rename gives a field another name.
	Rename
	// Remove takes a field away, with its value.
	Remove
	// Insert adds a field to an object that exists.
	Insert
)

// Edit is a change of one field of an object.
type Edit struct {
	Action Action
	// Path is the field; of Insert, the one to be.
	Path Path
	// Value is the new value, of Rename the new name: a text, a bool, an int,
	// or for Insert a map or list of such as well.
	Value any
}

// Change is an [Edit] worked out to the letter: a piece of a file, and what is
// to stand in its place. Lines and columns count from 1, columns in characters;
// the end is the place after the last character.
type Change struct {
	File      string `json:"file"`
	Line      int    `json:"line"`
	Column    int    `json:"column"`
	EndLine   int    `json:"endLine"`
	EndColumn int    `json:"endColumn"`
	Old       string `json:"old"`
	New       string `json:"new"`
}

// Editor is a [Locator] of a text that can be changed.
type Editor interface {
	Locator
	// Change works an edit out. It is false when the edit cannot be made without
	// touching anything else: the value is shared through an anchor, is written over
	// several lines, or does not stand in a file.
	Change(Edit) (Change, bool)
}

// Change works an edit of the object out; see [Editor].
func (o *Object) Change(e Edit) (Change, bool) {
	editor, ok := o.Origin.Locator.(Editor)
	if !ok || o.Origin.File == "" {
		return Change{}, false
	}
	c, ok := editor.Change(e)
	c.File = o.Origin.File
	return c, ok
}
