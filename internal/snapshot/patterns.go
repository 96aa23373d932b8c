package snapshot

import (
	"regexp"
	"sync"
)

// secretWord is in the names of environment variables and arguments with secrets.
var secretWord = pattern(`(?i)(passw(or)?d|passphrase|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|encryption[-_]?key|credential|authorization|\bdsn$|database_url|connection_?string)`)

// secretSetting is the name of a secret setting of a plug-in or filter.
var secretSetting = pattern(`(?i)^(.*[-_])?(passw(or)?d|passphrase|api[-_]?key|apikey|access[-_]?token|auth[-_]?token|refresh[-_]?token|client[-_]?secret|secret[-_]?key|private[-_]?key|generic[-_]?secret|token|secret)$`)

// secretLine is a setting in YAML or JSON text whose value is secret.
var secretLine = pattern(`(?mi)((?:^|[\s{,])"?(?:access_?token|api_?key|password|client_?secret|auth_?token)"?\s*:\s*)("[^"\n]+"|'[^'\n]+'|[^\s"'{\[,][^\n,}]*)`)

// passwordInURL is https://user:password@host.
var passwordInURL = pattern(`://[^/\s:@]+:[^/\s@]+@`)

// webToken is a JSON web token.
var webToken = pattern(`^eyJ[\w-]+\.eyJ[\w-]+\.[\w-]*$`)

// privateKeyText, credentialText and tokenText are secrets inside a longer text.
var (
	privateKeyText = pattern(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)`)
	credentialText = pattern(`(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}`)
	tokenText      = pattern(`eyJ[\w-]{8,}\.eyJ[\w-]+\.[\w-]*`)
)

func pattern(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
