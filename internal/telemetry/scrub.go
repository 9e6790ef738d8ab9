package telemetry

import (
	"regexp"
	"strings"
)

// maxText is how much of a text leaves the service, in bytes.
const maxText = 500

// What is taken out of texts that leave the service, in this order. It is more than needed: a fault is found by its place in the
// code, and a text that is half gone still says what kind it is.
var scrubbers = []struct { //nolint:gochecknoglobals // compiled once, never written to
	what *regexp.Regexp
	with string
}{
	{regexp.MustCompile("\"[^\"]*\"|'[^']*'|`[^`]*`|“[^”]*”"), "[text]"}, // quoted: a value, as a rule
	{regexp.MustCompile(`\([^()]*\)=\([^()]*\)`), "[row]"},               // PostgreSQL's Key (email)=(…)
	{regexp.MustCompile(`[a-zA-Z][a-zA-Z0-9+.-]*://\S+`), "[url]"},       // with users, paths and queries
	{regexp.MustCompile(`[^\s@<>()]+@[^\s@<>()]+`), "[email]"},           // also what only looks like one
	{regexp.MustCompile(`(?i)\b(bearer|basic)\s+\S+`), "[token]"},        //
	{regexp.MustCompile(`(?i)\b[a-z_-]*(token|secret|password|passwd|senha|dsn|(api|access)[_-]?key)\s*[:=]\s*\S+`), "[secret]"},
	{regexp.MustCompile(`(?i)\b[a-z_-]*key=\S+`), "[secret]"},
	{regexp.MustCompile(`\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b`), "[address]"},                      // IPv4
	{regexp.MustCompile(`\[?([0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}\]?(:\d+)?`), "[address]"}, // IPv6, and times
	{regexp.MustCompile(`\d[\d .,/-]{4,}\d`), "[number]"},                                      // CPF, CNPJ, keys, cards, telephones
	{regexp.MustCompile(`[A-Za-z0-9_+/=.-]*[A-Za-z_+/=-]+[A-Za-z0-9_+/=.-]*\d[A-Za-z0-9_+/=.-]{15,}`), "[token]"},
	{regexp.MustCompile(`[A-Za-z0-9_+/=-]{32,}`), "[token]"},
}

// Scrub takes from a text what could say who somebody is, or open a door.
func Scrub(text string) string {
	for _, s := range scrubbers {
		text = s.what.ReplaceAllString(text, s.with)
	}
	if len(text) > maxText {
		text = text[:maxText]
	}
	return strings.ToValidUTF8(text, "")
}

// idForm is what our own ids, names of kinds and codes look like.
var idForm = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,80}$`)

// ourID is a UUID or the id of a trace, whose digits are nobody's.
var ourID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$|^[0-9a-f]{32}$`)

// personalNumber is in what a client may have called its request: a CPF has eleven digits.
var personalNumber = regexp.MustCompile(`[0-9]{11}|[0-9][0-9.-]{10,}`)

// scrubID passes ids, and scrubs what is none.
func scrubID(value string) string {
	if ourID.MatchString(value) || idForm.MatchString(value) && !personalNumber.MatchString(value) {
		return value
	}
	return Scrub(value)
}
