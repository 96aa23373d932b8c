package install

import (
	"bufio"
	"bytes"
	"cmp"
	"strings"

	"github.com/meshctl/meshctl/internal/output"
)

// Profile is a profile and what it installs.
type Profile struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	// Components are the parts of the mesh, and Addons what comes with them.
	Components []string `json:"components"`
	Addons     []string `json:"addons"`
}

// ProfileList is every profile, sorted by name.
type ProfileList struct {
	Profiles []Profile `json:"profiles"`
}

// Profiles lists the profiles of a manifests directory and of the binary; the
// directory is "" for the binary alone.
func Profiles(manifestsDir string) (*ProfileList, error) {
	charts, err := newChartSource(manifestsDir)
	if err != nil {
		return nil, err
	}
	list := &ProfileList{Profiles: []Profile{}}
	for _, name := range charts.profileNames() {
		s, err := Resolve(Inputs{Profile: name, ManifestsDir: manifestsDir})
		if err != nil {
			return nil, err
		}
		p := Profile{Name: name, Components: []string{}, Addons: s.Addons}
		text, err := charts.profile(name)
		if err != nil {
			return nil, err
		}
		p.Description = comment(text)
		comps, err := s.components()
		if err != nil {
			return nil, err
		}
		for _, c := range comps {
			p.Components = append(p.Components, cmp.Or(c.resourceName(), c.key))
		}
		list.Profiles = append(list.Profiles, p)
	}
	return list, nil
}

// comment is the text of the comment that a file begins with, on one line.
func comment(text []byte) string {
	var words []string
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		line, ok := strings.CutPrefix(lines.Text(), "#")
		if !ok {
			break
		}
		words = append(words, strings.Fields(line)...)
	}
	return strings.Join(words, " ")
}

// DocumentKind is the kind of the list's JSON and YAML.
func (l *ProfileList) DocumentKind() string { return "ProfileList" }

// Tables has a line per profile.
func (l *ProfileList) Tables(wide bool) []output.Table {
	t := output.Table{Columns: []string{"NAME", "DESCRIPTION"}}
	if wide {
		t.Columns = append(t.Columns, "INSTALLS", "ADD-ONS")
	}
	for _, p := range l.Profiles {
		short, _, _ := strings.Cut(p.Description+" ", ". ")
		row := []string{p.Name, strings.TrimRight(short, ". ")}
		if wide {
			row = append(row, orDash(p.Components), orDash(p.Addons))
		}
		t.Rows = append(t.Rows, row)
	}
	return []output.Table{t}
}

func orDash(words []string) string { return cmp.Or(strings.Join(words, ", "), "-") }
