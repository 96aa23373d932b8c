package proxyconfig

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"sync"
)

// redacted replaces secret text in everything that is shown.
const redacted = "[redacted]"

// maxNesting bounds how deep a value may be nested; no dump comes near.
const maxNesting = 1000

// redact is JSON text in compact form with private keys, passwords and tokens
// replaced; the order of members and all other values stay as they are. The
// text must be valid.
func redact(text []byte) json.RawMessage {
	if len(text) == 0 {
		return nil
	}
	r := redactor{text: text, out: make([]byte, 0, len(text)*3/4), names: map[string]nameClass{}}
	r.value(blank(text, 0), secrecy{}, 0)
	return r.out
}

// redactor copies text to out. Secrets are told by the names of members (see
// classOf), by the header or setting that a value belongs to, and by how they
// look (see [RedactText]).
type redactor struct {
	text, out []byte
	names     map[string]nameClass
}

// secrecy says what of a value is secret because of where it stands.
type secrecy struct {
	// all strings and numbers below are, however deep.
	all bool
	// own is the value itself when it is no object or array.
	own bool
	// rows are the objects of an array.
	rows bool
}

func (r *redactor) value(from int, s secrecy, depth int) (end int) {
	if from >= len(r.text) || depth > maxNesting {
		r.out = append(r.out, `"`+redacted+`"`...)
		return valueEnd(r.text, from)
	}
	switch r.text[from] {
	case '{':
		return r.object(from, s, depth)
	case '[':
		return r.array(from, s, depth)
	case '"':
		end = stringEnd(r.text, from)
		r.string(r.text[from:end], s.all || s.own)
		return end
	}
	end = valueEnd(r.text, from)
	if literal := r.text[from:end]; (s.all || s.own) && literal[0] != 'n' && literal[0] != 't' && literal[0] != 'f' {
		r.out = append(r.out, `"`+redacted+`"`...)
	} else {
		r.out = append(r.out, literal...)
	}
	return end
}

func (r *redactor) array(from int, s secrecy, depth int) int {
	r.out = append(r.out, '[')
	first := true
	end := items(r.text, from, func(at int) int {
		if !first {
			r.out = append(r.out, ',')
		}
		first = false
		return r.value(at, secrecy{all: s.all || s.rows, own: s.own}, depth+1)
	})
	r.out = append(r.out, ']')
	return end
}

func (r *redactor) object(from int, s secrecy, depth int) int {
	r.out = append(r.out, '{')
	first, labelled := true, false
	var label []byte
	end := members(r.text, from, func(name []byte, at int) int {
		if !first {
			r.out = append(r.out, ',')
		}
		first = false
		r.out = append(append(append(r.out, '"'), name...), `":`...)
		class := r.class(name)
		inner := secrecy{
			all:  s.all && class != placeName || class == deepName,
			own:  class == secretName,
			rows: class == rowsName,
		}
		switch class {
		case labelName:
			label, labelled = r.text[at:valueEnd(r.text, at)], true
		case valueName:
			if !labelled { // it may stand behind
				label, labelled = labelOf(r.text[from:valueEnd(r.text, from)]), true
			}
			inner.all = inner.all || secretLabel(string(bytes.Trim(label, `"`)))
		}
		return r.value(at, inner, depth+1)
	})
	r.out = append(r.out, '}')
	return end
}

func labelOf(object []byte) []byte {
	if label := pick(object, "key"); label != nil {
		return label
	}
	return pick(object, "name")
}

func (r *redactor) class(name []byte) nameClass {
	class, known := r.names[string(name)]
	if !known {
		class = classOf(string(name))
		r.names[string(name)] = class
	}
	return class
}

// string copies a string literal.
func (r *redactor) string(literal []byte, secret bool) {
	switch {
	case len(literal) <= 2:
		r.out = append(r.out, literal...)
		return
	case secret:
		r.out = append(r.out, `"`+redacted+`"`...)
		return
	case !suspicious(literal):
		r.out = append(r.out, literal...)
		return
	}
	var text string
	if err := json.Unmarshal(literal, &text); err != nil {
		r.out = append(r.out, `"`+redacted+`"`...)
		return
	}
	clean := RedactText(text)
	if clean == text {
		r.out = append(r.out, literal...)
		return
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(clean) // a string can always be encoded
	r.out = append(r.out, bytes.TrimSpace(b.Bytes())...)
}

// nameClass is what the name of a member says about its value.
type nameClass int

const (
	plainName  nameClass = iota
	deepName             // all of it is secret
	secretName           // it is secret when it is a string or number
	rowsName             // it is secret when it is a list
	placeName            // where a secret is, which is none itself
	labelName            // the name of the header or setting whose value stands beside it
	valueName            // that value, or what it is compared with
)

func classOf(name string) nameClass {
	name = strings.ToLower(snakeName(name)) // variables of the environment have capitals
	switch name {
	case "private_key", "pkcs12", "session_ticket_keys", "generic_secret", "access_token", "id_token", "refresh_token", "client_secret", "api_key":
		return deepName
	case "filename", "environment_variable", "watched_directory", "config_source", "sds_config":
		return placeName
	case "key", "name":
		return labelName
	case "value", "raw_value", "string_match", "exact_match", "prefix_match", "suffix_match", "contains_match", "safe_regex_match":
		return valueName
	case "credentials":
		return rowsName
	}
	switch {
	case strings.HasSuffix(name, "password"), strings.HasSuffix(name, "passwords"):
		return deepName
	case secretSetting().MatchString(name):
		return secretName
	}
	return plainName
}

// secretLabel says whether the value of a header or setting is secret.
func secretLabel(name string) bool {
	name = strings.ToLower(name)
	switch name {
	case "authorization", "proxy-authorization", "cookie", "set-cookie":
		return true
	}
	return secretSetting().MatchString(name)
}

// SecretMember names the members whose strings are secret, however deep.
func SecretMember(name string) bool { return classOf(name) == deepName }

// SecretSetting names the members that are secret when they are a string.
func SecretSetting(name string) bool { return classOf(name) == secretName }

// SecretRows names the lists whose items are secret.
func SecretRows(name string) bool { return classOf(name) == rowsName }

// SecretValue says whether a member is the secret value of a header or setting
// whose name, label, stands beside it.
func SecretValue(name, label string) bool { return classOf(name) == valueName && secretLabel(label) }

// SecretHeader says whether the value of a header is secret.
func SecretHeader(name string) bool { return secretLabel(name) }

// SecretText says whether there are secrets in text, by how they look.
func SecretText(s string) bool { return RedactText(s) != s }

// RedactHeader is the value of a header as it may be shown.
func RedactHeader(name, value string) string {
	if value != "" && secretLabel(name) {
		return redacted
	}
	return RedactText(value)
}

// RedactText is text without the private keys, tokens and passwords that are
// told by how they look, or by the word before them.
func RedactText(s string) string {
	if !suspicious([]byte(s)) {
		return s
	}
	if privateKey().MatchString(s) {
		return redacted
	}
	if strings.Contains(s, `"kty"`) {
		s = privateJWK().ReplaceAllString(s, `${1}"`+redacted+`"`)
	}
	s = webToken().ReplaceAllString(s, redacted)
	s = credentials().ReplaceAllString(s, "$1 "+redacted)
	s = userInURL().ReplaceAllString(s, "://"+redacted+"@")
	s = userAtHost().ReplaceAllString(s, redacted+"$1")
	s = secretInQuery().ReplaceAllString(s, "${1}"+redacted)
	s = passwordHash().ReplaceAllString(s, redacted)
	return secretLine().ReplaceAllStringFunc(s, func(line string) string {
		m := secretLine().FindStringSubmatch(line)
		if strings.Contains(m[2], redacted) || strings.HasPrefix(m[2], "%") { // a field of an access log
			return line
		}
		quote := ""
		if m[2][0] == '"' || m[2][0] == '\'' {
			quote = m[2][:1]
		}
		return m[1] + quote + redacted + quote
	})
}

// suspicious says whether it is worth to look closer at text: quickly, for
// hardly any text is.
func suspicious(s []byte) bool {
	if len(s) < 12 {
		return false
	}
	for i, c := range s {
		for _, word := range hints[c|0x20] {
			if len(s)-i >= len(word) && bytes.EqualFold(s[i:i+len(word)], []byte(word)) {
				return true
			}
		}
	}
	return false
}

// hints are the words, by their first letter, one of which is in or before
// every secret that is known by its look. Base64 of "PRIVATE KEY" depends on
// what stands before it.
var hints = func() (byLetter [256][]string) { //nolint:gochecknoglobals // a constant table
	for _, word := range []string{
		"private key", "ufjjvkfursblrv", "bssvzbveugs0vz", "quklwqvrfiet", "eyj", "bearer", "basic", "token", "secret", "passw",
		"passphrase", "key", "credential", "sig=", "signature=", "{sha", "$2", "$apr1", "@",
	} {
		byLetter[word[0]|0x20] = append(byLetter[word[0]|0x20], word)
	}
	return byLetter
}()

// What secrets look like.
var (
	privateKey    = pattern(`PRIVATE KEY-----|UFJJVkFURSBLRV|BSSVZBVEUgS0VZ|QUklWQVRFIEtFW`)
	webToken      = pattern(`eyJ[\w-]{5,}\.eyJ[\w-]+\.[\w-]*`)
	credentials   = pattern(`(?i)\b(bearer|basic)\s+[\w+/.~=-]{6,}`)
	userInURL     = pattern(`://[^/\s@"'<>]+@`)
	userAtHost    = pattern(`[\w.-]+:[^\s/@"':]+(@(?:[\w-]+\.)+[a-z])`)
	secretInQuery = pattern(`(?i)([?&][\w-]*(?:token|secret|passw(?:or)?d|api[-_]?key|access[-_]?key|sig|signature)=)[^&\s"'#]+`)
	passwordHash  = pattern(`\{SHA\d*\}[\w+/=]+|\$2[aby]\$\d+\$[\w./]+|\$apr1\$[\w./$]+`)
	privateJWK    = pattern(`("(?:d|p|q|dp|dq|qi|k)"\s*:\s*)"[^"]*"`)
	secretSetting = pattern(`(?i)^(.*[-_./])?(passw(or)?d|passphrase|api[-_]?key|apikey|access[-_]?key|auth[-_]?key|secret[-_]?key|private[-_]?key|signing[-_]?key|token|secret|credentials?)$`)
	secretLine    = pattern(`(?i)(["']?\b[\w.-]*(?:passw(?:or)?d|passphrase|secret|token|api[-_]?key|access[-_]?key|auth[-_]?key|private[-_]?key|credentials?)["']?\]?\s*[:=]\s*)("[^"\n]+"|'[^'\n]+'|[^\s"'{}\[\],;()<>]{4,})`)
)

func pattern(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
