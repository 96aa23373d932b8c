package mesh

import "bytes"

// RedactedKey stands in a saved snapshot for a private key that belongs to the
// certificate beside it, RedactedValue for every other secret value.
const (
	RedactedKey   = "-----BEGIN REDACTED PRIVATE KEY-----\n-----END REDACTED PRIVATE KEY-----\n"
	RedactedValue = "REDACTED"
)

// IsRedactedKey says whether a value stands for a private key that was found
// good when a snapshot was saved: it can't be, and need not be, judged again.
func IsRedactedKey(value []byte) bool { return bytes.Equal(value, []byte(RedactedKey)) }
