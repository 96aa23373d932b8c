package proxyconfig

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/meshctl/meshctl/internal/hint"
)

// ParseSyncz reads what the istiod of this name answered on /debug/syncz,
// proxy by proxy.
func ParseSyncz(istiod string, r io.Reader) ([]ProxySync, error) {
	p := &synczReader{scan: newScanner(r), istiod: istiod, words: map[string]string{}, names: map[string]string{}, errors: map[string]string{}}
	proxies := []ProxySync{}
	err := p.scan.each('[', func() error {
		proxy, err := p.proxy()
		proxies = append(proxies, proxy)
		return err
	})
	if err != nil {
		return nil, hint.Unanswerablef("is this pod an istiod of Istio 1.10 or later?", "reading the sync state that %s reports: %w", istiod, err)
	}
	return proxies, nil
}

// synczReader reads istiod's /debug/syncz. Most words in it are the same for
// every proxy, and kept once.
type synczReader struct {
	scan   *scanner
	istiod string
	// words are texts by their JSON, names the short names of types, errors
	// what proxies refused something with.
	words, names, errors map[string]string
}

// oldTypes are the types of istiods that had no "resources", by the beginning
// of their fields' names.
func oldTypes() map[string]string {
	return map[string]string{
		"cluster": typeURL("config.cluster.v3.Cluster"), "listener": typeURL("config.listener.v3.Listener"),
		"endpoint": typeURL("config.endpoint.v3.ClusterLoadAssignment"), "route": typeURL("config.route.v3.RouteConfiguration"),
		"extensionconfig": typeURL("config.core.v3.TypedExtensionConfig"),
	}
}

func (s *synczReader) proxy() (ProxySync, error) {
	p := ProxySync{Istiod: s.istiod}
	proxyVersion := ""
	var old map[string]string
	err := s.scan.each('{', func() (err error) {
		key, err := s.key()
		if err != nil {
			return err
		}
		switch key {
		case "cluster_id":
			p.Cluster, err = s.word()
		case "proxy":
			var id string
			id, err = s.text()
			p.setID(id)
		case "proxy_type":
			p.Kind, err = s.word()
		case "proxy_version":
			proxyVersion, err = s.word()
		case "istio_version":
			p.Version, err = s.word()
		case "resources":
			err = s.resources(&p)
		default:
			if !strings.HasSuffix(key, "_sent") && !strings.HasSuffix(key, "_acked") {
				return s.scan.skip()
			}
			if old == nil {
				old = map[string]string{}
			}
			old[key], err = s.text()
		}
		return err
	})
	if p.Version == "" {
		p.Version = proxyVersion
	}
	if p.Types == nil {
		p.Types = []TypeSync{}
		for name, url := range oldTypes() {
			p.Types = append(p.Types, TypeSync{Type: typeName(url), TypeURL: url, State: stateOf(old[name+"_sent"], old[name+"_acked"], "")})
		}
	}
	p.sortTypes()
	return p, err
}

func (p *ProxySync) setID(id string) {
	p.Name, p.Namespace = id, ""
	if i := strings.LastIndexByte(id, '.'); i > 0 {
		p.Name, p.Namespace = id[:i], id[i+1:]
	}
}

func (p *ProxySync) sortTypes() {
	slices.SortFunc(p.Types, func(a, b TypeSync) int { return CompareSyncTypes(a.Type, b.Type) })
}

// NewProxySync is a proxy, by its id pod.namespace, as an istiod told of it in
// another form than /debug/syncz.
func NewProxySync(istiod, id, cluster, version string, types []TypeSync) ProxySync {
	p := ProxySync{Istiod: istiod, Cluster: cluster, Version: version, Types: types}
	p.setID(id)
	for i := range p.Types {
		p.Types[i].Type = typeName(p.Types[i].TypeURL)
	}
	p.sortTypes()
	return p
}

func (s *synczReader) resources(p *ProxySync) error {
	if c, err := s.scan.peek(); err != nil || c == 'n' { // null
		return s.scan.skip()
	}
	p.Types = make([]TypeSync, 0, len(SyncTypes()))
	return s.scan.each('{', func() error {
		url, err := s.key()
		if err != nil {
			return err
		}
		t := TypeSync{TypeURL: url}
		if t.Type = s.names[url]; t.Type == "" {
			t.Type = typeName(url)
			s.names[url] = t.Type
		}
		err = s.resource(&t)
		p.Types = append(p.Types, t)
		return err
	})
}

// wireType is what syncz says of one type.
type wireType struct {
	Sent      string    `json:"sent"`
	Acked     string    `json:"acked"`
	SentTime  time.Time `json:"sentTime"`
	LastError string    `json:"lastError"`
}

func (s *synczReader) resource(t *TypeSync) error {
	raw, err := s.scan.value()
	if err != nil {
		return err
	}
	var w wireType
	if err := json.Unmarshal(raw, &w); err != nil {
		return &scanError{s.scan.offset(), err.Error()}
	}
	t.State, t.Error = stateOf(w.Sent, w.Acked, w.LastError), s.kept(w.LastError)
	if !w.SentTime.IsZero() {
		sent := w.SentTime.UTC()
		t.SentAt = &sent
	}
	return nil
}

// text is a string value.
func (s *synczReader) text() (string, error) {
	raw, err := s.scan.value()
	if err != nil {
		return "", err
	}
	return s.unquote(raw)
}

// word is a string value that many proxies share.
func (s *synczReader) word() (string, error) {
	raw, err := s.scan.value()
	if err != nil {
		return "", err
	}
	if known, ok := s.words[string(raw)]; ok {
		return known, nil
	}
	text, err := s.unquote(raw)
	s.words[string(raw)] = text
	return text, err
}

func (s *synczReader) unquote(raw []byte) (string, error) {
	if inner := bytes.Trim(raw, `"`); len(inner) == len(raw)-2 && bytes.IndexByte(inner, '\\') < 0 {
		return string(inner), nil
	}
	text := ""
	if err := json.Unmarshal(raw, &text); err != nil {
		return "", &scanError{s.scan.offset(), err.Error()}
	}
	return text, nil
}

// key is a member's name.
func (s *synczReader) key() (string, error) {
	key, err := s.word()
	if err != nil {
		return "", err
	}
	return key, s.scan.expect(':')
}

func (s *synczReader) kept(text string) string {
	if text == "" {
		return ""
	}
	if known, ok := s.errors[text]; ok {
		return known
	}
	s.errors[text] = text
	return text
}
