package output

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type proxies struct {
	Proxies []proxy `json:"proxies"`
}

type proxy struct {
	Name  string `json:"name"`
	State string `json:"state"`
}

func (proxies) DocumentKind() string { return "ProxyStatus" }

func (p proxies) Tables(wide bool) []Table {
	t := Table{Columns: []string{"NAME", "STATE"}, Empty: "no proxies", Tone: func(_ int, cell string) Tone {
		if cell == "STALE" {
			return Bad
		}
		return Plain
	}}
	if wide {
		t.Columns = append(t.Columns, "LENGTH")
	}
	for _, x := range p.Proxies {
		row := []string{x.Name, x.State}
		if wide {
			row = append(row, "5")
		}
		t.Rows = append(t.Rows, row)
	}
	return []Table{t}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	two := proxies{[]proxy{{"productpage-v1.default", "SYNCED"}, {"a <b>", "STALE"}}}
	for name, c := range map[string]struct {
		in   proxies
		opts Options
		want string
	}{
		"table":      {two, Options{}, "NAME                    STATE\nproductpage-v1.default  SYNCED\na <b>                   STALE\n"},
		"no headers": {two, Options{NoHeaders: true}, "productpage-v1.default  SYNCED\na <b>                   STALE\n"},
		"wide": {two, Options{Format: AsWide},
			"NAME                    STATE   LENGTH\nproductpage-v1.default  SYNCED  5\na <b>                   STALE   5\n"},
		"colour": {two, Options{Color: true, NoHeaders: true},
			"productpage-v1.default  SYNCED\na <b>                   \x1b[31;1mSTALE\x1b[0;22m   \x1b[0m\n"},
		"empty":      {proxies{[]proxy{}}, Options{}, "no proxies\n"},
		"empty json": {proxies{[]proxy{}}, Options{Format: AsJSON}, "{\n  \"apiVersion\": \"meshctl.io/v1\",\n  \"kind\": \"ProxyStatus\",\n  \"proxies\": []\n}\n"},
		"yaml":       {two, Options{Format: AsYAML}, "apiVersion: meshctl.io/v1\nkind: ProxyStatus\nproxies:\n- name: productpage-v1.default\n  state: SYNCED\n- name: a <b>\n  state: STALE\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			if err := Write(&b, c.opts, c.in); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, b.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUnknownFormat(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := Write(&b, Options{Format: "xml"}, proxies{}); err == nil || b.Len() > 0 {
		t.Errorf("err %v, written %q", err, b.String())
	}
}

func BenchmarkTable5000(b *testing.B) {
	p := proxies{make([]proxy, 5000)}
	for i := range p.Proxies {
		p.Proxies[i] = proxy{"a-name-of-a-proxy.with-namespace", "SYNCED"}
	}
	for b.Loop() {
		var out bytes.Buffer
		if err := Write(&out, Options{}, p); err != nil {
			b.Fatal(err)
		}
	}
}
