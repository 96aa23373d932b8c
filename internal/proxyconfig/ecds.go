package proxyconfig

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/meshctl/meshctl/internal/output"
)

// ECDSPath is the admin request for what [ReadECDS] reads.
const ECDSPath = "/config_dump?mask=ecds_filters"

// Extension is a filter that istiod sends apart from the listeners.
type Extension struct {
	Name string `json:"name"`
	// Type is that of its configuration, without the type URL's prefix.
	Type string `json:"type"`
	// Version and Updated are of the last update that Envoy took.
	Version string     `json:"version,omitempty"`
	Updated *time.Time `json:"updated,omitempty"`
	// Rejected is why Envoy refused the last update of it.
	Rejected string          `json:"rejected,omitempty"`
	Config   json.RawMessage `json:"config,omitempty"`
}

// ExtensionList is the result of proxy-config ecds.
type ExtensionList struct {
	Proxy      string      `json:"proxy"`
	Extensions []Extension `json:"extensions"`
}

type wireExtension struct {
	Version string    `json:"version_info"`
	Updated time.Time `json:"last_updated"`
	Filter  struct {
		Name   string `json:"name"`
		Config struct {
			Type string `json:"@type"`
			// A configuration whose type is only named inside.
			Inner string `json:"type_url"`
		} `json:"typed_config"`
	} `json:"ecds_filter"`
	Error *struct {
		Details string `json:"details"`
	} `json:"error_state"`
}

// ReadECDS reads the extensions of a dump. A proxy without any has no such
// section, so a dump of other parts says so only when it was taken whole.
func ReadECDS(s Source) (*ExtensionList, error) {
	l := &ExtensionList{Proxy: s.Name, Extensions: []Extension{}}
	if err := s.read(l.part()); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *ExtensionList) part() part {
	return part{
		sections: []string{"EcdsConfigDump"},
		fields: map[string]Field{
			"ecds_filters": func(e Element) error {
				var w wireExtension
				raw, err := e.Decode(&w, "ecds_filter")
				if err == nil {
					one := w.extension()
					one.Config = raw
					l.Extensions = append(l.Extensions, one)
				}
				return err
			},
		},
		done: func() error {
			slices.SortStableFunc(l.Extensions, func(a, b Extension) int { return strings.Compare(a.Name, b.Name) })
			return nil
		},
	}
}

func (w *wireExtension) extension() Extension {
	url := w.Filter.Config.Type
	if strings.HasSuffix(url, "TypedStruct") {
		url = cmp.Or(w.Filter.Config.Inner, url)
	}
	one := Extension{Name: w.Filter.Name, Type: url[strings.LastIndexByte(url, '/')+1:], Version: w.Version}
	if !w.Updated.IsZero() {
		updated := w.Updated.UTC()
		one.Updated = &updated
	}
	if w.Error != nil {
		one.Rejected = RedactText(w.Error.Details)
	}
	return one
}

// DocumentKind is the kind of the JSON and YAML document.
func (*ExtensionList) DocumentKind() string { return "ProxyExtensions" }

// Tables is one row per extension.
func (l *ExtensionList) Tables(wide bool) []output.Table {
	t := output.Table{Columns: []string{"ECDS NAME", "TYPE"}, Empty: "No extension configs found."}
	if wide {
		t.Columns = append(t.Columns, "VERSION", "UPDATED")
	}
	for i := range l.Extensions {
		x := &l.Extensions[i]
		row := []string{x.Name, x.Type}
		if wide {
			row = append(row, orDash(x.Version), stamp(x.Updated))
		}
		t.Rows = append(t.Rows, row)
		if x.Rejected != "" {
			t.After = append(t.After, "", "Envoy refused the last update of extension "+x.Name+":", "  "+oneLine(x.Rejected))
		}
	}
	return []output.Table{t}
}
