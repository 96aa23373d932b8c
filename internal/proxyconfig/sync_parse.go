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
	p := &synczReader{scan: newScanner(r), istiod: istiod, words: map[string]string{}, names: map[string]string{}, errors: map[string]string{}, old: oldTypes()}
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
	// old, sent and acked are of the proxy and type at hand, as JSON.
	old         []oldType
	sent, acked []byte
}

// oldType is what istiods that had no "resources" say of one type, by the
// beginning of the fields' names.
type oldType struct {
	name, url   string
	sent, acked []byte
}

func oldTypes() []oldType {
	return []oldType{
		{name: "cluster", url: typeURL("config.cluster.v3.Cluster")}, {name: "listener", url: typeURL("config.listener.v3.Listener")},
		{name: "endpoint", url: typeURL("config.endpoint.v3.ClusterLoadAssignment")}, {name: "route", url: typeURL("config.route.v3.RouteConfiguration")},
		{name: "extensionconfig", url: typeURL("config.core.v3.TypedExtensionConfig")},
	}
}

// setOld notes a field such as listener_acked; ok is false for any other.
func (s *synczReader) setOld(key string) (ok bool, err error) {
	name, what, _ := strings.Cut(key, "_")
	for i := range s.old {
		t := &s.old[i]
		if t.name != name || what != "sent" && what != "acked" {
			continue
		}
		raw, err := s.scan.value()
		if what == "sent" {
			t.sent = append(t.sent[:0], raw...)
		} else {
			t.acked = append(t.acked[:0], raw...)
		}
		return true, err
	}
	return false, nil
}

func (s *synczReader) proxy() (ProxySync, error) {
	p := ProxySync{Istiod: s.istiod}
	proxyVersion := ""
	for i := range s.old {
		s.old[i].sent, s.old[i].acked = s.old[i].sent[:0], s.old[i].acked[:0]
	}
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
			if ok, err := s.setOld(key); ok {
				return err
			}
			return s.scan.skip()
		}
		return err
	})
	if p.Version == "" {
		p.Version = proxyVersion
	}
	if p.Types == nil {
		p.Types = make([]TypeSync, 0, len(s.old))
		for _, t := range s.old {
			p.Types = append(p.Types, TypeSync{Type: typeName(t.url), TypeURL: t.url, State: stateOf(t.sent, t.acked, "")})
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

func (s *synczReader) resource(t *TypeSync) error {
	s.sent, s.acked = s.sent[:0], s.acked[:0]
	err := s.scan.each('{', func() error {
		key, err := s.key()
		if err != nil {
			return err
		}
		if key != "sent" && key != "acked" && key != "sentTime" && key != "lastError" {
			return s.scan.skip()
		}
		raw, err := s.scan.value()
		if err != nil {
			return err
		}
		switch key {
		case "sent":
			s.sent = append(s.sent, raw...)
		case "acked":
			s.acked = append(s.acked, raw...)
		case "sentTime":
			t.SentAt, err = s.time(raw)
		case "lastError":
			t.Error, err = s.unquote(raw)
			t.Error = s.kept(t.Error)
		}
		return err
	})
	t.State = stateOf(s.sent, s.acked, t.Error)
	return err
}

// time is a time that is not the zero one, else nil.
func (s *synczReader) time(raw []byte) (*time.Time, error) {
	text, err := s.unquote(raw)
	if err != nil || text == "" {
		return nil, err
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return nil, &scanError{s.scan.offset(), err.Error()}
	}
	if at.IsZero() {
		return nil, nil
	}
	at = at.UTC()
	return &at, nil
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
